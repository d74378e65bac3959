package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/pipeline"
)

// ConsumerConfig says what a Consumer reads and when it closes a batch.
type ConsumerConfig struct {
	Group      string
	Topics     []string
	MaxRecords int           // a batch closes at this many records; 0 means 40,000
	MaxBytes   int           // …or this many bytes of keys and values; 0 means 32 MiB
	MaxAge     time.Duration // …or this long after its first record; 0 means 500 ms
	MaxIdle    time.Duration // …or when nothing more came for this long; 0 means 10 ms
	Deadline   time.Duration // for one call of the handler; 0 means 1 minute
}

func (c ConsumerConfig) withDefaults() ConsumerConfig {
	if c.MaxRecords == 0 {
		c.MaxRecords = 40_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 32 << 20
	}
	if c.MaxAge == 0 {
		c.MaxAge = 500 * time.Millisecond
	}
	if c.MaxIdle == 0 {
		c.MaxIdle = 10 * time.Millisecond
	}
	if c.Deadline == 0 {
		c.Deadline = time.Minute
	}
	return c
}

// Consumer gives a handler batches, at least once.
type Consumer struct {
	bus     *Bus
	cfg     ConsumerConfig
	handler Handler
	log     *slog.Logger
}

// Consumer makes a consumer; Run starts it.
func (b *Bus) Consumer(cfg ConsumerConfig, h Handler) *Consumer {
	return &Consumer{bus: b, cfg: cfg.withDefaults(), handler: h, log: b.log.With("group", cfg.Group)}
}

// Run consumes until ctx ends, finishing the batch in hand, or until a batch can't
// be handled.
func (c *Consumer) Run(ctx context.Context) error {
	assigned := func() {}
	if r, ok := c.handler.(rememberer); ok {
		assigned = r.Assigned
	}
	client, err := kgo.NewClient(c.bus.options(append(c.bus.consuming(c.cfg.Group, c.cfg.Topics...),
		kgo.BlockRebalanceOnPoll(), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
			if len(parts) > 0 {
				assigned()
			}
		}),
		kgo.Balancers(kgo.CooperativeStickyBalancer()))...)...)
	if err != nil {
		return fmt.Errorf("making consumer: %w", err)
	}
	defer client.CloseAllowingRebalance()
	for {
		batch, closedBy, err := c.collect(ctx, client)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil // nothing of this batch was handled, nothing is committed
		}
		if err := c.handle(ctx, batch, closedBy); err != nil {
			return err
		}
		c.commit(ctx, client)
		client.AllowRebalance()
	}
}

// pollRecords bounds one poll, so that the bytes of a batch are looked at often
// enough: a record may have a megabyte.
const pollRecords = 5000

// collect polls until the batch is closed; control records count as read only. Under
// load batches grow, which is what makes them cheap: what an INSERT costs hardly
// depends on its size.
func (c *Consumer) collect(ctx context.Context, client *kgo.Client) ([]Record, string, error) {
	batch, err := c.poll(ctx, client, min(pollRecords, c.cfg.MaxRecords))
	if err != nil || ctx.Err() != nil {
		return nil, "", err
	}
	closed, size := time.Now().Add(c.cfg.MaxAge), bytesOf(batch)
	for len(batch) < c.cfg.MaxRecords && size < c.cfg.MaxBytes {
		if time.Now().After(closed) {
			return batch, closedByAge, nil
		}
		idle, cancel := context.WithTimeout(ctx, c.cfg.MaxIdle)
		more, err := c.poll(idle, client, min(pollRecords, c.cfg.MaxRecords-len(batch)))
		expired := idle.Err() != nil
		cancel()
		if err != nil {
			return nil, "", err
		}
		batch, size = append(batch, more...), size+bytesOf(more)
		if expired && len(more) == 0 {
			return batch, closedByIdle, nil
		}
	}
	return batch, closedBySize, nil
}

func bytesOf(recs []Record) (n int) {
	for i := range recs {
		n += len(recs[i].Key) + len(recs[i].Value)
	}
	return n
}

func (c *Consumer) poll(ctx context.Context, client *kgo.Client, limit int) ([]Record, error) {
	return c.bus.take(ctx, client.PollRecords(ctx, limit), c.log)
}

// take returns the data records of a poll, or an error nothing but a restart mends.
func (b *Bus) take(ctx context.Context, fetches kgo.Fetches, log *slog.Logger) ([]Record, error) {
	var err error
	fetches.EachError(func(topic string, partition int32, e error) {
		switch {
		case ctx.Err() != nil, errors.Is(e, context.Canceled), errors.Is(e, context.DeadlineExceeded):
		case fatal(e):
			err = errors.Join(err, fmt.Errorf("consuming %s/%d: %w", topic, partition, e))
		default:
			log.Warn("fetching failed, will be tried again", "topic", topic, "partition", partition, "err", e)
		}
	})
	batch := make([]Record, 0, fetches.NumRecords())
	fetches.EachRecord(func(r *kgo.Record) {
		if !r.Attrs.IsControl() {
			batch = append(batch, b.fromKafka(r))
		}
	})
	return batch, err
}

// handle calls the handler until it succeeds, fails for good, or ctx ends.
func (c *Consumer) handle(ctx context.Context, batch []Record, closedBy string) error {
	if len(batch) == 0 {
		return nil
	}
	m := c.bus.metrics
	m.batches.WithLabelValues(c.cfg.Group, closedBy).Inc()
	defer func(t time.Time) { m.handling.WithLabelValues(c.cfg.Group).Observe(time.Since(t).Seconds()) }(time.Now())
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		err := c.once(ctx, batch)
		if err == nil {
			m.consumed.WithLabelValues(c.cfg.Group).Add(float64(len(batch)))
			return nil
		}
		if code := pipeline.CodeOf(err); code != pipeline.CodeUnavailable && code != pipeline.CodeBusy {
			return fmt.Errorf("%s: handling batch: %w", c.cfg.Group, err)
		}
		m.retries.WithLabelValues(c.cfg.Group).Inc()
		c.log.Warn("handling failed, will be tried again", "records", len(batch), "pause", pause, "err", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: stopped before the batch was handled: %w", c.cfg.Group, err)
		case <-time.After(pause):
		}
	}
}

// once calls the handler detached from shutdown: a batch in hand is finished.
func (c *Consumer) once(ctx context.Context, batch []Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Deadline)
	defer cancel()
	return guard(func() error { return c.handler.Handle(ctx, batch) })
}

func (c *Consumer) commit(ctx context.Context, client *kgo.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		// The batch comes again, here or with another member; that is what idempotence is for.
		c.log.Warn("committing offsets failed", "err", err)
		return
	}
	c.bus.metrics.commits.WithLabelValues(c.cfg.Group).Inc()
}

// guard turns a panic into an error with its stack.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// consuming are the options of every group member. Control records are kept, and
// skipped by us, so that committed offsets reach the very end of a topic.
func (b *Bus) consuming(group string, topics ...string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(b.names.prefix + group), kgo.ConsumeTopics(b.names.outsides(topics)...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(500 * time.Millisecond), kgo.FetchMaxBytes(32 << 20),
		kgo.SessionTimeout(30 * time.Second), kgo.RebalanceTimeout(2 * time.Minute),
	}
}
