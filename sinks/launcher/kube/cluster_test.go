package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"
	authv1 "k8s.io/api/authentication/v1"
	coordv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// The tests named TestCluster… need a Kubernetes that .ci/k8s.sh started. make
// test-k8s runs them; without one they are skipped, which is not a pass.

// cluster is that Kubernetes, and a namespace for one test.
type cluster struct {
	t      *testing.T
	dir    string
	rest   *rest.Config
	client kubernetes.Interface
	ns     string

	limited kubernetes.Interface // with the launcher's rights
}

func tier(t *testing.T, want string) string {
	t.Helper()
	dir := os.Getenv("STALKER_TEST_K8S")
	if dir == "" || os.Getenv("STALKER_TEST_K8S_TIER") != want {
		t.Skipf("needs the Kubernetes (tier %s) of make test-k8s", want)
	}
	return dir
}

// onCluster makes a namespace with Pod Security restricted.
func onCluster(t *testing.T, dir string) *cluster {
	t.Helper()
	rc, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "admin.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	rc.QPS, rc.Burst = 1000, 2000
	c := &cluster{t: t, dir: dir, rest: rc, client: kubernetes.NewForConfigOrDie(rc)}
	ns, err := c.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "test-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.ns = ns.Name
	t.Cleanup(func() {
		_ = c.client.CoreV1().Namespaces().Delete(context.Background(), c.ns, metav1.DeleteOptions{})
	})
	eventually(t, "the service account of the namespace", func() bool {
		_, err := c.client.CoreV1().ServiceAccounts(c.ns).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return c
}

func (c *cluster) kubectl(args ...string) {
	c.t.Helper()
	out, err := exec.CommandContext(c.t.Context(), os.Getenv("STALKER_TEST_K8S_SH"), args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("k8s.sh %v: %v\n%s", args, err, out)
	}
}

// launcherClient is a client with what the chart's role allows and no more.
func (c *cluster) launcherClient() kubernetes.Interface {
	c.t.Helper()
	text, err := os.ReadFile("../../../charts/stalker/templates/rbac.yaml")
	if err != nil {
		c.t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)kind: Role\n.*?\nrules:\n(.*?)\n---`).FindSubmatch(text)
	var rules []rbacv1.PolicyRule
	if part == nil {
		c.t.Fatal("the chart has no Role")
	}
	js, err := yaml.YAMLToJSON(part[1])
	if err == nil {
		err = json.Unmarshal(js, &rules)
	}
	if err != nil || len(rules) < 3 {
		c.t.Fatalf("rules of the chart's Role: %v, %v", rules, err)
	}
	named := metav1.ObjectMeta{Name: "launcher"}
	ctx, api := c.t.Context(), c.client
	_, err = api.CoreV1().ServiceAccounts(c.ns).Create(ctx, &corev1.ServiceAccount{ObjectMeta: named}, metav1.CreateOptions{})
	if err == nil {
		_, err = api.RbacV1().Roles(c.ns).Create(ctx, &rbacv1.Role{ObjectMeta: named, Rules: rules}, metav1.CreateOptions{})
	}
	if err == nil {
		_, err = api.RbacV1().RoleBindings(c.ns).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "launcher"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "launcher", Namespace: c.ns}},
		}, metav1.CreateOptions{})
	}
	var token *authv1.TokenRequest
	if err == nil {
		token, err = api.CoreV1().ServiceAccounts(c.ns).CreateToken(ctx, "launcher", &authv1.TokenRequest{}, metav1.CreateOptions{})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	rc := rest.AnonymousClientConfig(c.rest)
	rc.BearerToken, rc.QPS, rc.Burst = token.Status.Token, 1000, 2000
	return kubernetes.NewForConfigOrDie(rc)
}

// node plays a node and its kubelet: what is scheduled to it runs for a moment and
// ends as play says.
type node struct {
	c    *cluster
	name string
	play func(p *corev1.Pod) corev1.PodStatus // nil status phase leaves the pod pending

	hands sync.WaitGroup
	room  chan struct{} // one token per pod in hand

	mu    sync.Mutex
	taken map[types.UID]bool
	ran   map[string]int // pods by execution
}

func (c *cluster) node(play func(*corev1.Pod) corev1.PodStatus) *node {
	c.t.Helper()
	n := &node{c: c, name: "node-" + c.ns, play: play, ran: map[string]int{}, taken: map[types.UID]bool{}, room: make(chan struct{}, 200)}
	room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000"), corev1.ResourceMemory: resource.MustParse("1000Gi"), corev1.ResourcePods: resource.MustParse("10000")}
	_, err := c.client.CoreV1().Nodes().Create(c.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: map[string]string{"stalker-test": c.ns}}}, metav1.CreateOptions{})
	if err == nil {
		body, _ := json.Marshal(map[string]any{"status": corev1.NodeStatus{
			Capacity: room, Allocatable: room,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}},
		}})
		_, err = c.client.CoreV1().Nodes().Patch(c.t.Context(), n.name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	}
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { n.live(ctx) })
	work.Go(func() { n.run(ctx) })
	c.t.Cleanup(func() {
		cancel()
		work.Wait()
		n.hands.Wait()
		_ = c.client.CoreV1().Nodes().Delete(context.Background(), n.name, metav1.DeleteOptions{})
	})
	return n
}

// live says every few seconds that the node does.
func (n *node) live(ctx context.Context) {
	leases := n.c.client.CoordinationV1().Leases("kube-node-lease")
	for {
		lease := &coordv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Spec: coordv1.LeaseSpec{HolderIdentity: &n.name, LeaseDurationSeconds: new(int32(40)), RenewTime: &metav1.MicroTime{Time: time.Now()}}}
		if old, err := leases.Get(ctx, n.name, metav1.GetOptions{}); err == nil {
			old.Spec.RenewTime = lease.Spec.RenewTime
			_, _ = leases.Update(ctx, old, metav1.UpdateOptions{})
		} else {
			_, _ = leases.Create(ctx, lease, metav1.CreateOptions{})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Second):
		}
	}
}

func (n *node) run(ctx context.Context) {
	pods := n.c.client.CoreV1().Pods(n.c.ns)
	for ctx.Err() == nil {
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		for i := range list.Items {
			n.handle(ctx, &list.Items[i])
		}
		w, err := watchtools.NewRetryWatcherWithContext(ctx, list.ResourceVersion, lister{ctx, n.c})
		if err != nil {
			continue
		}
		for e := range w.ResultChan() {
			if p, ok := e.Object.(*corev1.Pod); ok && e.Type != watch.Deleted {
				n.handle(ctx, p)
			}
		}
	}
}

type lister struct {
	ctx context.Context
	c   *cluster
}

func (l lister) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return l.c.client.CoreV1().Pods(l.c.ns).Watch(ctx, o)
}

// handle takes a pod one step further.
func (n *node) handle(ctx context.Context, p *corev1.Pod) {
	if p.Spec.NodeName != n.name {
		return
	}
	pods := n.c.client.CoreV1().Pods(n.c.ns)
	switch {
	case p.DeletionTimestamp != nil:
		_ = pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	case n.take(p):
		n.room <- struct{}{}
		n.hands.Go(func() {
			defer func() { <-n.room }()
			n.status(ctx, p, running())
			if s := n.play(p); s.Phase != "" {
				n.status(ctx, p, s)
			}
		})
	}
}

// take reports whether a pod is to be started, once.
func (n *node) take(p *corev1.Pod) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.taken[p.UID] || p.Status.Phase != corev1.PodPending || p.Status.StartTime != nil {
		return false
	}
	n.taken[p.UID] = true
	n.ran[p.Labels["stalker.dev/execution"]]++
	return true
}

func (n *node) status(ctx context.Context, p *corev1.Pod, s corev1.PodStatus) {
	s.StartTime = new(metav1.Now())
	body, _ := json.Marshal(map[string]any{"status": s})
	for range 50 { // the API server may be away for a moment
		_, err := n.c.client.CoreV1().Pods(n.c.ns).Patch(ctx, p.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
		if err == nil || ctx.Err() != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (n *node) times() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.ran)
}

func running() corev1.PodStatus {
	return status(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
}

func exited(code int32, reason, message string) corev1.PodStatus {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	now := metav1.Now()
	return status(phase, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: now, FinishedAt: now}})
}

func status(phase corev1.PodPhase, s corev1.ContainerState) corev1.PodStatus {
	return corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: "job", State: s}}}
}

func succeed(*corev1.Pod) corev1.PodStatus { return exited(0, "Completed", "") }

var sdk = fstest.MapFS{"stalker_sdk/__init__.py": {Data: []byte("")}, "stalker_sdk/run.py": {Data: []byte("print('run')")}}

func settings(c *cluster) kube.Config {
	cfg := kube.DefaultConfig()
	cfg.Namespace, cfg.Grace = c.ns, time.Second
	cfg.NodeSelector = map[string]string{"stalker-test": c.ns}
	return cfg
}

func spec(id string) launcher.Spec {
	return launcher.Spec{
		Request: pipeline.JobRequest{ID: id, ProjectID: "aaaaaaaaaaaaaaaaaaaaaaaa", Priority: pipeline.PriorityAutomation},
		Job:     pipeline.Job{Name: "J", Type: pipeline.JobCode, Language: "python", Code: "print('hello')", PodSize: "XS"},
		Attempt: 1, Token: "token", Deadline: time.Minute, StartTimeout: 2 * time.Minute, Started: func(time.Time) {},
		Arguments: map[string]json.RawMessage{"targetIp": json.RawMessage(`"127.0.0.1"`), "key": json.RawMessage(`"s3cret"`)}, Secret: []string{"key"},
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func id(i int) string { return fmt.Sprintf("%024x", i) }

func has(s, part string) bool { return strings.Contains(s, part) }
