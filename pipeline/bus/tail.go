package bus

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Tail reads a topic from its start and follows it, without a group: every member
// reads everything.
type Tail struct {
	bus   *Bus
	topic string
	fn    func(Record) error
	ready chan struct{}
	once  sync.Once
}

// Tail makes a tail; Run starts it. fn is called from one goroutine; an error of
// its ends the tail.
func (b *Bus) Tail(topic string, fn func(Record) error) *Tail {
	return &Tail{bus: b, topic: topic, fn: fn, ready: make(chan struct{})}
}

// Ready is closed when everything was read that the topic held when Run began.
func (t *Tail) Ready() <-chan struct{} { return t.ready }

// Run reads until ctx ends.
func (t *Tail) Run(ctx context.Context) error {
	ends, err := t.bus.Ends(ctx, t.topic)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	left := ends[t.topic]
	from := map[int32]kgo.Offset{}
	for p, end := range left {
		from[p] = kgo.NewOffset().AtStart()
		if end == 0 {
			delete(left, p)
		}
	}
	t.done(left)
	client, err := kgo.NewClient(t.bus.options(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		return fmt.Errorf("making tail: %w", err)
	}
	defer client.Close()
	for {
		fetches := client.PollRecords(ctx, 10_000)
		if ctx.Err() != nil {
			return nil
		}
		if err := t.give(ctx, fetches, left); err != nil {
			return err
		}
	}
}

func (t *Tail) give(ctx context.Context, fetches kgo.Fetches, left map[int32]int64) error {
	batch, err := take(ctx, fetches, t.bus.log)
	if err != nil {
		return err
	}
	for _, r := range batch {
		if err := guard(func() error { return t.fn(r) }); err != nil {
			return fmt.Errorf("following %s: %w", t.topic, err)
		}
	}
	fetches.EachRecord(func(r *kgo.Record) {
		if end, ok := left[r.Partition]; ok && r.Offset >= end-1 {
			delete(left, r.Partition)
		}
	})
	t.done(left)
	return nil
}

func (t *Tail) done(left map[int32]int64) {
	if len(left) == 0 {
		t.once.Do(func() { close(t.ready) })
	}
}
