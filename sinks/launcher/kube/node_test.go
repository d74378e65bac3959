package kube_test

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	coordv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	watchtools "k8s.io/client-go/tools/watch"
)

// node plays a node and its kubelet: what is scheduled to it runs for a moment and
// ends as play says.
type node struct {
	c    *cluster
	name string
	play func(p *corev1.Pod) corev1.PodStatus // nil status phase leaves the pod pending

	kubelet *kubelet // what serves the logs of its pods
	silence func()   // from then on it says and does nothing, as when its power is cut

	hands sync.WaitGroup
	room  chan struct{} // one token per pod in hand

	mu    sync.Mutex
	taken map[types.UID]bool
	ran   map[string]int // pods by execution
}

func (c *cluster) node(play func(*corev1.Pod) corev1.PodStatus) *node {
	c.t.Helper()
	n := &node{
		c: c, name: "node-" + c.ns, play: play, kubelet: c.kubelet(), ran: map[string]int{}, taken: map[types.UID]bool{}, room: make(chan struct{}, 200),
	}
	room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000"), corev1.ResourceMemory: resource.MustParse("1000Gi"), corev1.ResourcePods: resource.MustParse("10000")}
	_, err := c.client.CoreV1().Nodes().Create(c.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: map[string]string{"stalker-test": c.ns}}}, metav1.CreateOptions{})
	if err == nil {
		body, _ := json.Marshal(map[string]any{"status": corev1.NodeStatus{
			Capacity: room, Allocatable: room,
			Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: n.kubelet.port}},
			Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}},
		}})
		_, err = c.client.CoreV1().Nodes().Patch(c.t.Context(), n.name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
	}
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.silence = cancel
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
		n.kubelet.log(p.Name).end()
		_ = pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	case n.take(p):
		n.room <- struct{}{}
		n.hands.Go(func() {
			defer func() { <-n.room }()
			n.status(ctx, p, running())
			if s := n.play(p); s.Phase != "" {
				n.kubelet.log(p.Name).end()
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
	for range 3000 { // the API server may be away for a while
		_, err := n.c.client.CoreV1().Pods(n.c.ns).Patch(ctx, p.Name, types.StrategicMergePatchType, body, metav1.PatchOptions{}, "status")
		if err == nil || ctx.Err() != nil || apierrors.IsNotFound(err) {
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
