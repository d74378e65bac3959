package kube_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// runner makes a runner with the launcher's own rights and has it watch.
func (c *cluster) runner(cfg kube.Config) *kube.Runner {
	c.t.Helper()
	if c.limited == nil {
		c.limited = c.launcherRights()
	}
	return c.runnerAt(c.limited, cfg)
}

func (c *cluster) runnerAt(at *rest.Config, cfg kube.Config) *kube.Runner {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(at)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.runnerWith(client, cfg)
}

func (c *cluster) runnerWith(client kubernetes.Interface, cfg kube.Config) *kube.Runner {
	c.t.Helper()
	r, err := kube.New(cfg, kube.Deps{Client: client, Gateway: "http://127.0.0.1:1/gateway/v1", SDK: sdk, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		c.t.Fatal(err)
	}
	bustest.Run(c.t, "runner", r.Watch)
	return r
}

// once closes a channel at the first of several calls.
func once(c chan struct{}) func(time.Time) { return onceDo(func() { close(c) }) }

func onceDo(fn func()) func(time.Time) {
	f := sync.OnceFunc(fn)
	return func(time.Time) { f() }
}

func nothing(pipeline.Stream, string) {}

func TestClusterEveryEndHasItsReason(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	plays := map[string]corev1.PodStatus{
		"success":  exited(0, "Completed", ""),
		"failure":  exited(3, "Error", ""),
		"signal":   exited(137, "Error", ""),
		"reported": exited(1, "Error", `{"status": "failed", "message": "no such host"}`),
		"memory":   exited(137, "OOMKilled", ""),
		"start":    exited(128, "StartError", `exec: "python3": executable file not found`),
		"image":    status(corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}),
		"name":     status(corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "InvalidImageName", Message: "bad name"}}),
		"evicted":  {Phase: corev1.PodFailed, Reason: "Evicted", Message: "the node was low on memory"},
		"deadline": {Phase: corev1.PodFailed, Reason: "DeadlineExceeded"},
		"lost": {Phase: corev1.PodFailed, Conditions: []corev1.PodCondition{{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByPodGC", Message: "the node is gone",
		}}},
		"pod deleted": {}, "job deleted": {}, "pending": status(corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}),
	}
	names := []string{}
	for n := range plays {
		names = append(names, n)
	}
	slices.Sort(names)
	c.node(func(p *corev1.Pod) corev1.PodStatus { return plays[p.Annotations["stalker.dev/job"]] })
	cfg := settings(c)
	cfg.ImageTimeout = 2 * time.Second
	r := c.runner(cfg)
	want := map[string]string{
		"success": "succeeded  ", "failure": "failed exit_code exit code 3", "signal": "failed exit_code exit code 137: killed by signal 9",
		"reported": "failed reported no such host", "memory": "failed out_of_memory it used more than 50Mi of memory",
		"start": `failed start_failed exec: "python3": executable file not found`,
		"image": "failed image_pull ImagePullBackOff: no such image", "name": "failed image_pull InvalidImageName: bad name",
		"evicted": "failed evicted Evicted: the node was low on memory", "deadline": "timed_out deadline it ran longer than 1m0s",
		"lost": "lost node_lost node node-" + c.ns + ": the node is gone", "pod deleted": "failed deleted somebody deleted its pod",
		"job deleted": "failed deleted somebody deleted its Kubernetes Job",
		"pending":     "failed start_failed it did not start within 3s: ContainerCreating",
	}
	var all sync.WaitGroup
	for i, name := range names {
		s := spec(id(i + 1))
		s.Job.Name = name
		began := make(chan struct{})
		s.Started = once(began)
		if name == "pending" {
			s.StartTimeout = 3 * time.Second
		}
		all.Go(func() {
			res := r.Run(t.Context(), s, nothing)
			if got := fmt.Sprintf("%s %s %s", res.State, res.Reason, res.Detail); got != want[name] {
				t.Errorf("%s: %q, want %q", name, got, want[name])
			}
			r.Release(t.Context(), s.Request.ID)
		})
		switch name {
		case "pod deleted":
			<-began
			_ = c.client.CoreV1().Pods(c.ns).DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, metav1.ListOptions{LabelSelector: "stalker.dev/execution=" + s.Request.ID})
		case "job deleted":
			<-began
			_ = c.client.BatchV1().Jobs(c.ns).Delete(t.Context(), "stalker-"+s.Request.ID, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
		}
	}
	all.Wait()
	eventually(t, "Jobs, pods and Secrets are gone", func() bool {
		jobs, err1 := c.client.BatchV1().Jobs(c.ns).List(t.Context(), metav1.ListOptions{})
		pods, err2 := c.client.CoreV1().Pods(c.ns).List(t.Context(), metav1.ListOptions{})
		secrets, err3 := c.client.CoreV1().Secrets(c.ns).List(t.Context(), metav1.ListOptions{})
		return err1 == nil && err2 == nil && err3 == nil && len(jobs.Items)+len(pods.Items)+len(secrets.Items) == 0
	})
}

func TestClusterAFullQuotaDelaysAndPodSecurityRefuses(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	quota, err := c.client.CoreV1().ResourceQuotas(c.ns).Create(t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "q"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"limits.cpu": resource.MustParse("160m"), "limits.memory": resource.MustParse("10Gi")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the quota counts", func() bool {
		q, err := c.client.CoreV1().ResourceQuotas(c.ns).Get(t.Context(), quota.Name, metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) > 0
	})
	end := make(chan struct{})
	c.node(func(p *corev1.Pod) corev1.PodStatus {
		<-end
		return succeed(p)
	})
	cfg := settings(c)
	cfg.RawSockets = true
	r := c.runner(cfg)
	small, large := &pipeline.Job{PodSize: "XS"}, &pipeline.Job{PodSize: "XXL"}
	reserve := func(id string, j *pipeline.Job) bool { _, _, ok := r.Reserve(id, j); return ok }
	eventually(t, "the cluster is known", func() bool {
		_, release, ok := r.Reserve("x", small)
		if ok {
			release()
		}
		return ok
	})
	if reserve("x", large) {
		t.Error("room for more than the quota has")
	}
	ids := []string{id(1), id(2), id(3)}
	for i, want := range []bool{true, true, true, false} { // 3 × 50m fit into 160m
		if i == 3 {
			ids = append(ids, id(4))
		}
		if got := reserve(ids[i], small); got != want {
			t.Fatalf("room for number %d: %v, want %v", i+1, got, want)
		}
	}
	var all sync.WaitGroup
	for _, n := range ids[:3] {
		all.Go(func() {
			if res := r.Run(t.Context(), spec(n), nothing); res.State != pipeline.StateSucceeded {
				t.Errorf("%s: %+v", n, res)
			}
		})
	}
	eventually(t, "three pods", func() bool {
		q, err := c.client.CoreV1().ResourceQuotas(c.ns).Get(t.Context(), quota.Name, metav1.GetOptions{})
		used := q.Status.Used["limits.cpu"]
		return err == nil && used.Cmp(resource.MustParse("150m")) == 0
	})
	if reserve(ids[3], small) {
		t.Error("there is room for a fourth beside three that run")
	}
	// one that is created although the quota is full, as when somebody else was faster
	s := spec(ids[3])
	s.StartTimeout = 8 * time.Second
	if res := r.Run(t.Context(), s, nothing); res.Reason != pipeline.ReasonQuota || !has(res.Detail, "exceeded quota") {
		t.Errorf("beyond the quota: %+v", res)
	}
	r.Release(t.Context(), ids[3])
	close(end)
	all.Wait()
	eventually(t, "room again", func() bool {
		select {
		case <-r.Freed():
		default:
		}
		return reserve(id(5), small)
	})
	s = spec(id(6))
	s.Job.RawSockets = true
	if res := r.Run(t.Context(), s, nothing); res.Reason != pipeline.ReasonForbidden || !has(res.Detail, "violates PodSecurity") {
		t.Errorf("raw sockets in a restricted namespace: %+v", res)
	}
}

func TestClusterStopAndDetach(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	c.node(func(*corev1.Pod) corev1.PodStatus { return corev1.PodStatus{} }) // runs for ever
	r := c.runner(settings(c))
	run := func(r *kube.Runner) (end func(cause error) launcher.Result, began chan struct{}) {
		ctx, cancel := context.WithCancelCause(t.Context())
		began, res := make(chan struct{}), make(chan launcher.Result, 1)
		s := spec(id(1))
		s.Started = once(began)
		go func() { res <- r.Run(ctx, s, nothing) }()
		return func(cause error) launcher.Result { cancel(cause); return <-res }, began
	}
	end, began := run(r)
	<-began
	if res := end(nil); !res.Detached {
		t.Fatalf("when the launcher ends: %+v", res)
	}
	next := c.runner(settings(c))
	if n, held := next.Holds(t.Context(), id(1)); !held || n != 1 {
		t.Fatalf("the next launcher holds attempt %d, %v", n, held)
	}
	end, began = run(next)
	<-began
	if res := end(launcher.ErrStopped); res.State != pipeline.StateStopped || res.Reason != pipeline.ReasonPerson {
		t.Errorf("when a person stops it: %+v", res)
	}
	eventually(t, "its Job is gone", func() bool { _, held := next.Holds(t.Context(), id(1)); return !held })
}

type plane struct{ catalogue map[string]pipeline.Job }

func (plane) WaitFor(context.Context, int64) error          { return nil }
func (plane) Position() int64                               { return 1 }
func (plane) Secret(string, string) (pipeline.Secret, bool) { return pipeline.Secret{}, false }
func (plane) Project(id string) (pipeline.Project, bool)    { return pipeline.Project{ID: id}, true }

func (p plane) Job(name string) (j pipeline.Job, ok bool) { j, ok = p.catalogue[name]; return j, ok }

// life starts a launcher with its queue; the returned function stops both in order.
func (c *cluster) life(b *bus.Bus, r launcher.Runner, concurrency int) func() {
	c.t.Helper()
	p, err := b.Producer()
	if err != nil {
		c.t.Fatal(err)
	}
	minter, err := jobtoken.NewMinter(bytes.Repeat([]byte{1}, jobtoken.KeyLen))
	if err != nil {
		c.t.Fatal(err)
	}
	cfg := launcher.DefaultConfig()
	cfg.Concurrency = concurrency
	var stops *bus.Tail
	l, err := launcher.New(cfg, launcher.Deps{
		Runner: r, Catalog: plane{map[string]pipeline.Job{"J": spec("").Job}}, Producer: p, Tokens: minter,
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		Heard: func(ctx context.Context) error { return stops.CaughtUp(ctx) },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	stops = b.Tail(bus.TopicStops, l.Stop)
	stopTail := bustest.Run(c.t, "stops", stops.Run)
	stopRun := bustest.Run(c.t, "launcher", l.Run)
	stopQueue := bustest.Run(c.t, "queue", b.Queue(bus.QueueConfig{Group: bus.GroupLauncher, Topic: bus.TopicJobs, History: bus.TopicExecutions}, l).Run)
	return func() { stopRun(); stopQueue(); stopTail(); p.Close() }
}

// TestClusterNothingIsLostOrDoubled queues 2,000 executions at concurrency 100 and
// restarts the launcher and the API server while they run.
func TestClusterNothingIsLostOrDoubled(t *testing.T) {
	const all, concurrency = 2000, 100
	c := onCluster(t, tier(t, "A"))
	var ended sync.Map
	kubelet, up := (*kubelet)(nil), make(chan struct{})
	n := c.node(func(p *corev1.Pod) corev1.PodStatus {
		<-up
		kubelet.log(p.Name).print("done\n")
		ended.Store(p.Labels["stalker.dev/execution"], true)
		return succeed(p)
	})
	kubelet = n.kubelet
	close(up)
	b := bustest.New(t)
	recs := make([]bus.Record, all)
	for i := range recs {
		v, err := record.Encode(pipeline.JobRequest{ID: id(i + 1), ProjectID: fmt.Sprintf("%024x", i%7), Job: "J", Priority: 1 + i%3, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		recs[i] = bus.Record{Topic: bus.TopicJobs, Key: []byte(id(i + 1)), Value: v}
	}
	bustest.Produce(t, b, recs...)
	done := func() int { k := 0; ended.Range(func(any, any) bool { k++; return true }); return k }
	start := time.Now()
	stop := c.life(b, c.runner(settings(c)), concurrency)
	eventually(t, "a third ran", func() bool { return done() > all/3 })
	t.Logf("%d ran in %s", done(), time.Since(start).Round(time.Second))
	stop() // in mid-flight; what runs goes on
	stop = c.life(b, c.runner(settings(c)), concurrency)
	eventually(t, "two thirds ran", func() bool { return done() > 2*all/3 })
	c.kubectl("restart", c.dir)
	ends := func() map[string][]pipeline.State {
		got := map[string][]pipeline.State{}
		for _, r := range bustest.Read(t, b, bus.TopicExecutions) {
			e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if e.State.Ended() {
				got[e.ExecutionID] = append(got[e.ExecutionID], e.State)
			}
		}
		return got
	}
	eventually(t, "all ended", func() bool { return done() >= all && len(ends()) == all })
	t.Logf("%d executions in %s", all, time.Since(start).Round(time.Second))
	stop()
	said := ends()
	for i := range all {
		if got := said[id(i+1)]; len(got) != 1 || got[0] != pipeline.StateSucceeded {
			t.Errorf("execution %d ended %v", i, got)
			break
		}
	}
	printed := map[string]bool{}
	for _, r := range bustest.Read(t, b, bus.TopicLogs) {
		if l, err := record.Decode[pipeline.LogLine](r.Value); err == nil && l.Stream == pipeline.StreamStdout && l.Seq == 1 && l.Text == "done" {
			printed[l.ExecutionID] = true
		}
	}
	if len(printed) != all {
		t.Errorf("the logs of %d executions were kept, of %d", len(printed), all)
	}
	for e, times := range n.times() {
		if times != 1 {
			t.Errorf("execution %s ran %d times", e, times)
		}
	}
}
