package kube_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/stalker-asm/stalker/sinks/launcher"
)

// TestClusterWhatTheClusterTakesAwayHasItsReason lets the cluster's own controllers
// take a running pod: by an eviction, as a drain asks for it; by a taint that nothing
// may run under; and by its node's end, which the garbage collector notices within
// a minute or two. A node that only falls silent is not ready soon, and its pod stays
// as it is: that is lost when the node has not kept its deadline.
func TestClusterWhatTheClusterTakesAwayHasItsReason(t *testing.T) {
	dir := tier(t, "A")
	for name, tc := range map[string]struct {
		take     func(t *testing.T, c *cluster, n *node)
		deadline time.Duration
		want     string
	}{
		"an eviction":     {evict, 10 * time.Minute, "failed evicted "},
		"a taint":         {taint, 10 * time.Minute, "lost node_lost node node-%s: "},
		"the node off":    {removeNode, 10 * time.Minute, "lost node_lost node node-%s: "},
		"the node silent": {silent, time.Second, "lost node_lost "}, // the cluster's own verdict would come later, and is the same
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := onCluster(t, dir)
			n := c.node(func(*corev1.Pod) corev1.PodStatus { return corev1.PodStatus{} })
			r := c.runner(settings(c))
			s := spec(id(1))
			s.Deadline = tc.deadline
			began := make(chan struct{})
			s.Started = once(began)
			ended := make(chan launcher.Result, 1)
			go func() { ended <- r.Run(t.Context(), s, nothing) }()
			<-began
			tc.take(t, c, n)
			res := <-ended
			want := strings.ReplaceAll(tc.want, "%s", c.ns)
			if got := fmt.Sprintf("%s %s %s", res.State, res.Reason, res.Detail); !strings.HasPrefix(got, want) || got == want {
				t.Errorf("%q, want %q and why", got, want)
			}
			r.Release(t.Context(), s.Request.ID)
		})
	}
}

func evict(t *testing.T, c *cluster, _ *node) {
	t.Helper()
	pods, err := c.client.CoreV1().Pods(c.ns).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 {
		t.Fatalf("%v, %v", pods, err)
	}
	err = c.client.PolicyV1().Evictions(c.ns).Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pods.Items[0].Name, Namespace: c.ns}})
	if err != nil {
		t.Fatal(err)
	}
}

func taint(t *testing.T, c *cluster, n *node) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"spec": corev1.NodeSpec{Taints: []corev1.Taint{{Key: "broken", Effect: corev1.TaintEffectNoExecute}}}})
	if err == nil {
		_, err = c.client.CoreV1().Nodes().Patch(t.Context(), n.name, types.StrategicMergePatchType, body, metav1.PatchOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func removeNode(t *testing.T, c *cluster, n *node) {
	t.Helper()
	if err := c.client.CoreV1().Nodes().Delete(t.Context(), n.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// silent waits until the cluster has noticed, and checks that it left the pod alone.
func silent(t *testing.T, c *cluster, n *node) {
	t.Helper()
	n.silence()
	eventually(t, "the node is not ready", func() bool {
		node, err := c.client.CoreV1().Nodes().Get(t.Context(), n.name, metav1.GetOptions{})
		return err == nil && slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionUnknown
		})
	})
	pods, err := c.client.CoreV1().Pods(c.ns).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 || pods.Items[0].Status.Phase != corev1.PodRunning {
		t.Errorf("its pods: %+v, %v", pods, err)
	}
}
