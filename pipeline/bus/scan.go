package bus

import (
	"context"
	"maps"
	"slices"
)

// Scan reads topics from some offsets to others, without a group, topic by topic,
// and gives fn batches of at most n records. What fn returns as an error ends it.
func (b *Bus) Scan(ctx context.Context, from, to Offsets, n int, fn func([]Record) error) error {
	for _, topic := range slices.Sorted(maps.Keys(to)) {
		s := scan{to: to[topic], n: n, fn: fn}
		r, err := b.readUntil(ctx, topic, from[topic], to[topic])
		if err != nil {
			return err
		}
		err = r.toEnd(ctx, s.take)
		r.close()
		if err == nil {
			err = s.flush()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type scan struct {
	to    map[int32]int64
	n     int
	fn    func([]Record) error
	batch []Record
}

func (s *scan) take(r Record) error {
	if r.Offset >= s.to[r.Partition] {
		return nil // it was fetched together with what was asked for
	}
	s.batch = append(s.batch, r)
	if len(s.batch) < s.n {
		return nil
	}
	return s.flush()
}

func (s *scan) flush() error {
	if len(s.batch) == 0 {
		return nil
	}
	batch := s.batch
	s.batch = make([]Record, 0, s.n)
	return s.fn(batch)
}
