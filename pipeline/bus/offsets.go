package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Offsets are positions by topic and partition; each is one past the last record.
type Offsets map[string]map[int32]int64

// Ends returns the end of each topic as it is now.
func (b *Bus) Ends(ctx context.Context, topics ...string) (Offsets, error) {
	return b.list(ctx, b.admin.ListEndOffsets, topics...)
}

// Starts returns the first offset that each topic holds now.
func (b *Bus) Starts(ctx context.Context, topics ...string) (Offsets, error) {
	return b.list(ctx, b.admin.ListStartOffsets, topics...)
}

// Since returns the first offset of each partition at or after a time, the end when
// there is none.
func (b *Bus) Since(ctx context.Context, at time.Time, topics ...string) (Offsets, error) {
	return b.list(ctx, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return b.admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
	}, topics...)
}

// Committed returns up to where a group has finished each topic; 0 is nothing yet.
func (b *Bus) Committed(ctx context.Context, group string, topics ...string) (Offsets, error) {
	ends, err := b.Ends(ctx, topics...) // and with them the partitions
	if err != nil {
		return nil, err
	}
	committed, err := b.admin.FetchOffsets(ctx, b.names.prefix+group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a group that never committed has read nothing
		return nil, classify(fmt.Errorf("fetching offsets of %s: %w", group, err))
	}
	for topic, parts := range ends {
		for p := range parts {
			parts[p] = 0
			if c, ok := committed.Lookup(b.names.outside(topic), p); ok && c.At > 0 {
				parts[p] = c.At
			}
		}
	}
	return ends, nil
}

// Len is the number of offsets from o to end.
func (o Offsets) Len(end Offsets) int64 {
	var n int64
	for topic, parts := range end {
		for p, at := range parts {
			n += max(0, at-o[topic][p])
		}
	}
	return n
}

// after returns the first offset of each partition at or after a time, the end
// when there is none.
func (b *Bus) after(ctx context.Context, topic string, parts []int32, at time.Time) (map[int32]int64, error) {
	all, err := b.Since(ctx, at, topic)
	if err != nil {
		return nil, err
	}
	of := map[int32]int64{}
	for _, p := range parts {
		of[p] = all[topic][p]
	}
	return of, nil
}

// settleWithin is how long brokers may disagree about a topic that was just made,
// or about who leads a partition.
const settleWithin = 30 * time.Second

func (b *Bus) list(ctx context.Context, ask func(context.Context, ...string) (kadm.ListedOffsets, error), topics ...string) (Offsets, error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		listed, err := ask(ctx, b.names.outsides(topics)...)
		if err == nil {
			err = listed.Error()
		}
		if err == nil {
			return b.insideOf(listed), nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, classify(fmt.Errorf("listing offsets: %w", err))
		}
		if !kerr.IsRetriable(err) {
			return nil, classify(fmt.Errorf("listing offsets: %w", err))
		}
	}
}

func (b *Bus) insideOf(listed kadm.ListedOffsets) Offsets {
	o := Offsets{}
	for topic, parts := range listed {
		of := map[int32]int64{}
		for p, at := range parts {
			of[p] = at.Offset
		}
		o[b.names.inside(topic)] = of
	}
	return o
}

// WaitCommitted returns nil once the group has committed up to o, or ctx's error
// with CodeUnavailable when that takes longer than ctx allows.
func (b *Bus) WaitCommitted(ctx context.Context, group string, o Offsets) error {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		behind, err := b.behind(ctx, group, o)
		if err == nil && behind == 0 {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("%s is %d records behind: %w", group, behind, ctx.Err())
			}
			return classify(err)
		}
	}
}

// Lag returns how many records of each topic the group has not committed.
func (b *Bus) Lag(ctx context.Context, group string, topics ...string) (map[string]int64, error) {
	ends, err := b.Ends(ctx, topics...)
	if err != nil {
		return nil, err
	}
	lag := map[string]int64{}
	for topic, parts := range ends {
		if lag[topic], err = b.behind(ctx, group, Offsets{topic: parts}); err != nil {
			return nil, err
		}
	}
	return lag, nil
}

func (b *Bus) behind(ctx context.Context, group string, o Offsets) (int64, error) {
	committed, err := b.admin.FetchOffsets(ctx, b.names.prefix+group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a group that never committed has read nothing
		return 0, classify(fmt.Errorf("fetching offsets of %s: %w", group, err))
	}
	var n int64
	for topic, parts := range o {
		for p, end := range parts {
			at := int64(0)
			if c, ok := committed.Lookup(b.names.outside(topic), p); ok && c.At > 0 {
				at = c.At
			}
			n += max(0, end-at)
		}
	}
	return n, nil
}
