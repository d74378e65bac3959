package kube

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

func inert(t *testing.T, change func(*Config)) *Runner {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	r, err := New(cfg, Deps{
		Client: kubernetes.NewForConfigOrDie(&rest.Config{Host: "127.0.0.1:1"}), Gateway: "http://gateway/gateway/v1",
		SDK: fstest.MapFS{"a/b.py": {Data: []byte("x")}}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func specOf(j pipeline.Job) *launcher.Spec {
	return &launcher.Spec{
		Request: pipeline.JobRequest{ID: "0123456789abcdef01234567", ProjectID: "aaaaaaaaaaaaaaaaaaaaaaaa", Priority: pipeline.PriorityPerson},
		Job:     j, Attempt: 3, Token: "t0ken", Deadline: time.Hour, StartTimeout: time.Minute,
		Arguments: map[string]json.RawMessage{"key": json.RawMessage(`"s3cret"`), "list": json.RawMessage(`["s3cret"]`)}, Secret: []string{"key", "list"},
	}
}

// TestNothingOfAnExecutionStandsInItsJob: who may read Jobs and pods must learn
// neither code nor parameters nor the token.
func TestNothingOfAnExecutionStandsInItsJob(t *testing.T) {
	r := inert(t, nil)
	for _, j := range []pipeline.Job{
		{Name: "J", Type: pipeline.JobCode, Language: "python", Code: "print('c0de')"},
		{Name: "J", Type: pipeline.JobNuclei, Code: "id: c0de", Handler: "c0de"},
		{Name: "J", Type: pipeline.JobContainer, Image: "x", Command: []string{"run"}},
	} {
		s := specOf(j)
		text, err := json.Marshal(r.job(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{"s3cret", "c0de", "t0ken"} {
			if strings.Contains(string(text), hidden) {
				t.Errorf("%s: %s stands in the Job", j.Type, hidden)
			}
		}
		secret, err := r.secret(s, &batchv1.Job{})
		if err != nil {
			t.Fatal(err)
		}
		if string(secret.Data[keyToken]) != "t0ken" || !strings.Contains(string(secret.Data[keyParams]), "s3cret") || !*secret.Immutable {
			t.Errorf("%s: its Secret holds %v", j.Type, secret.Data)
		}
		for _, item := range r.job(s).Spec.Template.Spec.Volumes[0].Secret.Items { // what is mounted is there
			if _, ok := secret.Data[item.Key]; !ok {
				t.Errorf("%s: mounts %s, which its Secret does not have", j.Type, item.Key)
			}
		}
	}
}

// TestAContainerIsGivenTheReferencesCredential as a reference to its Secret.
func TestAContainerIsGivenTheReferencesCredential(t *testing.T) {
	s := specOf(pipeline.Job{Name: "J", Type: pipeline.JobContainer, Image: "x"})
	r := inert(t, func(*Config) {})
	env := map[string]corev1.EnvVar{}
	for _, e := range r.job(s).Spec.Template.Spec.Containers[0].Env {
		env[e.Name] = e
	}
	if got := env["RedKiteOrchestratorUrl"].Value; got != r.gateway {
		t.Errorf("the address is %q", got)
	}
	secret, err := r.secret(s, &batchv1.Job{})
	if err != nil {
		t.Fatal(err)
	}
	from := env["RedKiteContext"].ValueFrom
	if from == nil || from.SecretKeyRef.Name != secret.Name || !strings.Contains(string(secret.Data[from.SecretKeyRef.Key]), `"Signature":"t0ken"`) {
		t.Errorf("the credential is %+v, its Secret %v", env["RedKiteContext"], secret.Data)
	}
}

func TestPodsAreHardened(t *testing.T) {
	r := inert(t, func(c *Config) { c.PersonClass, c.RuntimeClass, c.PullPolicy = "person", "gvisor", "Always" })
	p := r.job(specOf(pipeline.Job{Type: pipeline.JobCode, Language: "python", PodSize: "L"})).Spec.Template.Spec
	c := p.Containers[0]
	for what, ok := range map[string]bool{
		"no token of the cluster":  !*p.AutomountServiceAccountToken,
		"no names of services":     !*p.EnableServiceLinks,
		"no root":                  *p.SecurityContext.RunAsNonRoot && *p.SecurityContext.RunAsUser != 0,
		"seccomp":                  p.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"no capability":            len(c.SecurityContext.Capabilities.Add) == 0 && c.SecurityContext.Capabilities.Drop[0] == "ALL",
		"no new privileges":        !*c.SecurityContext.AllowPrivilegeEscalation,
		"read-only root":           *c.SecurityContext.ReadOnlyRootFilesystem,
		"requests and limits":      c.Resources.Limits.Memory().String() == "512Mi" && c.Resources.Requests.Cpu().String() == "250m",
		"a deadline":               *p.ActiveDeadlineSeconds == 3600,
		"priority of people":       p.PriorityClassName == "person",
		"the runtime class":        *p.RuntimeClassName == "gvisor",
		"the pull policy":          c.ImagePullPolicy == corev1.PullAlways,
		"a bound on what it fills": p.Volumes[1].EmptyDir.SizeLimit.String() == "1Gi",
	} {
		if !ok {
			t.Errorf("without %s: %+v", what, p)
		}
	}
	raw := r.job(specOf(pipeline.Job{Type: pipeline.JobContainer, Image: "x", RawSockets: true})).Spec.Template.Spec.Containers[0].SecurityContext.Capabilities
	if len(raw.Add) != 1 || raw.Add[0] != "NET_RAW" || raw.Drop[0] != "ALL" {
		t.Errorf("raw sockets get %+v", raw)
	}
}

func TestWhatMayNotRunHereIsRefused(t *testing.T) {
	r := inert(t, func(c *Config) {
		c.AllowedImages = []string{"registry.example/jobs/*"}
		c.Image = "registry.example/jobs/python:1"
	})
	for name, tc := range map[string]struct {
		job  pipeline.Job
		want pipeline.Reason
	}{
		"python":           {pipeline.Job{Type: pipeline.JobCode, Language: "python"}, ""},
		"another language": {pipeline.Job{Type: pipeline.JobCode, Language: "perl"}, pipeline.ReasonUnsupported},
		"allowed image":    {pipeline.Job{Type: pipeline.JobContainer, Image: "registry.example/jobs/x:2"}, ""},
		"deeper image":     {pipeline.Job{Type: pipeline.JobContainer, Image: "registry.example/jobs/a/x:2"}, pipeline.ReasonForbidden},
		"other image":      {pipeline.Job{Type: pipeline.JobContainer, Image: "evil.example/registry.example/jobs/x"}, pipeline.ReasonForbidden},
		"no image":         {pipeline.Job{Type: pipeline.JobContainer}, pipeline.ReasonUnsupported},
		"raw sockets":      {pipeline.Job{Type: pipeline.JobCode, Language: "python", RawSockets: true}, pipeline.ReasonForbidden},
	} {
		got := r.refuse(&tc.job)
		if (got == nil) != (tc.want == "") || got != nil && got.Reason != tc.want {
			t.Errorf("%s: %+v, want %q", name, got, tc.want)
		}
	}
}

// TestAPodHasTheSizeThatPeopleGaveIt within what the operator allows.
func TestAPodHasTheSizeThatPeopleGaveIt(t *testing.T) {
	r := inert(t, nil)
	r.sizes = func(name string) (pipeline.PodSize, bool) {
		s, ok := map[string]pipeline.PodSize{"M": {MilliCPU: 333, MemoryMiB: 222}, "Scan": {MilliCPU: 700, MemoryMiB: 900}, "Huge": {MilliCPU: 64_000, MemoryMiB: 1 << 20}}[name]
		return s, ok
	}
	for asked, want := range map[string]string{
		"Scan": "Scan 700m 900Mi", "M": "M 333m 222Mi", "": "M 333m 222Mi", "no such": "M 333m 222Mi", "S": "S 75m 75Mi", "Huge": "Huge 2 2Gi",
	} {
		j := pipeline.Job{Type: pipeline.JobCode, Language: "python", PodSize: asked}
		name, _ := r.size(&j)
		amount := r.job(specOf(j)).Spec.Template.Spec.Containers[0].Resources.Limits
		if got := name + " " + amount.Cpu().String() + " " + amount.Memory().String(); got != want {
			t.Errorf("%q is %s, want %s", asked, got, want)
		}
	}
}
