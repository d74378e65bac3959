package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// finish completes a commit that a kill cut in the middle. When any of what it wrote is
// committed, it was decided: what the broker took for aborted is written once more, and
// then the offsets. When nothing is, the batch was not, and comes again by itself. The
// partitions must have been settled, so that reading them comes to an end.
func (b *Broker) finish(ctx context.Context, c bus.Commit) (again int, err error) {
	from, to, err := b.held(ctx, &c)
	if err != nil || len(to) == 0 {
		return 0, err
	}
	all, err := b.written(ctx, &c, from, maps.Clone(to), kgo.ReadUncommitted())
	if err != nil {
		return 0, err
	}
	seen, err := b.written(ctx, &c, from, to, kgo.ReadCommitted())
	if err != nil || len(seen) == 0 {
		return 0, err
	}
	client, err := b.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	var lost []*kgo.Record
	for at, r := range all {
		if seen[at] == nil {
			lost = append(lost, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp})
		}
	}
	if err := client.ProduceSync(ctx, lost...).FirstErr(); err != nil {
		return 0, fmt.Errorf("writing the rest of a commit: %w", err)
	}
	return len(lost), goOn(ctx, kadm.NewClient(client), &c)
}

// goOn commits the offsets of a commit, where the group is not there yet.
func goOn(ctx context.Context, admin *kadm.Client, c *bus.Commit) error {
	had, err := admin.FetchOffsets(ctx, c.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // its first commit was cut
		return fmt.Errorf("fetching the offsets of %s: %w", c.Group, err)
	}
	var to kadm.Offsets
	for topic, parts := range c.Read {
		for p, at := range parts {
			if o, ok := had.Lookup(topic, p); !ok || o.At < at {
				to.AddOffset(topic, p, at, -1)
			}
		}
	}
	if len(to) == 0 {
		return nil
	}
	if err := admin.CommitAllOffsets(ctx, c.Group, to); err != nil {
		return fmt.Errorf("committing the offsets of %s: %w", c.Group, err)
	}
	return nil
}

// place is where a record is.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// written reads what a commit wrote, as far as the isolation shows it, until nothing is
// left of to.
func (b *Broker) written(
	ctx context.Context, c *bus.Commit, from map[string]map[int32]kgo.Offset, to map[place]int64, isolation kgo.IsolationLevel,
) (map[place]*kgo.Record, error) {
	client, err := b.client(kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	out := map[place]*kgo.Record{}
	for len(to) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, fmt.Errorf("reading a commit of %s: %w", c.Group, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset <= c.Wrote[r.Topic][r.Partition].Last && r.ProducerID == c.Producer && !r.Attrs.IsControl() {
				out[place{r.Topic, r.Partition, r.Offset}] = r
			}
			part := place{topic: r.Topic, partition: r.Partition}
			if last, ok := to[part]; ok && r.Offset >= last {
				delete(to, part)
			}
		})
	}
	return out, nil
}

// held is from where to where the log holds the spans of a commit: what was trimmed
// since, or was never written down by the operating system, cannot be read.
func (b *Broker) held(ctx context.Context, c *bus.Commit) (from map[string]map[int32]kgo.Offset, to map[place]int64, err error) {
	client, err := b.client()
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	admin, topics := kadm.NewClient(client), slices.Collect(maps.Keys(c.Wrote))
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, nil, fmt.Errorf("finding a commit of %s: %w", c.Group, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, nil, fmt.Errorf("finding a commit of %s: %w", c.Group, err)
	}
	from, to = map[string]map[int32]kgo.Offset{}, map[place]int64{}
	for topic, parts := range c.Wrote {
		from[topic] = map[int32]kgo.Offset{}
		for p, span := range parts {
			start, _ := starts.Lookup(topic, p)
			end, _ := ends.Lookup(topic, p)
			first := max(span.First, start.Offset)
			if first > span.Last || first >= end.Offset {
				continue
			}
			from[topic][p] = kgo.NewOffset().At(first)
			to[place{topic: topic, partition: p}] = min(span.Last, end.Offset-1)
		}
	}
	return from, to, nil
}
