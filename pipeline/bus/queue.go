package bus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// QueueConfig says what a Queue reads and how much may be unfinished.
type QueueConfig struct {
	Group          string
	Topic          string
	History        string        // what became of the records; partitioned as Topic
	HistoryWindow  time.Duration // how far back to read it at least; 0 means 1 hour
	MaxOutstanding int           // unfinished records at once; 0 means 10,000
	CommitEvery    time.Duration // 0 means 1 second
}

// Queue gives a handler single records that finish in any order.
type Queue struct {
	bus     *Bus
	cfg     QueueConfig
	handler QueueHandler
	log     *slog.Logger

	mu    sync.Mutex
	marks map[int32]*watermark
	room  chan struct{} // one token per unfinished record
}

// Queue makes a queue; Run starts it.
func (b *Bus) Queue(cfg QueueConfig, h QueueHandler) *Queue {
	if cfg.HistoryWindow == 0 {
		cfg.HistoryWindow = time.Hour
	}
	if cfg.MaxOutstanding == 0 {
		cfg.MaxOutstanding = 10_000
	}
	if cfg.CommitEvery == 0 {
		cfg.CommitEvery = time.Second
	}
	return &Queue{
		bus: b, cfg: cfg, handler: h, log: b.log.With("group", cfg.Group),
		marks: map[int32]*watermark{}, room: make(chan struct{}, cfg.MaxOutstanding),
	}
}

// Run takes records until ctx ends. Records still unfinished then come again.
func (q *Queue) Run(ctx context.Context) error {
	var restoreErr error
	client, err := kgo.NewClient(q.bus.options(append(q.bus.consuming(q.cfg.Group, q.cfg.Topic),
		kgo.DisableAutoCommit(), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, parts map[string][]int32) {
			if err := q.assign(ctx, parts[q.bus.names.outside(q.cfg.Topic)]); err != nil {
				q.mu.Lock()
				defer q.mu.Unlock()
				restoreErr = err
			}
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, c *kgo.Client, parts map[string][]int32) {
			q.revoke(c, parts[q.bus.names.outside(q.cfg.Topic)], true)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, c *kgo.Client, parts map[string][]int32) {
			q.revoke(c, parts[q.bus.names.outside(q.cfg.Topic)], false)
		}),
	)...)...)
	if err != nil {
		return fmt.Errorf("making queue: %w", err)
	}
	defer client.Close()
	defer func() { q.commit(client) }()
	committing := q.commitRegularly(ctx, client)
	defer committing.Wait()
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, q.cfg.CommitEvery)
		fetches := client.PollRecords(wait, min(500, q.cfg.MaxOutstanding))
		cancel()
		q.mu.Lock()
		err := restoreErr
		q.mu.Unlock()
		if err == nil {
			err = q.give(ctx, wait, fetches)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (q *Queue) commitRegularly(ctx context.Context, client *kgo.Client) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(q.cfg.CommitEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				q.commit(client)
			}
		}
	})
	return &wg
}

// give hands records over, one by one, waiting while too many are unfinished.
func (q *Queue) give(ctx, wait context.Context, fetches kgo.Fetches) error {
	if _, err := q.bus.take(wait, fetches, q.log); err != nil {
		return err
	}
	for it := fetches.RecordIter(); !it.Done(); {
		r := it.Next()
		mark := q.begin(r.Partition, r.Offset)
		if mark == nil {
			continue // the partition went away since it was polled
		}
		if r.Attrs.IsControl() {
			mark.finish(r.Offset)
			continue
		}
		select {
		case q.room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		gauge := q.bus.metrics.outstanding.WithLabelValues(q.cfg.Group)
		gauge.Inc()
		var once sync.Once
		done := func() {
			once.Do(func() { gauge.Dec(); <-q.room; mark.finish(r.Offset) })
		}
		q.bus.metrics.consumed.WithLabelValues(q.cfg.Group).Inc()
		if err := guard(func() error { return q.handler.Take(ctx, q.bus.fromKafka(r), done) }); err != nil {
			return fmt.Errorf("%s: taking record: %w", q.cfg.Group, err)
		}
	}
	return nil
}

func (q *Queue) begin(partition int32, offset int64) *watermark {
	q.mu.Lock()
	defer q.mu.Unlock()
	mark := q.marks[partition]
	if mark != nil {
		mark.begin(offset)
	}
	return mark
}

// assign reads what became of the records that are going to come again.
func (q *Queue) assign(ctx context.Context, parts []int32) error {
	if len(parts) == 0 {
		return nil
	}
	start := time.Now()
	since, err := q.oldest(ctx, parts)
	if err != nil {
		return err
	}
	from, err := q.bus.after(ctx, q.cfg.History, parts, since)
	if err != nil {
		return err
	}
	err = q.bus.readTo(ctx, q.cfg.History, from, func(r Record) error {
		return guard(func() error { return q.handler.Restore(r.Partition, r) })
	})
	if err != nil {
		return fmt.Errorf("%s: restoring state: %w", q.cfg.Group, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		q.marks[p] = &watermark{next: -1}
		q.handler.Restored(p)
	}
	q.bus.metrics.restoring.WithLabelValues(q.cfg.Group).Observe(time.Since(start).Seconds())
	return nil
}

// oldest returns the time from which history matters: that of the oldest record
// which is going to be seen again, less the window, since clocks differ and a
// request may be repeated.
func (q *Queue) oldest(ctx context.Context, parts []int32) (time.Time, error) {
	committed, err := q.bus.admin.FetchOffsets(ctx, q.bus.names.prefix+q.cfg.Group)
	if err != nil {
		return time.Time{}, classify(fmt.Errorf("fetching offsets of %s: %w", q.cfg.Group, err))
	}
	oldest := time.Now()
	from := map[int32]int64{}
	for _, p := range parts {
		from[p] = 0
		if c, ok := committed.Lookup(q.bus.names.outside(q.cfg.Topic), p); ok && c.At > 0 {
			from[p] = c.At
		}
	}
	// Records are in time order within a partition, near enough for the window.
	err = q.bus.readTo(ctx, q.cfg.Topic, from, func(r Record) error {
		if r.Time.Before(oldest) {
			oldest = r.Time
		}
		return nil
	})
	return oldest.Add(-q.cfg.HistoryWindow), err
}

func (q *Queue) revoke(client *kgo.Client, parts []int32, mayCommit bool) {
	if mayCommit {
		q.commit(client)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		if q.marks[p] != nil {
			delete(q.marks, p)
			q.handler.Revoke(p)
		}
	}
}

// commit writes the watermarks that moved.
func (q *Queue) commit(client *kgo.Client) {
	q.mu.Lock()
	offsets := map[int32]kgo.EpochOffset{}
	for p, m := range q.marks {
		if at, moved := m.take(); moved {
			offsets[p] = kgo.EpochOffset{Epoch: -1, Offset: at}
		}
	}
	q.mu.Unlock()
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var failed error
	client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{q.bus.names.outside(q.cfg.Topic): offsets}, commitDone(&failed))
	if failed != nil {
		q.log.Warn("committing offsets failed, finished records may come again", "err", failed)
		return
	}
	q.bus.metrics.commits.WithLabelValues(q.cfg.Group).Inc()
}
