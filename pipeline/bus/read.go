package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// readTo reads partitions of a topic from the given offsets up to the end they
// have now, in committed order, and returns then.
func (b *Bus) readTo(ctx context.Context, topic string, from map[int32]kgo.Offset, fn func(Record) error) error {
	ends, err := b.Ends(ctx, topic)
	if err != nil {
		return err
	}
	starts, err := b.admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return classify(fmt.Errorf("listing start offsets of %s: %w", topic, err))
	}
	left := map[int32]int64{}
	assign := map[int32]kgo.Offset{}
	for p, o := range from {
		first, _ := starts.Lookup(topic, p)
		if end := ends[topic][p]; end > first.Offset {
			left[p], assign[p] = end, o
		}
	}
	if len(left) == 0 {
		return nil
	}
	client, err := kgo.NewClient(b.options(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: assign}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		return fmt.Errorf("making reader: %w", err)
	}
	defer client.Close()
	return b.drain(ctx, client, left, fn)
}

// drain polls until every partition in left was read to its end. A partition whose
// last records are invisible (compacted away, or before the offset we began at)
// counts as read when polls stay empty while its stable end is reached.
func (b *Bus) drain(ctx context.Context, client *kgo.Client, left map[int32]int64, fn func(Record) error) error {
	for empty := 0; len(left) > 0 && empty < 3; {
		wait, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		fetches := client.PollRecords(wait, 10_000)
		cancel()
		if ctx.Err() != nil {
			return classify(fmt.Errorf("reading to the end: %w", ctx.Err()))
		}
		empty++
		var err error
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if p.Err != nil && !errors.Is(p.Err, context.DeadlineExceeded) {
				empty = 0 // a passing fetch error is no sign of the end
			}
			if p.LastStableOffset < left[p.Partition] {
				empty = 0 // an open transaction: its outcome decides what we read
			}
			for _, r := range p.Records {
				empty = 0
				if err == nil && !r.Attrs.IsControl() {
					err = fn(fromKafka(r))
				}
				if r.Offset >= left[p.Partition]-1 {
					delete(left, p.Partition)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
