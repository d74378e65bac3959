package kube_test

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// kubeconfig writes a client's configuration to a file.
func kubeconfig(t testing.TB, rc *rest.Config) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientapi.Config{
		Clusters:       map[string]*clientapi.Cluster{"c": {Server: rc.Host, CertificateAuthorityData: rc.CAData, CertificateAuthority: rc.CAFile}},
		AuthInfos:      map[string]*clientapi.AuthInfo{"u": {Token: rc.BearerToken, ClientCertificateData: rc.CertData, ClientKeyData: rc.KeyData}},
		Contexts:       map[string]*clientapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClusterTheChartsRoleIsEnoughAndNoMore(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	rights := c.launcherRights()
	cfg := settings(c)
	cfg.Kubeconfig = kubeconfig(t, rights)
	h, err := kube.Inspect(t.Context(), cfg)
	if err != nil || len(h.Denied)+len(h.Missing) > 0 || h.Refused != "" || !h.Namespace || !strings.HasPrefix(h.Version, "v1.") {
		t.Errorf("as the launcher: %+v, %v", h, err)
	}
	limited, err := kubernetes.NewForConfig(rights)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "x"}}}}
	for what, try := range map[string]func() error{
		"list secrets":   func() error { _, err := limited.CoreV1().Secrets(c.ns).List(ctx, metav1.ListOptions{}); return err },
		"read elsewhere": func() error { _, err := limited.CoreV1().Pods("default").List(ctx, metav1.ListOptions{}); return err },
		"create elsewhere": func() error {
			_, err := limited.CoreV1().Secrets("default").Get(ctx, "x", metav1.GetOptions{})
			return err
		},
		"create pods": func() error {
			_, err := limited.CoreV1().Pods(c.ns).Create(ctx, pod, metav1.CreateOptions{})
			return err
		},
		"see nodes":         func() error { _, err := limited.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); return err },
		"change its rights": func() error { return limited.RbacV1().Roles(c.ns).Delete(ctx, "launcher", metav1.DeleteOptions{}) },
	} {
		if err := try(); !apierrors.IsForbidden(err) {
			t.Errorf("the launcher may %s: %v", what, err)
		}
	}
}

func TestClusterWhatIsMissingIsSeen(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	_, err := c.client.CoreV1().ResourceQuotas(c.ns).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/jobs.batch": resource.MustParse("0"), "pods": resource.MustParse("3")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := settings(c)
	cfg.Kubeconfig = filepath.Join(c.dir, "admin.kubeconfig")
	cfg.PersonClass, cfg.AutomationClass, cfg.RuntimeClass, cfg.PullSecrets = "no-class", "no-class", "no-runtime", []string{"no-secret"}
	var h kube.Health
	eventually(t, "the quota counts", func() bool {
		h, err = kube.Inspect(t.Context(), cfg)
		return err == nil && slices.Contains(h.Quotas, "q: count/jobs.batch 0 of 0, pods 0 of 3")
	})
	if got := strings.Join(h.Missing, ", "); got != "priority class no-class, runtime class no-runtime, secret no-secret" {
		t.Errorf("missing: %s", got)
	}
	if !strings.Contains(h.Refused, "exceeded quota") || h.PodSecurity != "restricted" || len(h.Denied) > 0 {
		t.Errorf("%+v", h)
	}
	cfg.Namespace = "nowhere"
	if h, err = kube.Inspect(t.Context(), cfg); err != nil || h.Namespace {
		t.Errorf("a namespace that is not there: %+v, %v", h, err)
	}
	cfg.Namespace = c.ns
	nobody := rest.AnonymousClientConfig(c.rest)
	cfg.Kubeconfig = kubeconfig(t, nobody)
	if h, err = kube.Inspect(t.Context(), cfg); err != nil || len(h.Denied) < 10 || !slices.Contains(h.Denied, "create jobs") {
		t.Errorf("as nobody: %+v, %v", h, err)
	}
}

// TestClusterAPersonGoesFirst looks at what the API server made of the configured
// classes: the scheduler goes by that number.
func TestClusterAPersonGoesFirst(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	cfg := settings(c)
	for name, value := range map[string]int32{"person": 1000, "automation": 100} {
		full := c.ns + "-" + name
		_, err := c.client.SchedulingV1().PriorityClasses().Create(t.Context(), &schedulingv1.PriorityClass{
			ObjectMeta: metav1.ObjectMeta{Name: full}, Value: value, PreemptionPolicy: new(corev1.PreemptNever),
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.client.SchedulingV1().PriorityClasses().Delete(c.after, full, metav1.DeleteOptions{}) })
	}
	cfg.PersonClass, cfg.AutomationClass = c.ns+"-person", c.ns+"-automation"
	var mu sync.Mutex
	got := map[string]int32{}
	c.node(func(p *corev1.Pod) corev1.PodStatus {
		mu.Lock()
		defer mu.Unlock()
		got[p.Annotations["stalker.dev/job"]] = *p.Spec.Priority
		return succeed(p)
	})
	r := c.runner(cfg)
	for i, name := range []string{"person", "automation"} {
		s := spec(id(i + 1))
		s.Job.Name, s.Request.Priority = name, map[string]int{"person": pipeline.PriorityPerson, "automation": pipeline.PriorityAutomation}[name]
		if res := r.Run(t.Context(), s, nothing); res.State != pipeline.StateSucceeded {
			t.Errorf("%s: %+v", name, res)
		}
	}
	if got["person"] != 1000 || got["automation"] != 100 {
		t.Errorf("priorities %v", got)
	}
}
