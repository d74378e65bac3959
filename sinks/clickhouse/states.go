package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"
)

// stateQuery says which inserts and deletions tables have seen, on the server that
// answers: block numbers and data versions only grow, and merging changes neither.
type stateQuery struct{}

// SQL returns the statement and the values bound to it.
func (stateQuery) SQL() (string, []any) {
	return "SELECT table, concat(hostName(), ' ', toString(max(max_block_number)), ' ', toString(max(data_version)))\n" +
		"FROM system.parts\nWHERE active AND database = currentDatabase()\nGROUP BY table", nil
}

// watch reads the state of the tables for many at once: whoever comes while one look
// is under way gets the next, so that a look always begins after it was asked for.
type watch struct {
	mu   sync.Mutex
	busy bool
	next *look
}

type look struct {
	done   chan struct{}
	states map[string]string
}

// states is the state of some tables, "" when it cannot be known: then nothing may be
// remembered or shared. Over shards no server knows it.
func (s *Store) states(ctx context.Context, tables []string) string {
	if s.cfg.Cluster.Shards {
		return ""
	}
	l := s.look()
	select {
	case <-l.done:
	case <-ctx.Done():
		return ""
	}
	if l.states == nil {
		return ""
	}
	out := make([]string, len(tables))
	for i, table := range tables {
		out[i] = table + " " + l.states[table]
	}
	return strings.Join(out, ", ")
}

// look returns a look that has not begun yet.
func (s *Store) look() *look {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == nil {
		w.next = &look{done: make(chan struct{})}
		if !w.busy {
			w.busy = true
			go s.looks()
		}
	}
	return w.next
}

// looks takes one look after the other, until nobody waits for one.
func (s *Store) looks() {
	w := &s.watch
	for {
		w.mu.Lock()
		l := w.next
		w.next, w.busy = nil, l != nil
		w.mu.Unlock()
		if l == nil {
			return
		}
		s.take(l)
	}
}

func (s *Store) take(l *look) {
	defer close(l.done)
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.ReadTimeout)
	defer cancel()
	states := map[string]string{}
	_, err := all(ctx, s, stateQuery{}, func(r scanner) (struct{}, error) {
		var table, state string
		err := r.Scan(&table, &state)
		states[table] = state
		return struct{}{}, err
	})
	if err == nil {
		l.states = states
	}
}

// shared answers a question once for all who ask it, in the same words, while the
// tables are in the same state: an answer that began in that state has everything that
// was written before any of them asked. They get the same value, and must not change it.
func shared[T any](ctx context.Context, s *Store, question any, tables []string, answer func(context.Context) (T, error)) (out T, err error) {
	state := s.states(ctx, tables)
	if state == "" {
		return answer(ctx)
	}
	key := fmt.Sprintf("%#v %s", question, state) // every text quoted: no two questions are the same by accident
	select {
	case r := <-s.flights.DoChan(key, func() (any, error) { return answer(context.WithoutCancel(ctx)) }):
		if r.Err != nil {
			return out, r.Err
		}
		return r.Val.(T), nil //nolint:forcetypeassert // the key begins with the type of the question
	case <-ctx.Done():
		return out, explain(ctx.Err())
	}
}

type flights = singleflight.Group
