// Package engine matches findings against subscriptions and asks for jobs. It is
// the handler of the matcher's transactions: job requests, derived findings, spent
// triggers and the offsets of the findings are committed together or not at all.
//
// README.md beside this file has the invariants and what happens on each failure.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Config bounds what automation may do.
type Config struct {
	// MaxDepth is how many executions may follow from one another.
	MaxDepth int `yaml:"maxDepth"`
	// CatalogWait bounds how long a batch waits for the control plane it was made with.
	CatalogWait time.Duration `yaml:"catalogWait"`
}

// DefaultConfig allows chains of 16 executions.
func DefaultConfig() Config { return Config{MaxDepth: 16, CatalogWait: 20 * time.Second} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxDepth < 1 {
		errs = append(errs, fmt.Errorf("maxDepth is %d, must be at least 1", c.MaxDepth))
	}
	if c.CatalogWait < time.Second {
		errs = append(errs, fmt.Errorf("catalogWait is %s, must be at least 1s", c.CatalogWait))
	}
	return errors.Join(errs...)
}

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
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Engine decides about findings. Its methods are called by one bus.Transactor.
type Engine struct {
	cfg     Config
	catalog catalog
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time
	rules   atomic.Pointer[compiled]
	parts   map[int32]*partition
}

// compiled is a rule set and the control-plane position it was made from.
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
		cfg: cfg, catalog: d.Catalog, log: d.Log.With("component", "matcher"), metrics: newMetrics(d.Metrics),
		now: time.Now, parts: map[int32]*partition{},
	}
	e.rules.Store(&compiled{set: rule.NewSet(nil, nil), position: -1})
	return e, nil
}

// Broken lists the subscriptions that cannot take part.
func (e *Engine) Broken() []rule.Broken { return e.rules.Load().set.Broken() }

// ruleSet returns the rules of the control plane as it is known now, compiling
// them when it changed.
func (e *Engine) ruleSet() *rule.Set {
	at := e.catalog.Position()
	if c := e.rules.Load(); c.position == at {
		return c.set
	}
	start := e.now()
	set := rule.NewSet(e.catalog.Subscriptions(), func(name string) bool { _, ok := e.catalog.Job(name); return ok })
	e.rules.Store(&compiled{set: set, position: at})
	e.metrics.rules.Set(float64(set.Len()))
	e.metrics.broken.Set(float64(len(set.Broken())))
	e.metrics.compiling.Observe(e.now().Sub(start).Seconds())
	return set
}

// Handle decides about one batch. The state it changes becomes real in Commit.
func (e *Engine) Handle(ctx context.Context, batch []bus.Record) (bus.Outcome, error) {
	var out bus.Outcome
	findings, known := e.decode(batch, &out)
	wait, cancel := context.WithTimeout(ctx, e.cfg.CatalogWait)
	defer cancel()
	if err := e.catalog.WaitFor(wait, known); err != nil {
		return bus.Outcome{}, fmt.Errorf("waiting for the control plane: %w", err)
	}
	set := e.ruleSet()
	touched := map[int32]*partition{}
	for i := range findings {
		in := &findings[i]
		p := e.partition(in.partition)
		touched[in.partition] = p
		e.derive(p, in, &out)
		e.match(set, p, in, &out)
	}
	for n, p := range touched {
		e.expire(n, p, &out)
	}
	out.Commit = func() {
		for _, p := range touched {
			p.commit()
		}
	}
	out.Rollback = func() {
		for _, p := range touched {
			p.rollback()
		}
	}
	return out, nil
}

// input is a decoded finding and where it was read.
type input struct {
	pipeline.Finding
	partition int32
}

func (e *Engine) decode(batch []bus.Record, out *bus.Outcome) (findings []input, known int64) {
	findings = make([]input, 0, len(batch))
	for _, r := range batch {
		f, err := record.DecodeFinding(r.Value)
		if err != nil {
			out.Dead = append(out.Dead, bus.NewDeadLetter(r, err))
			continue
		}
		known = max(known, f.Control)
		findings = append(findings, input{f, r.Partition})
	}
	e.metrics.findings.Add(float64(len(findings)))
	return findings, known
}

// match runs every candidate through the stages. One rule never affects another.
func (e *Engine) match(set *rule.Set, p *partition, in *input, out *bus.Outcome) {
	everywhere, project := set.Candidates(&in.Finding)
	for _, list := range [2][]*rule.Rule{everywhere, project} {
		for _, r := range list {
			d := e.decide(p, r, &in.Finding)
			e.metrics.verdict(d.Stage, d.Reason)
			if d.Reason == Fired {
				e.fire(p, d, in, out)
			}
		}
	}
}

// fire adds the request and the spent trigger to the transaction.
func (e *Engine) fire(p *partition, d Decision, in *input, out *bus.Outcome) {
	v, err := record.Encode(d.Request)
	if err != nil { // arguments are JSON already; nothing else can fail
		e.log.Error("job request cannot be written", "subscription", d.Rule.ID, "err", err)
		return
	}
	out.Records = append(out.Records, bus.Record{Topic: bus.TopicJobs, Key: []byte(d.Request.ID), Value: v, Time: e.now()})
	entry := p.spend(d.trigger, d.Request.At, d.Rule.Cooldown)
	out.Records = append(out.Records, triggerRecord(in.partition, d.trigger, &entry))
	e.metrics.requests.Inc()
}
