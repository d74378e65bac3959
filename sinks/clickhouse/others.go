package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/sinks/rows"
)

// clocksDiffer is how far the clocks of those that write may be apart.
const clocksDiffer = time.Minute

// othersQuery selects the sweeps that others than one projector told of.
type othersQuery struct {
	by    string
	since int64
	limit int
}

// SQL returns the statement and the values bound to it.
func (q othersQuery) SQL() (string, []any) {
	return selectSweeps + "WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')\n  AND stored_by NOT IN ('', {by:String})\nLIMIT {limit:Int64}",
		[]any{clickhouse.Named("since", strconv.FormatInt(q.since, 10)), clickhouse.Named("by", q.by), clickhouse.Named("limit", strconv.Itoa(q.limit))}
}

// Others returns at most limit of the sweeps that others than the projector by have
// stored since a time, and some of before: one that was on its way then is seen once
// it is there.
func (s *Store) Others(ctx context.Context, by string, since time.Time, limit int) ([]rows.Sweep, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	since = since.Add(-s.cfg.WriteTimeout - clocksDiffer)
	out, err := all(ctx, s, othersQuery{by, since.UnixMilli(), limit}, scanSweep)
	if err != nil {
		return nil, explain(fmt.Errorf("reading what others swept: %w", err))
	}
	return out, nil
}

// Concerned returns the ids of the resources whose history sweeps may have changed.
// Those that were written now may have been swept whenever they were seen; of others
// a look left alone what was seen since.
func (s *Store) Concerned(ctx context.Context, sweeps []rows.Sweep, now map[string]bool) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	var at places
	at.of(sweeps)
	found, err := s.found(ctx, at)
	if err != nil {
		return nil, explain(fmt.Errorf("reading what %d sweeps concern: %w", len(sweeps), err))
	}
	var out []string
	for i := range sweeps {
		if sweeps[i].Action == rows.SweepDelete {
			out = append(out, sweeps[i].ID)
		}
	}
	by := index(sweeps)
	for i := range found {
		v := &found[i]
		for _, w := range by.above(v) {
			if now[v.id] || w.Action == rows.SweepDelete && v.first <= w.Since || w.Action == rows.SweepLook && v.last < w.Since {
				out = append(out, v.id)
				break
			}
		}
	}
	return out, nil
}
