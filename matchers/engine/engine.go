// Package engine matches findings against subscriptions and asks for jobs. It is
// the handler of the matcher's transactions: job requests, derived findings, spent
// triggers and the offsets of the findings are committed together or not at all.
//
// README.md beside this file has the invariants and what happens on each failure.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// catalog is the control plane as this process knows it.
type catalog interface {
	WaitFor(ctx context.Context, position int64) error
	Project(id string) (pipeline.Project, bool)
	Job(name string) (pipeline.Job, bool)
	Subscriptions() []pipeline.Subscription
	Position() int64
}

// Deps is what the engine needs.
type Deps struct {
	Catalog catalog
	Marks   *Marks // nil keeps automation away from nothing
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Tracer  *trace.Tracer
}

// Engine decides about findings. The methods of bus.TxHandler are called by one
// Transactor; the others may be called by anybody.
type Engine struct {
	cfg     Config
	catalog catalog
	marks   *Marks
	log     *slog.Logger
	metrics *metrics
	tracer  *trace.Tracer
	now     func() time.Time
	rules   atomic.Pointer[compiled]

	mu     sync.Mutex // guards parts and what they hold
	parts  map[int32]*partition
	bounds bounds
}

// compiled is a rule set and the control-plane position it knows at least.
type compiled struct {
	set      *rule.Set
	position int64
}

var _ bus.TxHandler = (*Engine)(nil)

// New checks the configuration.
func New(cfg Config, d Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("matcher config: %w", err)
	}
	e := &Engine{
		cfg: cfg, catalog: d.Catalog, marks: d.Marks, log: d.Log.With("component", "matcher"), metrics: newMetrics(d.Metrics), tracer: d.Tracer,
		now: time.Now, parts: map[int32]*partition{},
	}
	e.rules.Store(&compiled{set: rule.NewSet(nil, nil), position: -1})
	return e, nil
}

// Broken lists the subscriptions that cannot take part, and why.
func (e *Engine) Broken() []rule.Broken { return e.ruleSet().set.Broken() }

// ruleSet returns the rules of the control plane as it is known now, compiling what
// changed. The position is read before the subscriptions, so the set is never older
// than it says.
func (e *Engine) ruleSet() *compiled {
	at := e.catalog.Position()
	was := e.rules.Load()
	if was.position == at {
		return was
	}
	start := e.now()
	set := was.set.Update(e.catalog.Subscriptions(), func(name string) bool { _, ok := e.catalog.Job(name); return ok })
	c := &compiled{set: set, position: at}
	e.rules.Store(c)
	e.metrics.rules.Set(float64(set.Len()))
	e.metrics.unindexed.Set(float64(set.Unindexed()))
	e.metrics.broken.Set(float64(len(set.Broken())))
	e.metrics.compiling.Observe(e.now().Sub(start).Seconds())
	return c
}

// Handle decides about one batch. The state it changes becomes real in Commit.
func (e *Engine) Handle(ctx context.Context, records []bus.Record) (bus.Outcome, error) {
	b := &batch{engine: e, touched: map[int32]*partition{}}
	findings, known := b.decode(records)
	wait, cancel := context.WithTimeout(ctx, e.cfg.CatalogWait)
	defer cancel()
	if err := e.catalog.WaitFor(wait, known); err != nil {
		return bus.Outcome{}, fmt.Errorf("waiting for the control plane: %w", err)
	}
	b.rules = e.ruleSet()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range findings {
		b.derive(&findings[i])
		b.match(&findings[i])
	}
	b.expire()
	b.out.Commit, b.out.Rollback = b.commit, b.rollback
	return b.out, nil
}

// batch is what becomes of the findings of one transaction.
type batch struct {
	engine  *Engine
	rules   *compiled
	touched map[int32]*partition
	found   []*rule.Rule // of the finding in hand
	noted   []pipeline.Verdict
	written int // findings of which verdicts were recorded
	out     bus.Outcome
}

// input is a decoded finding and the state of the partition it was read from.
type input struct {
	pipeline.Finding
	partition int32
	state     *partition
	said      time.Time // when it came onto the bus
	trace     string    // the span it came from, "" when that is not followed
}

// decode reads the findings, and the control-plane position they were made with.
func (b *batch) decode(records []bus.Record) (findings []input, known int64) {
	findings = make([]input, 0, len(records))
	for _, r := range records {
		f, err := record.DecodeFinding(r.Value)
		if err != nil {
			b.out.Dead = append(b.out.Dead, bus.NewDeadLetter(r, err))
			continue
		}
		known = max(known, f.Control)
		findings = append(findings, input{Finding: f, partition: r.Partition, said: r.Time, trace: r.Headers[trace.Header]})
	}
	b.engine.metrics.findings.Add(float64(len(findings)))
	return findings, known
}

// state returns the state a finding is judged on.
func (b *batch) state(in *input) *partition {
	if in.state == nil {
		in.state = b.engine.partition(in.partition)
		b.touched[in.partition] = in.state
	}
	return in.state
}

// match runs every candidate through the stages. One rule never affects another.
func (b *batch) match(in *input) {
	b.found = b.rules.set.Candidates(&in.Finding, b.found[:0])
	if len(b.found) == 0 {
		return
	}
	c := candidate{engine: b.engine, finding: &in.Finding, state: b.state(in), control: b.rules.position}
	for _, c.rule = range b.found {
		stage, reason := c.judge()
		b.engine.metrics.verdicts[reason].Inc()
		b.note(&c, stage, reason)
		if reason == Fired {
			b.fire(in, &c)
		}
	}
	b.record(&in.Finding)
}

// fire adds the request and the spent trigger to the transaction.
func (b *batch) fire(in *input, c *candidate) {
	q := c.request()
	v, err := record.Encode(q)
	if err != nil { // arguments are JSON already; nothing else can fail
		b.engine.log.Error("job request cannot be written", "subscription", c.rule.ID, "err", err)
		return
	}
	b.add(bus.Record{Topic: bus.TopicJobs, Key: []byte(q.ID), Value: v, Time: q.At, Headers: b.engine.follow(in, &q)})
	entry := in.state.spend(c)
	b.add(triggerRecord(in.partition, c.trigger, &entry))
	in.state.charge(c)
	b.engine.metrics.requests.Inc()
}

// followed are the headers of what follows from a finding without a job.
func (in *input) followed() map[string]string {
	if in.trace == "" {
		return nil
	}
	return map[string]string{trace.Header: in.trace}
}

// follow are the headers of a request that a finding gave rise to: none, unless the
// finding's trace is followed. The span begins when the finding came onto the bus, so
// that it shows how long that waited.
func (e *Engine) follow(in *input, q *pipeline.JobRequest) map[string]string {
	if in.trace == "" || e.tracer == nil {
		return nil
	}
	ctx, span := e.tracer.Start(trace.Below(context.Background(), in.trace), "match "+q.Cause.SubscriptionName, in.said,
		"subscription", q.Cause.SubscriptionID, "finding", q.Cause.FindingID, "execution", q.ID)
	span.End(nil)
	return map[string]string{trace.Header: trace.Of(ctx)}
}

// expire forgets triggers and counts that no longer matter: always more than the
// batch made, so they never pile up, and never so many that the batch is late. It
// writes down what became of the counts.
func (b *batch) expire() {
	for n, p := range b.touched {
		for _, trigger := range p.triggers.Expire(b.engine.now(), 1000+2*p.triggers.Pending()) {
			b.add(triggerRecord(n, trigger, nil))
		}
		for _, t := range []*tallies{p.roots, p.targets} {
			keep := keepRoots
			if t == p.targets {
				keep = b.engine.cfg.TargetWindow
			}
			t.expire(b.engine.now().Add(-keep))
			b.out.Records = append(b.out.Records, t.records(n)...)
		}
	}
}

func (b *batch) add(r bus.Record) { b.out.Records = append(b.out.Records, r) }

func (b *batch) commit() {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	for n, p := range b.touched {
		p.commit()
		b.engine.metrics.remember(n, p)
	}
}

func (b *batch) rollback() {
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	for _, p := range b.touched {
		p.rollback()
	}
}
