package kube_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// wire is the way from a launcher to the API server, which a test can cut.
type wire struct {
	l  net.Listener
	to string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

// wireTo makes a way to the API server; the returned configuration goes along it.
func (c *cluster) wireTo(rights *rest.Config) (*wire, *rest.Config) {
	c.t.Helper()
	u, err := url.Parse(rights.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	w := &wire{l: l, to: u.Host}
	var work sync.WaitGroup
	work.Go(func() { w.carry(&work) })
	c.t.Cleanup(func() {
		_ = l.Close()
		w.cut(true)
		work.Wait()
	})
	along := rest.CopyConfig(rights)
	along.Host = "https://" + l.Addr().String()
	return w, along
}

func (w *wire) carry(work *sync.WaitGroup) {
	for {
		in, err := w.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", w.to)
		w.mu.Lock()
		if w.down || err != nil {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			w.mu.Unlock()
			continue
		}
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			work.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_, _ = pair[0].Close(), pair[1].Close()
			})
		}
	}
}

// cut takes the way down, or lets it be used again.
func (w *wire) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// TestClusterNothingIsMissedWhileTheWayIsCut lets executions end, succeed and be
// deleted while the launcher cannot reach the API server.
func TestClusterNothingIsMissedWhileTheWayIsCut(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	end := make(chan struct{})
	c.node(func(p *corev1.Pod) corev1.PodStatus {
		<-end
		return map[string]corev1.PodStatus{"fails": exited(4, "Error", "")}[p.Annotations["stalker.dev/job"]]
	})
	c.limited = c.launcherRights()
	way, along := c.wireTo(c.limited)
	r := c.runnerAt(along, settings(c))
	want := map[string]string{
		"fails": "failed exit_code exit code 4", "pod deleted": "failed deleted", "job deleted": "failed deleted", "created meanwhile": "failed deleted",
	}
	results := make(chan string, len(want))
	run := func(i int, name string, began func()) {
		s := spec(id(i))
		s.Job.Name = name
		s.Started = onceDo(began)
		go func() {
			res := r.Run(t.Context(), s, nothing)
			results <- fmt.Sprintf("%s: %s %s %s", name, res.State, res.Reason, res.Detail)
		}()
	}
	var began sync.WaitGroup
	began.Add(3)
	for i, name := range []string{"fails", "pod deleted", "job deleted"} {
		run(i+1, name, began.Done)
	}
	began.Wait()

	way.cut(true)
	started := make(chan struct{})
	run(4, "created meanwhile", func() { close(started) })
	close(end)
	eventually(t, "one ended while nobody looked", func() bool {
		j, err := c.client.BatchV1().Jobs(c.ns).Get(t.Context(), "stalker-"+id(1), metav1.GetOptions{})
		return err == nil && j.Status.Failed == 1
	})
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0)), PropagationPolicy: new(metav1.DeletePropagationBackground)}
	if err := c.client.CoreV1().Pods(c.ns).DeleteCollection(t.Context(), now, metav1.ListOptions{LabelSelector: "stalker.dev/execution=" + id(2)}); err != nil {
		t.Fatal(err)
	}
	if err := c.client.BatchV1().Jobs(c.ns).Delete(t.Context(), "stalker-"+id(3), now); err != nil {
		t.Fatal(err)
	}
	way.cut(false)

	<-started // it was created once that was possible
	if err := c.client.BatchV1().Jobs(c.ns).Delete(t.Context(), "stalker-"+id(4), now); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range want {
		got = append(got, <-results)
	}
	for name, text := range want {
		if !slices.ContainsFunc(got, func(s string) bool { return has(s, name+": "+text) }) {
			t.Errorf("%s: want %s, got %q", name, text, got)
		}
	}
}

// TestClusterLogsAreWhole reads a log whose streams break, twice: as the launcher
// that started the pod, and as the next one.
func TestClusterLogsAreWhole(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	const lines = 3000
	half, rest, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var n *node
	ready := make(chan struct{})
	play := func(p *corev1.Pod) corev1.PodStatus {
		<-ready
		log := n.kubelet.log(p.Name)
		for i := range lines {
			if i == lines/2 {
				close(half)
				<-rest
			}
			log.print(fmt.Sprintf("line %d\n", i))
		}
		<-end
		log.print("the last word")
		return succeed(p)
	}
	n = c.node(play)
	n.kubelet.limit, n.kubelet.cuts = 1000, 4
	close(ready)
	var mu sync.Mutex
	read := func(into *[]string) func(pipeline.Stream, string) {
		return func(_ pipeline.Stream, text string) {
			mu.Lock()
			defer mu.Unlock()
			*into = append(*into, text)
		}
	}
	count := func(of *[]string) int { mu.Lock(); defer mu.Unlock(); return len(*of) }
	var first, second []string
	ctx, stop := context.WithCancel(t.Context())
	detached := make(chan launcher.Result, 1)
	r := c.runner(settings(c))
	go func() { detached <- r.Run(ctx, spec(id(1)), read(&first)) }()
	<-half
	eventually(t, "half of the log was read", func() bool { return count(&first) >= lines/2 })
	stop()
	if res := <-detached; !res.Detached {
		t.Fatalf("when the launcher ends: %+v", res)
	}
	result := make(chan launcher.Result, 1)
	r = c.runner(settings(c))
	go func() { result <- r.Run(t.Context(), spec(id(1)), read(&second)) }()
	eventually(t, "the next launcher reads", func() bool { return count(&second) > 0 })
	close(rest)
	eventually(t, "all lines", func() bool { return count(&second) >= lines })
	close(end)
	if res := <-result; res.State != pipeline.StateSucceeded {
		t.Fatalf("%+v", res)
	}
	if n.kubelet.cuts > 0 {
		t.Fatalf("%d streams did not break: this test proves less than it says", n.kubelet.cuts)
	}
	if n := len(second); n != lines+1 || second[lines] != "the last word" {
		t.Fatalf("%d lines, the last %q", n, second[n-1])
	}
	for i, text := range second[:lines] {
		if text != fmt.Sprintf("line %d", i) || i < lines/2 && first[i] != text {
			t.Fatalf("line %d is %q", i, text)
		}
	}
}

// TestClusterLogsAreWaitedFor: a log that cannot be had for a while is had later, and
// one that is gone fails a job whose findings it was.
func TestClusterLogsAreWaitedFor(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	var n *node
	ready := make(chan struct{})
	n = c.node(func(p *corev1.Pod) corev1.PodStatus {
		<-ready
		n.kubelet.log(p.Name).print("a finding\n")
		return succeed(p)
	})
	close(ready)
	r := c.runner(settings(c))
	run := func(k int, j pipeline.JobType) (res launcher.Result, lines int) {
		s := spec(id(k))
		if s.Job.Type = j; j == pipeline.JobContainer {
			s.Job.Image, s.Job.Command = "x", []string{"x"}
		}
		res = r.Run(t.Context(), s, func(pipeline.Stream, string) { lines++ })
		return res, lines
	}
	n.kubelet.refuse(6, http.StatusServiceUnavailable)
	if res, lines := run(1, pipeline.JobContainer); res.State != pipeline.StateSucceeded || lines != 1 {
		t.Errorf("after a while: %+v, %d lines", res, lines)
	}
	n.kubelet.refuse(1_000, http.StatusNotFound)
	if res, lines := run(2, pipeline.JobContainer); res.State != pipeline.StateFailed || res.Reason != pipeline.ReasonUnsaid || lines != 0 {
		t.Errorf("findings that are gone: %+v, %d lines", res, lines)
	}
	if res, lines := run(3, pipeline.JobCode); res.State != pipeline.StateSucceeded || !has(res.Detail, "log") || lines != 0 {
		t.Errorf("a log that is gone: %+v, %d lines", res, lines)
	}
}
