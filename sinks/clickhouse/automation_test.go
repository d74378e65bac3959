package clickhouse_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestWhatTheSchedulerAsks(t *testing.T) {
	s := clickhousetest.Open(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	finding := func(id, project, key, target string, age time.Duration) rows.Finding {
		return rows.Finding{ID: id, ProjectID: project, Key: key, CorrelationKey: target, At: now.Add(-age).UnixMilli(), Mask: -1, SSL: -1, Fields: "[]"}
	}
	execution := func(id, sub string, state pipeline.State) []rows.Execution {
		q, _ := json.Marshal(pipeline.JobRequest{ID: id, ProjectID: "p-sched", Cause: pipeline.Cause{SubscriptionID: sub}})
		return []rows.Execution{
			{ProjectID: "p-sched", ID: id, Job: "J", Request: string(q), QueuedAt: now.UnixMilli(), Current: rows.State{State: "queued"}},
			{ProjectID: "p-sched", ID: id, QueuedAt: now.UnixMilli(), Current: rows.State{Attempt: 1, Rank: uint8(state.Rank()), State: string(state)}},
		}
	}
	b := &rows.Batch{
		Findings: []rows.Finding{
			finding("1", "p-sched", "Shot", "a", time.Hour), finding("2", "p", "Shot", "b", 48*time.Hour), finding("3", "p", "Other", "c", time.Hour),
			finding("4", "q-sched", "Shot", "d", time.Hour),
		},
		Links: []rows.Link{{ProjectID: "p-sched", Domain: "x.test", Addr: netip.MustParseAddr("192.0.2.1"), First: 1, Last: now.UnixMilli()}},
	}
	for _, e := range [][]rows.Execution{
		execution("e1", "s", pipeline.StateRunning), execution("e2", "s", pipeline.StateSucceeded), execution("e3", "other", pipeline.StateQueued),
		execution("e4", "s", pipeline.StateQueued),
	} {
		b.Executions = append(b.Executions, e...)
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	have, err := s.Fresh(t.Context(), "p-sched", "Shot", now.Add(-24*time.Hour), []string{"a", "b", "c", "d", "e"})
	if d := cmp.Diff(have, map[string]bool{"a": true}); d != "" || err != nil {
		t.Errorf("Fresh() (-got +want): %v\n%s", err, d)
	}
	if n, err := s.OpenOf(t.Context(), "s"); n != 2 || err != nil {
		t.Errorf("OpenOf() = %d, %v, want 2", n, err)
	}
	names, err := s.NamesOf(t.Context(), "p-sched", []string{"192.0.2.1", "192.0.2.2"})
	if d := cmp.Diff(names, map[string][]string{"192.0.2.1": {"x.test"}}); d != "" || err != nil {
		t.Errorf("NamesOf() (-got +want): %v\n%s", err, d)
	}
}
