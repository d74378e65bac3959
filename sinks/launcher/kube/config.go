package kube

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// Config says where and as what pods run.
type Config struct {
	// Kubeconfig is the file that names the cluster; empty means the one this process runs in.
	Kubeconfig string `yaml:"kubeconfig"`
	// Namespace is where executions run. Nothing else should.
	Namespace string `yaml:"namespace"`
	// QPS is how many calls per second the API server gets at most. A Job takes three: itself, its Secret, and its removal.
	QPS int `yaml:"qps"`
	// Burst is how many calls may come at once before QPS counts.
	Burst int `yaml:"burst"`
	// Image runs python jobs that name no image. It needs Python 3.11 or newer; the SDK is mounted.
	Image string `yaml:"image"`
	// NucleiImage runs nuclei jobs that name no image.
	NucleiImage string `yaml:"nucleiImage"`
	// AllowedImages are patterns (* matches within one path element) one of which an image must match; empty means any image.
	AllowedImages []string `yaml:"allowedImages"`
	// PullPolicy says when images are fetched: IfNotPresent, Always or Never.
	PullPolicy string `yaml:"pullPolicy"`
	// RawSockets allows jobs that ask for it to open raw sockets. Their pods run as root with NET_RAW alone, which the namespace takes only with Pod Security privileged: baseline and restricted both refuse that capability.
	RawSockets bool `yaml:"rawSockets"`
	// Sizes are what a job's pod size stands for, request and limit alike. What is given here changes or adds to the default ones.
	Sizes Sizes `yaml:"sizes"`
	// MaxSize is the most that people may give a pod size through the API. The sizes given here may be larger.
	MaxSize Size `yaml:"maxSize"`
	// DefaultSize is for jobs that name none.
	DefaultSize string `yaml:"defaultSize"`
	// Scratch bounds what an execution may write to its working directory.
	Scratch string `yaml:"scratch"`
	// PersonClass is the priority class of pods for what people asked for; empty means the cluster's default.
	PersonClass string `yaml:"personClass"`
	// AutomationClass is the priority class of pods for what subscriptions and schedules asked for; empty means the cluster's default.
	AutomationClass string `yaml:"automationClass"`
	// NodeSelector picks the nodes: labels they must have.
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
	// CPU is such as 250m, a quarter of one.
	CPU string `yaml:"cpu"`
	// Memory is such as 512Mi.
	Memory string `yaml:"memory"`
}

// Sizes are pod sizes by name.
type Sizes map[string]Size

// UnmarshalYAML takes what is given over what is there: who changes one size keeps
// the others.
func (s *Sizes) UnmarshalYAML(unmarshal func(any) error) error {
	var given map[string]Size
	if err := unmarshal(&given); err != nil {
		return err
	}
	all := maps.Clone(*s)
	if all == nil {
		all = Sizes{}
	}
	maps.Copy(all, given)
	*s = all
	return nil
}

// DefaultConfig has the reference's sizes.
func DefaultConfig() Config {
	return Config{
		Namespace: "stalker-jobs", QPS: 500, Burst: 1000, PullPolicy: string(corev1.PullIfNotPresent),
		Image: "stalker-job-python", NucleiImage: "stalker-job-nuclei",
		Sizes: Sizes{
			"XS": {CPU: "50m", Memory: "50Mi"}, "S": {CPU: "75m", Memory: "75Mi"}, "M": {CPU: "150m", Memory: "150Mi"},
			"L": {CPU: "250m", Memory: "512Mi"}, "XL": {CPU: "500m", Memory: "1Gi"}, "XXL": {CPU: "1", Memory: "2Gi"},
		},
		MaxSize: Size{CPU: "2", Memory: "2Gi"}, DefaultSize: "M", Scratch: "1Gi", ImageTimeout: 2 * time.Minute, Grace: 10 * time.Second, KeepFinished: time.Hour,
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
	if c.Burst < 1 {
		errs = append(errs, fmt.Errorf("burst is %d, must be at least 1", c.Burst))
	}
	switch corev1.PullPolicy(c.PullPolicy) {
	case corev1.PullIfNotPresent, corev1.PullAlways, corev1.PullNever:
	default:
		errs = append(errs, fmt.Errorf("pullPolicy: %q is none of IfNotPresent, Always, Never", c.PullPolicy))
	}
	if c.Image == "" {
		errs = append(errs, errors.New("image must be set"))
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
	errs = append(errs, positive("maxSize.cpu", c.MaxSize.CPU), positive("maxSize.memory", c.MaxSize.Memory))
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

// PodSizes are the sizes of a valid configuration, for who offers them. Amounts are
// rounded up to whole MiB.
func (c *Config) PodSizes() []pipeline.PodSize {
	list := make([]pipeline.PodSize, 0, len(c.Sizes))
	for _, name := range slices.Sorted(maps.Keys(c.Sizes)) {
		s := c.Sizes[name].amounts()
		s.Name, s.Configured = name, true
		list = append(list, s)
	}
	return list
}

// LargestPodSize is MaxSize in the same form.
func (c *Config) LargestPodSize() pipeline.PodSize { return c.MaxSize.amounts() }

func (s Size) amounts() pipeline.PodSize {
	cpu, memory := resource.MustParse(s.CPU), resource.MustParse(s.Memory)
	return pipeline.PodSize{MilliCPU: int(cpu.MilliValue()), MemoryMiB: int((memory.Value() + 1<<20 - 1) >> 20)}
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

// Connect returns a client of the configured cluster. It does not call it. What the
// client library has to say goes to log; it keeps one destination for the process.
func Connect(c Config, log *slog.Logger) (kubernetes.Interface, error) {
	klog.SetSlogLogger(log.With("component", "client-go"))
	rc, err := restConfig(c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("finding the Kubernetes cluster: %w", err)
	}
	rc.QPS, rc.Burst = float32(c.QPS), c.Burst
	rc.UserAgent = "stalker"
	rc.ContentType = runtime.ContentTypeProtobuf // costs both sides less than JSON
	rc.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
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
