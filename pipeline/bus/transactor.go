package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TransactorConfig says what a Transactor reads and where its state is kept.
type TransactorConfig struct {
	Group      string
	Topic      string        // input
	Changelog  string        // state; partitioned as Topic
	MaxRecords int           // per transaction; 0 means 2,000
	Deadline   time.Duration // for one transaction; 0 means 30 s
}

// Transactor gives a handler batches and commits what it returns, exactly once.
type Transactor struct {
	bus     *Bus
	cfg     TransactorConfig
	handler TxHandler
	log     *slog.Logger

	mu       sync.Mutex
	owned    map[int32]bool // restored and ours
	assigned map[int32]bool // ours, to be restored before the next batch
}

// Transactor makes a transactor; Run starts it.
func (b *Bus) Transactor(cfg TransactorConfig, h TxHandler) *Transactor {
	if cfg.MaxRecords == 0 {
		cfg.MaxRecords = 2_000
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 30 * time.Second
	}
	return &Transactor{
		bus: b, cfg: cfg, handler: h, log: b.log.With("group", cfg.Group),
		owned: map[int32]bool{}, assigned: map[int32]bool{},
	}
}

// Run handles until ctx ends or a batch cannot be handled.
func (t *Transactor) Run(ctx context.Context) error {
	s, err := kgo.NewGroupTransactSession(t.bus.options(slices.Concat(
		t.bus.consuming(t.cfg.Group, t.cfg.Topic), producing(), []kgo.Opt{
			kgo.TransactionalID(t.id()), kgo.TransactionTimeout(t.cfg.Deadline + 10*time.Second),
			kgo.BlockRebalanceOnPoll(), kgo.Balancers(kgo.CooperativeStickyBalancer()),
			kgo.OnPartitionsAssigned(t.onAssigned), kgo.OnPartitionsRevoked(t.onGone), kgo.OnPartitionsLost(t.onGone),
		})...)...)
	if err != nil {
		return fmt.Errorf("making transactor: %w", err)
	}
	defer s.CloseAllowingRebalance()
	for ctx.Err() == nil {
		if err := t.step(ctx, s); err != nil {
			return err
		}
		s.AllowRebalance()
	}
	return nil
}

// id names the transactor to the brokers: whoever comes later with the same one
// fences it and aborts what it left open.
func (t *Transactor) id() string {
	worker := t.bus.worker
	if worker == "" {
		worker = nonce()
	}
	return t.bus.names.prefix + t.cfg.Group + "-" + worker
}

// step polls and commits one batch.
func (t *Transactor) step(ctx context.Context, s *kgo.GroupTransactSession) error {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	fetches := s.PollRecords(wait, t.cfg.MaxRecords)
	cancel()
	if err := t.restore(ctx); err != nil {
		return err
	}
	batch, err := t.bus.take(wait, fetches, t.log)
	if err != nil || ctx.Err() != nil || fetches.NumRecords() == 0 {
		return err
	}
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.Deadline)
	defer cancel()
	return t.transact(work, s, t.ours(batch))
}

func (t *Transactor) transact(ctx context.Context, s *kgo.GroupTransactSession, batch []Record) error {
	start := time.Now()
	if err := s.Begin(); err != nil {
		return classify(fmt.Errorf("beginning transaction: %w", err))
	}
	out, err := t.handle(ctx, batch)
	if err != nil {
		_, abortErr := s.End(ctx, kgo.TryAbort)
		return errors.Join(fmt.Errorf("%s: handling batch: %w", t.cfg.Group, err), abortErr)
	}
	try := kgo.TryCommit
	recs, err := t.produce(ctx, s, out)
	if err == nil {
		err = t.announce(s, recs)
	}
	if err != nil {
		t.log.Warn("producing failed, the batch will be tried again", "records", len(batch), "err", err)
		try = kgo.TryAbort
	}
	committed, err := s.End(ctx, try)
	if err != nil || !committed {
		t.bus.metrics.aborts.WithLabelValues(t.cfg.Group).Inc()
		call(out.Rollback)
		if err != nil {
			return classify(fmt.Errorf("%s: ending transaction: %w", t.cfg.Group, err))
		}
		return nil
	}
	call(out.Commit)
	m := t.bus.metrics
	m.commits.WithLabelValues(t.cfg.Group).Inc()
	m.consumed.WithLabelValues(t.cfg.Group).Add(float64(len(batch)))
	m.dead.WithLabelValues(t.cfg.Group).Add(float64(len(out.Dead)))
	m.handling.WithLabelValues(t.cfg.Group).Observe(time.Since(start).Seconds())
	return nil
}

func (t *Transactor) handle(ctx context.Context, batch []Record) (out Outcome, err error) {
	if len(batch) == 0 {
		return Outcome{}, nil
	}
	err = guard(func() error { out, err = t.handler.Handle(ctx, batch); return err })
	return out, err
}

func (t *Transactor) produce(ctx context.Context, s *kgo.GroupTransactSession, out Outcome) ([]*kgo.Record, error) {
	if len(out.Records)+len(out.Dead) == 0 {
		return nil, nil
	}
	recs := make([]*kgo.Record, 0, len(out.Records)+len(out.Dead))
	for i := range out.Records {
		recs = append(recs, t.bus.toKafka(&out.Records[i]))
	}
	for _, l := range out.Dead {
		r := l.record(t.cfg.Group)
		recs = append(recs, t.bus.toKafka(&r))
	}
	if err := s.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		return nil, err
	}
	for _, r := range recs {
		t.bus.metrics.produced.WithLabelValues(t.bus.names.inside(r.Topic)).Inc()
	}
	return recs, nil
}

// ours drops what was polled for a partition that went away since; its new owner
// reads it, and our transaction will be aborted anyway.
func (t *Transactor) ours(batch []Record) []Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(batch, func(r Record) bool { return !t.owned[r.Partition] })
}

func (t *Transactor) onAssigned(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range parts[t.bus.names.outside(t.cfg.Topic)] {
		t.assigned[p] = true
	}
}

// onGone runs while the loop is between two batches: BlockRebalanceOnPoll.
func (t *Transactor) onGone(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range parts[t.bus.names.outside(t.cfg.Topic)] {
		delete(t.assigned, p)
		if t.owned[p] {
			delete(t.owned, p)
			t.handler.Revoke(p)
		}
	}
}

// restore rebuilds the state of partitions that were assigned since the last
// batch. It runs after their offsets were fetched, so whatever the previous owner
// committed is in the changelog.
func (t *Transactor) restore(ctx context.Context) error {
	t.mu.Lock()
	fresh := slices.Sorted(maps.Keys(t.assigned))
	t.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	start := time.Now()
	from := map[int32]int64{}
	for _, p := range fresh {
		from[p] = 0
	}
	err := t.bus.readTo(ctx, t.cfg.Changelog, from, func(r Record) error {
		return guard(func() error { return t.handler.Restore(r.Partition, r) })
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: restoring state: %w", t.cfg.Group, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range fresh {
		delete(t.assigned, p)
		t.owned[p] = true
		t.handler.Restored(p)
	}
	t.bus.metrics.restoring.WithLabelValues(t.cfg.Group).Observe(time.Since(start).Seconds())
	return nil
}

func call(f func()) {
	if f != nil {
		f()
	}
}
