package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reading reads partitions of a topic without a group, and knows when it has seen
// everything they held when it began.
type reading struct {
	bus    *Bus
	topic  string
	client *kgo.Client
	at     map[int32]int64 // the offsets that come next
	left   map[int32]int64 // the ends still to be reached
}

// read begins at the given offsets; those the topic does not hold any more count
// as its start.
func (b *Bus) read(ctx context.Context, topic string, from map[int32]int64) (*reading, error) {
	// the ends are those of what was written, not of what is committed: a transaction
	// whose outcome is open now may be one that we must see
	ends, err := b.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	return b.readUntil(ctx, topic, from, ends[topic])
}

// readUntil has seen everything when it has come to the given ends.
func (b *Bus) readUntil(ctx context.Context, topic string, from, ends map[int32]int64) (*reading, error) {
	starts, err := b.Starts(ctx, topic)
	if err != nil {
		return nil, err
	}
	r := &reading{bus: b, topic: topic, at: map[int32]int64{}, left: map[int32]int64{}}
	begin := map[int32]kgo.Offset{}
	for p, o := range from {
		at := max(o, starts[topic][p])
		r.at[p], begin[p] = at, kgo.NewOffset().At(at)
		if end := ends[p]; end > at {
			r.left[p] = end
		}
	}
	r.client, err = kgo.NewClient(b.options(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{b.names.outside(topic): begin}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.KeepRetryableFetchErrors(),
		// without sessions: they save nothing for a few partitions, and a client that
		// is closed while a fetch is under way would touch one from two sides
		kgo.FetchMaxWait(100*time.Millisecond), kgo.DisableFetchSessions())...)
	if err != nil {
		return nil, fmt.Errorf("making reader: %w", err)
	}
	return r, nil
}

func (r *reading) close() { r.client.Close() }

// next polls once and gives what came to fn. It returns at once when something
// came, else after a moment.
func (r *reading) next(ctx context.Context, fn func(Record) error) error {
	wait, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	fetches := r.client.PollRecords(wait, 10_000)
	if ctx.Err() != nil {
		return nil
	}
	var err error
	fetches.EachError(func(topic string, p int32, e error) {
		if errors.Is(e, context.DeadlineExceeded) {
			return
		}
		if fatal(e) {
			err = fmt.Errorf("reading %s/%d: %w", topic, p, e)
		}
	})
	if err != nil {
		return err
	}
	if fetches.NumRecords() > 0 {
		return r.give(fetches, fn)
	}
	if len(r.left) > 0 {
		r.checkEnd(ctx)
	}
	return nil
}

func (r *reading) give(fetches kgo.Fetches, fn func(Record) error) error {
	for it := fetches.RecordIter(); !it.Done(); {
		k := it.Next()
		if !k.Attrs.IsControl() {
			if err := guard(func() error { return fn(r.bus.fromKafka(k)) }); err != nil {
				return err
			}
		}
		r.at[k.Partition] = k.Offset + 1
		if end, ok := r.left[k.Partition]; ok && k.Offset >= end-1 {
			delete(r.left, k.Partition)
		}
	}
	return nil
}

// readTo reads partitions of a topic from the given offsets up to the end they
// have now, in committed order, and returns then.
func (b *Bus) readTo(ctx context.Context, topic string, from map[int32]int64, fn func(Record) error) error {
	r, err := b.read(ctx, topic, from)
	if err != nil {
		return err
	}
	defer r.close()
	return r.toEnd(ctx, fn)
}

// toEnd returns when everything was seen.
func (r *reading) toEnd(ctx context.Context, fn func(Record) error) error {
	said := time.Now()
	for len(r.left) > 0 {
		if err := r.next(ctx, fn); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return classify(fmt.Errorf("reading to the end: %w", ctx.Err()))
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			r.bus.log.Warn("still reading a topic to its end", "topic", r.topic, "partitions", len(r.left))
		}
	}
	return nil
}
