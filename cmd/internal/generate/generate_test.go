package generate_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/generate"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }

// TestTheStoreHasWhatWasSaid fills a store twice with the same plan: the second time
// changes nothing.
func TestTheStoreHasWhatWasSaid(t *testing.T) {
	s := clickhousetest.Open(t)
	o := generate.Options{Plan: generate.Plan{
		Project: "5f1e0a9b3c7d2e4f6a8b9c0d", Seed: 3, Resources: 500, Findings: 3000,
		Until: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Spread: 24 * time.Hour, Executions: true,
	}}
	for range 2 {
		var done generate.Progress
		o.Progress = func(p generate.Progress) { done = p }
		sink, flush := generate.Store(s)
		if err := generate.Run(t.Context(), o, sink); err != nil {
			t.Fatal(err)
		}
		if err := flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, err := s.Counts(t.Context(), o.Project)
		if err != nil {
			t.Fatal(err)
		}
		if n := c.Domains + c.Hosts + c.Ports + c.Websites; n != uint64(done.Resources) || c.Hosts != uint64(done.Hosts) ||
			c.Findings != uint64(done.Findings) || c.Executions[pipeline.StateSucceeded] != uint64(done.Executions) {
			t.Errorf("the store has %+v, and %+v were said", c, done)
		}
	}
}

// TestARateIsKept: it may take longer than the rate says, and never less.
func TestARateIsKept(t *testing.T) {
	o := generate.Options{Plan: generate.Plan{Project: "5f1e0a9b3c7d2e4f6a8b9c0d", Findings: 100}, Rate: 1000}
	begin, n, largest := time.Now(), 0, 0
	err := generate.Run(t.Context(), o, func(_ context.Context, recs []bus.Record) error {
		n, largest = n+len(recs), max(largest, len(recs))
		return nil
	})
	if err != nil || n < 100 || largest > 100 {
		t.Errorf("%d records, at most %d at once: %v", n, largest, err)
	}
	if took, least := time.Since(begin), time.Duration(n)*time.Millisecond; took < least {
		t.Errorf("%d records at 1000 a second took %s", n, took)
	}
}
