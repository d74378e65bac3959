package kube

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stalker-asm/stalker/pipeline"
)

// Config says where and as what pods run.
type Config struct {
	// Kubeconfig is the file that names the cluster; empty means the one this process runs in.
	Kubeconfig string `yaml:"kubeconfig"`
	// Namespace is where executions run. Nothing else should.
	Namespace string `yaml:"namespace"`
	// QPS is how many calls per second the API server gets at most, after a burst of twice as many.
	QPS int `yaml:"qps"`
	// Image runs python jobs that name no image. It needs Python 3.11 or newer; the SDK is mounted.
	Image string `yaml:"image"`
	// NucleiImage runs nuclei jobs that name no image.
	NucleiImage string `yaml:"nucleiImage"`
	// AllowedImages are patterns (* matches within one path element) one of which an image must match; empty means any image.
	AllowedImages []string `yaml:"allowedImages"`
	// RawSockets allows jobs that ask for it to open raw sockets. Their pods run as root with NET_RAW alone, which a namespace with Pod Security restricted refuses.
	RawSockets bool `yaml:"rawSockets"`
	// Sizes are what a job's pod size stands for.
	Sizes map[string]Size `yaml:"sizes"`
	// DefaultSize is for jobs that name none.
	DefaultSize string `yaml:"defaultSize"`
	// Scratch bounds what an execution may write to its working directory.
	Scratch string `yaml:"scratch"`
	// PersonClass and AutomationClass are the priority classes of what people and what automation asked for; empty means the cluster's default.
	PersonClass     string `yaml:"personClass"`
	AutomationClass string `yaml:"automationClass"`
	// NodeSelector picks the nodes.
	NodeSelector map[string]string `yaml:"nodeSelector"`
	// RuntimeClass isolates pods better than the default, gVisor for example.
	RuntimeClass string `yaml:"runtimeClass"`
	// PullSecrets are Kubernetes Secrets of the namespace for fetching images.
	PullSecrets []string `yaml:"pullSecrets"`
	// ImageTimeout is how long an image may fail to come.
	ImageTimeout time.Duration `yaml:"imageTimeout"`
	// Grace is how long a pod has between SIGTERM and SIGKILL.
	Grace time.Duration `yaml:"grace"`
	// KeepFinished is how long an ended Job waits for a launcher to take note of its end.
	KeepFinished time.Duration `yaml:"keepFinished"`
}

// Size is what a pod requests, and its limit.
type Size struct {
	CPU    string `yaml:"cpu"`
	Memory string `yaml:"memory"`
}

// DefaultConfig has the reference's sizes.
func DefaultConfig() Config {
	return Config{
		Namespace: "stalker-jobs", QPS: 500,
		Image: "ghcr.io/stalker-asm/stalker-job-python:1", NucleiImage: "ghcr.io/stalker-asm/stalker-job-nuclei:1",
		Sizes: map[string]Size{
			"XS": {CPU: "50m", Memory: "50Mi"}, "S": {CPU: "75m", Memory: "75Mi"}, "M": {CPU: "150m", Memory: "150Mi"},
			"L": {CPU: "250m", Memory: "512Mi"}, "XL": {CPU: "500m", Memory: "1Gi"}, "XXL": {CPU: "1", Memory: "2Gi"},
		},
		DefaultSize: "M", Scratch: "1Gi", ImageTimeout: 2 * time.Minute, Grace: 10 * time.Second, KeepFinished: time.Hour,
	}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if len(validation.IsDNS1123Label(c.Namespace)) > 0 {
		errs = append(errs, fmt.Errorf("namespace: %q is no name of a namespace", c.Namespace))
	}
	if c.QPS < 1 {
		errs = append(errs, fmt.Errorf("qps is %d, must be at least 1", c.QPS))
	}
	for _, p := range c.AllowedImages {
		if _, err := path.Match(p, ""); err != nil {
			errs = append(errs, fmt.Errorf("allowedImages: %q is no pattern: %w", p, err))
		}
	}
	if _, ok := c.Sizes[c.DefaultSize]; !ok {
		errs = append(errs, fmt.Errorf("defaultSize: %q is none of the sizes", c.DefaultSize))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sizes)) {
		s := c.Sizes[name]
		errs = append(errs, positive("sizes."+name+".cpu", s.CPU), positive("sizes."+name+".memory", s.Memory))
	}
	errs = append(errs, positive("scratch", c.Scratch))
	if c.ImageTimeout <= 0 || c.Grace <= 0 || c.KeepFinished < time.Minute {
		errs = append(errs, errors.New("imageTimeout and grace must be positive, keepFinished at least 1m"))
	}
	return errors.Join(errs...)
}

func positive(name, quantity string) error {
	q, err := resource.ParseQuantity(quantity)
	if err != nil || q.Sign() <= 0 {
		return fmt.Errorf("%s: %q is no amount, such as 250m or 512Mi", name, quantity)
	}
	return nil
}

// size returns the name of a job's pod size and what it stands for. One that is not
// known is the default: a definition from elsewhere must not fail for it.
func (c *Config) size(j *pipeline.Job) (string, Size) {
	if s, ok := c.Sizes[j.PodSize]; ok {
		return j.PodSize, s
	}
	return c.DefaultSize, c.Sizes[c.DefaultSize]
}

// image returns what a job runs in.
func (c *Config) image(j *pipeline.Job) string {
	switch {
	case j.Image != "":
		return j.Image
	case j.Type == pipeline.JobNuclei:
		return c.NucleiImage
	default:
		return c.Image
	}
}

func (c *Config) allows(image string) bool {
	return len(c.AllowedImages) == 0 || slices.ContainsFunc(c.AllowedImages, func(p string) bool {
		ok, _ := path.Match(p, image) // Validate has seen the pattern
		return ok
	})
}

// Connect returns a client of the configured cluster. It does not call it.
func Connect(c Config) (kubernetes.Interface, error) {
	rc, err := restConfig(c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("finding the Kubernetes cluster: %w", err)
	}
	rc.QPS, rc.Burst = float32(c.QPS), 2*c.QPS
	rc.UserAgent = "stalker"
	client, err := kubernetes.NewForConfig(rc)
	if err != nil {
		return nil, fmt.Errorf("making a Kubernetes client: %w", err)
	}
	return client, nil
}

func restConfig(file string) (*rest.Config, error) {
	if file == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", file)
}
