package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Trim keeps a topic to about so many bytes on the brokers, over all its partitions:
// of what every one of its groups has finished, the oldest goes. What a group has not
// finished stays, whatever it takes. It returns how many records went.
//
// It is for the embedded broker, which shares its disk and its memory with everything
// else. Elsewhere who runs the brokers says how long topics live.
func (b *Bus) Trim(ctx context.Context, topic string, groups []string, keep int64) (int64, error) {
	sizes, err := b.sizes(ctx, topic)
	if err != nil {
		return 0, err
	}
	starts, err := b.Starts(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends, err := b.Ends(ctx, topic)
	if err != nil {
		return 0, err
	}
	cuts := map[int32]int64{}
	for p, end := range ends[topic] {
		cuts[p] = cutAt(starts[topic][p], end, sizes[p], keep/int64(len(ends[topic])))
	}
	for _, group := range groups {
		finished, err := b.Committed(ctx, group, topic)
		if errors.Is(err, kerr.GroupIDNotFound) {
			return 0, nil // it never read anything
		}
		if err != nil {
			return 0, err
		}
		for p, at := range finished[topic] {
			cuts[p] = min(cuts[p], at)
		}
	}
	return b.cut(ctx, topic, starts[topic], cuts)
}

// cut removes what is before the given offsets, as far as it is there.
func (b *Bus) cut(ctx context.Context, topic string, starts, cuts map[int32]int64) (gone int64, err error) {
	var cut kadm.Offsets
	for p, to := range cuts {
		if to > starts[p] {
			cut.AddOffset(b.names.outside(topic), p, to, -1)
			gone += to - starts[p]
		}
	}
	if gone == 0 {
		return 0, nil
	}
	answer, err := b.admin.DeleteRecords(ctx, cut)
	if err == nil {
		err = answer.Error()
	}
	if err != nil {
		return 0, classify(fmt.Errorf("trimming %s: %w", topic, err))
	}
	return gone, nil
}

// cutAt is before which offset to cut so that of the size about keep is left, if
// records were all of one size.
func cutAt(start, end, size, keep int64) int64 {
	if size <= keep {
		return start
	}
	return start + int64(float64(end-start)*(1-float64(keep)/float64(size)))
}

// sizes are the bytes of a topic's partitions.
func (b *Bus) sizes(ctx context.Context, topic string) (map[int32]int64, error) {
	dirs, err := b.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return nil, classify(fmt.Errorf("asking for the size of %s: %w", topic, err))
	}
	sizes := map[int32]int64{}
	dirs.Each(func(d kadm.DescribedLogDir) {
		for p, part := range d.Topics[b.names.outside(topic)] {
			sizes[p] = max(sizes[p], part.Size)
		}
	})
	return sizes, nil
}
