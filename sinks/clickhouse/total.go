package clickhouse

import (
	"context"
	"fmt"
	"sync"
)

// maxTotals bounds how many totals are remembered.
const maxTotals = 1024

// totals remembers exact totals with the state of the table they were counted in.
// Counting rows that are not merged yet reads the whole key, while most pages are
// asked for when nothing has changed since the last.
type totals struct {
	mu   sync.Mutex
	last map[string]counted // by statement and bound values
}

type counted struct {
	state string
	n     uint64
}

func (t *totals) get(key, state string) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.last[key]
	return c.n, ok && c.state == state
}

func (t *totals) put(key, state string, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || len(t.last) >= maxTotals {
		t.last = map[string]counted{}
	}
	t.last[key] = counted{state, n}
}

// total is the number a query gives over the tables it reads, exact as of now.
// The state is read first: what comes between is counted, and counted again the
// next time.
func (s *Store) total(ctx context.Context, q statement, tables ...string) (uint64, error) {
	sql, args := q.SQL()
	key := fmt.Sprint(sql, args)
	state := s.states(ctx, tables)
	if n, ok := s.totals.get(key, state); ok && state != "" {
		return n, nil
	}
	n, err := count(ctx, s, q)
	if err == nil && state != "" {
		s.totals.put(key, state, n)
	}
	return n, err
}
