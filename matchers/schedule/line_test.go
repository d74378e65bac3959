package schedule_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// line is the scheduler's topic, its changelog and a clock, in memory and in one
// goroutine: what is there after a transaction is what a broker would have. Replicas
// lead one after the other; an hour passes when a test says so.
type line struct {
	t       testing.TB
	catalog *fakeCatalog
	stock   schedule.Inventory
	page    int
	now     time.Time

	topic []bus.Record
	state map[string]bus.Record // the changelog, compacted
	jobs  func(q *pipeline.JobRequest)
	most  int // records of one transaction
}

func newLine(t testing.TB, start string, subs ...pipeline.Subscription) *line {
	t.Helper()
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		t.Fatal(err)
	}
	for i := range subs {
		subs[i].UpdatedAt = at
	}
	return &line{t: t, catalog: &fakeCatalog{subs: subs}, stock: inventory{7}, page: 100, now: at, state: map[string]bus.Record{}}
}

// Produce takes what a clock writes.
func (l *line) Produce(_ context.Context, recs []bus.Record) error {
	l.topic = append(l.topic, recs...)
	return nil
}

// replica is a process of the scheduler.
type replica struct {
	*schedule.Scheduler
	line *line
	reg  *prometheus.Registry
}

// start starts a replica that stands by.
func (l *line) start() *replica {
	l.t.Helper()
	cfg := schedule.DefaultConfig()
	cfg.PageSize = l.page
	reg := prometheus.NewRegistry()
	s, err := schedule.New(cfg, schedule.Deps{Catalog: l.catalog, Inventory: l.stock, Producer: l, Log: slog.New(slog.DiscardHandler), Metrics: reg})
	if err != nil {
		l.t.Fatal(err)
	}
	s.SetClock(func() time.Time { return l.now })
	return &replica{s, l, reg}
}

// lead starts a replica that leads.
func (l *line) lead() *replica {
	r := l.start()
	r.takeOver()
	return r
}

func (r *replica) takeOver() {
	for _, key := range slices.Sorted(maps.Keys(r.line.state)) {
		if err := r.Restore(0, r.line.state[key]); err != nil {
			r.line.t.Fatal(err)
		}
	}
	r.Restored(0)
}

func (r *replica) beat() {
	r.line.t.Helper()
	if err := r.Tick(r.line.t.Context()); err != nil {
		r.line.t.Fatal(err)
	}
}

// handle hands over up to n records and returns what commits them. Without that they
// stay where they are, as for a process that died.
func (r *replica) handle(n int) (commit func(), rollback func()) {
	l := r.line
	l.t.Helper()
	batch := slices.Clone(l.topic[:min(n, len(l.topic))])
	out, err := r.Handle(l.t.Context(), batch)
	if err != nil || len(out.Dead) > 0 {
		l.t.Fatal(err, out.Dead)
	}
	l.most = max(l.most, len(out.Records))
	return func() {
		l.topic = l.topic[len(batch):]
		for _, rec := range out.Records {
			l.write(rec)
		}
		out.Commit()
	}, out.Rollback
}

func (l *line) write(rec bus.Record) {
	switch rec.Topic {
	case bus.TopicSchedule:
		l.topic = append(l.topic, rec)
	case bus.TopicScheduleState:
		if rec.Value == nil {
			delete(l.state, string(rec.Key))
		} else {
			l.state[string(rec.Key)] = rec
		}
	case bus.TopicJobs:
		q, err := record.Decode[pipeline.JobRequest](rec.Value)
		if err != nil {
			l.t.Fatal(err)
		}
		l.jobs(&q)
	default:
		l.t.Fatalf("a record for %s", rec.Topic)
	}
}

// drain handles what there is.
func (r *replica) drain() {
	r.line.t.Helper()
	for range 100_000 {
		if len(r.line.topic) == 0 {
			return
		}
		commit, _ := r.handle(5)
		commit()
	}
	r.line.t.Fatal("it never ends")
}

// pass lets time pass in steps, in each of which what is due is done.
func (r *replica) pass(d, step time.Duration) {
	r.line.t.Helper()
	for end := r.line.now.Add(d); r.line.now.Before(end); {
		r.line.now = r.line.now.Add(step)
		r.beat()
		r.drain()
	}
}

// starts gathers when jobs were asked for.
func (l *line) starts() *[]string {
	var list []string
	l.jobs = func(q *pipeline.JobRequest) { list = append(list, q.At.Format("02T15:04:05")) }
	return &list
}

// outcomes is what became of ticks and resources.
func (r *replica) outcomes() map[string]int {
	r.line.t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		r.line.t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		if f.GetName() != "stalker_scheduler_outcomes_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 {
				got[m.GetLabel()[0].GetValue()] = int(v)
			}
		}
	}
	return got
}

// stock is an inventory whose answers a test may change.
type stock struct {
	inventory
	open atomic.Uint64
	down atomic.Int64 // how many questions are not answered
}

func (s *stock) Open(context.Context, string) (uint64, error) {
	if s.down.Add(-1) >= 0 {
		return 0, pipeline.Errorf(pipeline.CodeUnavailable, "down")
	}
	return s.open.Load(), nil
}

func (s *stock) Resources(ctx context.Context, q schedule.Query) (schedule.Page, error) {
	if s.down.Add(-1) >= 0 {
		return schedule.Page{}, pipeline.Errorf(pipeline.CodeUnavailable, "down")
	}
	return s.inventory.Resources(ctx, q)
}
