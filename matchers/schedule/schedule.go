// Package schedule starts jobs when their time has come: cron subscriptions, once
// for each project or for each resource of an input, and reconcile subscriptions,
// for each resource of which something is not known, or not lately.
//
// Everything goes over one topic with one partition. A clock, which runs in every
// replica and works in the one that owns the partition, writes down which tick is
// due. The Transactor's handler takes a tick, or one page of its resources, and
// commits the job requests, the next page to look at, and what it remembers
// together with the offset. So there is one leader without an election of our own,
// a crash repeats at most the page in hand and gives the same execution ids, and
// millions of resources pass through in pages of bounded size.
//
// README.md beside this file has the invariants.
package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// catalog is the control plane as this process knows it.
type catalog interface {
	Project(id string) (pipeline.Project, bool)
	Projects() []pipeline.Project
	Job(name string) (pipeline.Job, bool)
	Subscriptions() []pipeline.Subscription
	Position() int64
}

// Inventory reads what is known of resources.
type Inventory interface {
	// Resources returns one page of an input, in an order that does not change.
	Resources(ctx context.Context, q Query) (Page, error)
	// Fresh returns which of the resources have a finding with the key since a time.
	Fresh(ctx context.Context, projectID, finding string, since time.Time, targets []string) (map[string]bool, error)
	// Open returns how many executions a subscription started that have not ended.
	Open(ctx context.Context, subscriptionID string) (uint64, error)
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

// Deps is what a Scheduler needs.
type Deps struct {
	Catalog   catalog
	Inventory Inventory
	Producer  producer
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	Tracer    *trace.Tracer
}

// Scheduler is the handler of the scheduler's transactions, and its clock. The
// methods of bus.TxHandler are called by one Transactor.
type Scheduler struct {
	cfg       Config
	catalog   catalog
	inventory Inventory
	producer  producer
	log       *slog.Logger
	metrics   *metrics
	tracer    *trace.Tracer
	now       func() time.Time

	mu    sync.Mutex // guards what follows
	owner bool       // the partition is ours and its state restored
	state *state
	rules *rules
	sent  map[string]time.Time // ticks the clock wrote that were not handled yet
	wrote map[string]time.Time // and when
}

var _ bus.TxHandler = (*Scheduler)(nil)

// New checks the configuration.
func New(cfg Config, d Deps) (*Scheduler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("scheduler config: %w", err)
	}
	return &Scheduler{
		cfg: cfg, catalog: d.Catalog, inventory: d.Inventory, producer: d.Producer, log: d.Log.With("component", "scheduler"),
		metrics: newMetrics(d.Metrics), tracer: d.Tracer, now: time.Now, state: newState(), rules: &rules{position: -1},
		sent: map[string]time.Time{}, wrote: map[string]time.Time{},
	}, nil
}

// Transactor returns what hands the scheduler its records.
func (s *Scheduler) Transactor(b *bus.Bus) *bus.Transactor {
	return b.Transactor(bus.TransactorConfig{
		Group: bus.GroupScheduler, Topic: bus.TopicSchedule, Changelog: bus.TopicScheduleState,
		MaxRecords: recordsAtOnce, Deadline: s.cfg.Deadline,
	}, s)
}

// recordsAtOnce bounds how many pages are in one transaction.
const recordsAtOnce = 5

// Run is the clock. It ends with ctx.
func (s *Scheduler) Run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := s.tick(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("ticks could not be written, will be tried again", "err", err)
		}
	}
}

// again is how long a tick may be on its way before it is written once more; a tick
// that comes twice is passed over.
const again = 2 * time.Minute

// tick writes the ticks that are due.
func (s *Scheduler) tick(ctx context.Context) error {
	due := s.due()
	if len(due) == 0 {
		return nil
	}
	recs := make([]bus.Record, len(due))
	for i := range due {
		recs[i] = due[i].record()
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.producer.Produce(ctx, recs); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range due {
		s.sent[m.Subscription], s.wrote[m.Subscription] = m.time(), s.now()
	}
	return nil
}

func (s *Scheduler) due() (list []message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.owner {
		return nil
	}
	now := s.now()
	s.rules.refresh(s.catalog, now)
	for _, r := range s.rules.list {
		if !r.rule.Enabled || r.rule.Document() == nil {
			continue
		}
		last := s.state.last(r.rule.ID)
		if r.since.After(last) {
			last = r.since // what it was before it was written or switched on is nobody's business
		}
		at, run, ok := Due(r.schedule, last, now, r.rule.Document().Missed)
		if sent := s.sent[r.rule.ID]; !ok || sent.Equal(at) && now.Sub(s.wrote[r.rule.ID]) < again {
			continue
		}
		list = append(list, message{Kind: kindTick, Subscription: r.rule.ID, At: at.UnixMilli(), Skip: !run})
	}
	return list
}

// late is how long after its time a tick counts as missed.
const late = time.Minute

// Due says which tick to handle now: the newest that lies between last and now. run
// is false when it was missed and nothing makes up for it. ok is false when none is
// due.
func Due(s rule.Schedule, last, now time.Time, missed string) (at time.Time, run, ok bool) {
	at = s.Next(last)
	if at.IsZero() || at.After(now) {
		return at, false, false
	}
	// from close before now, so that a long absence takes no longer than a short one
	for step := 400 * 24 * time.Hour; step >= time.Minute; step /= 8 {
		if from := now.Add(-step); from.After(at) {
			if n := s.Next(from); !n.IsZero() && !n.After(now) {
				at = n
			}
		}
	}
	for {
		n := s.Next(at)
		if n.IsZero() || n.After(now) {
			return at, missed != rule.MissedSkip || now.Sub(at) <= late, true
		}
		at = n
	}
}

// Restore applies one changelog record.
func (s *Scheduler) Restore(_ int32, r bus.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.state.restore(string(r.Key), r.Value); err != nil {
		s.metrics.unreadable.Inc()
		s.log.Error("state record is unreadable and passed over", "offset", r.Offset, "err", err)
	}
	return nil
}

// Restored makes this replica the leader.
func (s *Scheduler) Restored(int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = true
	clear(s.sent)
	s.metrics.leader.Set(1)
	s.log.Info("leading")
}

// Revoke drops everything: another replica leads.
func (s *Scheduler) Revoke(int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner, s.state = false, newState()
	s.metrics.leader.Set(0)
}

// Handle takes ticks and pages. The state it changes becomes real in Commit.
func (s *Scheduler) Handle(ctx context.Context, records []bus.Record) (bus.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules.refresh(s.catalog, s.now())
	r := &run{Scheduler: s, ctx: ctx, bounds: map[string]*pipeline.Bounds{}}
	for _, rec := range records {
		m, err := decode(rec.Value)
		if err != nil {
			r.out.Dead = append(r.out.Dead, bus.NewDeadLetter(rec, err))
			continue
		}
		r.handle(m)
	}
	for _, trigger := range s.state.cooldowns.Expire(s.now(), 1000+2*s.state.cooldowns.Pending()) {
		r.remember(keyCooldown+trigger, nil)
	}
	r.out.Commit = func() { s.mu.Lock(); s.state.commit(); s.mu.Unlock() }
	r.out.Rollback = func() { s.mu.Lock(); s.state.rollback(); s.mu.Unlock() }
	return r.out, nil
}

// keepTriggers is how long a cooldown is remembered beyond its end.
const keepTriggers = 24 * time.Hour

func entry(at time.Time, wait time.Duration) cooldown.Entry {
	return cooldown.Entry{At: at, Until: at.Add(wait + keepTriggers)}
}
