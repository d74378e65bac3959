package kube_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// TestClusterAFailureSaidToTheGatewayIsTheEnd has pods say that they failed, as the
// gateway passes it on, and exit with 0 right after.
func TestClusterAFailureSaidToTheGatewayIsTheEnd(t *testing.T) {
	c := onCluster(t, tier(t, "A"))
	b := bustest.New(t)
	produce := func(topic, key string, value any) {
		v, err := record.Encode(value)
		if err != nil {
			t.Error(err)
			return
		}
		bustest.Produce(t, b, bus.Record{Topic: topic, Key: []byte(key), Value: v})
	}
	const all = 10
	c.node(func(p *corev1.Pod) corev1.PodStatus {
		execution := p.Labels["stalker.dev/execution"]
		if execution <= id(all/2) {
			produce(bus.TopicStops, execution, pipeline.StopRequest{Report: &pipeline.Report{ExecutionID: execution, Attempt: 1, Detail: "the job said so", At: time.Now()}})
		}
		return succeed(p)
	})
	defer c.life(b, c.runner(settings(c)), all)()
	for i := range all {
		produce(bus.TopicJobs, id(i+1), pipeline.JobRequest{ID: id(i + 1), ProjectID: fmt.Sprintf("%024x", 1), Job: "J", Priority: 1, At: time.Now()})
	}
	ends := map[string]string{}
	eventually(t, "all ends", func() bool {
		for _, r := range bustest.Read(t, b, bus.TopicExecutions) {
			if e, err := record.Decode[pipeline.ExecutionEvent](r.Value); err == nil && e.State.Ended() {
				ends[e.ExecutionID] = fmt.Sprintf("%s %s %s", e.State, e.Reason, e.Detail)
			}
		}
		return len(ends) == all
	})
	for i := range all {
		want := "succeeded  "
		if i < all/2 {
			want = "failed reported the job said so"
		}
		if got := ends[id(i+1)]; got != want {
			t.Errorf("%s: %q, want %q", id(i+1), got, want)
		}
	}
}
