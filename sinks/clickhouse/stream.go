package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
)

const (
	// streamRows is how many rows are handed on at once: what a stream holds in
	// memory is a few times this.
	streamRows = 4000
	// streamWithin bounds reading a whole list.
	streamWithin = 2 * time.Hour
	// heldTags is up to how many tags are read before a stream begins; when there are
	// more, those of each batch are asked for.
	heldTags = 200_000
	// externalSort is from how many bytes on the store sorts on disk.
	externalSort = 256 << 20
)

// streamQuery selects a whole list of resources.
type streamQuery struct{ pageQuery }

// SQL returns the statement and the values bound to it.
func (q streamQuery) SQL() (string, []any) {
	where, args := q.where()
	where = append(where, visible)
	key := append([]keyColumn{projectColumn}, q.key...)
	order := strings.Join(names(key), ", ")
	if q.sort != nil {
		order = q.sort.order(append([]keyColumn{q.sort.by}, key...))
	}
	return fmt.Sprintf("SELECT %s\nFROM %s FINAL%s\nORDER BY %s\nSETTINGS max_bytes_before_external_sort = %d",
		expressions(q.columns, selected.final), q.table, conditions(where), order, externalSort), args
}

// stream reads a list to its end, in constant memory, and hands it on in batches
// that each may keep.
func stream[T any](ctx context.Context, s *Store, k *resource[T], q pipeline.Query, lean bool, each func([]T) error) (err error) {
	ctx, done := s.streaming(ctx, k.table)
	defer func() { done(&err) }()
	sel, err := k.query(s, q, 0)
	if err != nil {
		return err
	}
	tags, err := s.tagsOf(ctx, sel.scope)
	if err != nil {
		return err
	}
	fill := func(ctx context.Context, ts []T) error {
		switch {
		case tags != nil && (lean || k.enrich == nil):
		case tags != nil:
			if err := k.enrich(ctx, s, ts); err != nil {
				return err
			}
		case lean:
			return s.addTags(ctx, seenOf(k, ts))
		default:
			return complete(ctx, s, k, ts)
		}
		for _, x := range seenOf(k, ts) {
			if have := tags[of{x.ProjectID, x.ID}]; have != nil {
				x.Tags = have
			}
		}
		return nil
	}
	return batches(ctx, s, streamQuery{sel}, k.scan, fill, each)
}

func seenOf[T any](k *resource[T], ts []T) []*pipeline.Seen {
	out := make([]*pipeline.Seen, len(ts))
	for i := range ts {
		out[i] = k.seen(&ts[i])
	}
	return out
}

// batches reads rows, completes and hands them on, each step while the next batch
// is in the one before. The first error ends all of them.
func batches[T any](ctx context.Context, s *Store, q statement, scan func(scanner) (T, error), fill func(context.Context, []T) error, each func([]T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	read, filled := make(chan []T), make(chan []T)
	g.Go(func() error {
		defer close(read)
		var b []T
		err := s.eachRow(ctx, q, func(r scanner) error {
			v, err := scan(r)
			if err != nil {
				return err
			}
			if b = append(b, v); len(b) < streamRows {
				return nil
			}
			err = hand(ctx, read, b)
			b = make([]T, 0, streamRows)
			return err
		})
		if err != nil {
			return err
		}
		return hand(ctx, read, b)
	})
	g.Go(func() error {
		defer close(filled)
		for b := range read {
			if err := fill(ctx, b); err != nil {
				return err
			}
			if err := hand(ctx, filled, b); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		for b := range filled {
			if err := each(b); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return g.Wait()
}

// eachRow calls fn with every row of a query.
func (s *Store) eachRow(ctx context.Context, q statement, fn func(scanner) error) error {
	sql, args := q.SQL()
	r, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // the error that counts is Err
	for r.Next() {
		if err := fn(r); err != nil {
			return err
		}
	}
	return r.Err()
}

func hand[T any](ctx context.Context, to chan<- []T, b []T) error {
	if len(b) == 0 {
		return nil
	}
	select {
	case to <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// streaming is like reading, with the time a whole list takes.
func (s *Store) streaming(ctx context.Context, what string) (context.Context, func(*error)) {
	ctx, cancel := context.WithTimeout(ctx, streamWithin)
	return ctx, func(err *error) {
		cancel()
		if *err != nil && pipeline.CodeOf(*err) == pipeline.CodeInternal {
			*err = fmt.Errorf("streaming %s: %w", what, explain(*err))
		}
	}
}

// allTagsQuery selects the tags of projects.
type allTagsQuery struct{ scope }

// SQL returns the statement and the values bound to it.
func (q allTagsQuery) SQL() (string, []any) {
	where, args := q.conditions()
	return fmt.Sprintf("SELECT project_id, resource_id, tag\nFROM resource_tags FINAL%s\nORDER BY project_id, resource_id, tag\nLIMIT %d",
		conditions(append(where, valueOf("state")+" = 1")), heldTags+1), args
}

// tagsOf reads every tag of the projects, nil when there are too many to hold.
func (s *Store) tagsOf(ctx context.Context, sc scope) (map[of][]string, error) {
	out, n := map[of][]string{}, 0
	_, err := all(ctx, s, allTagsQuery{sc}, func(r scanner) (struct{}, error) {
		var k of
		var tag string
		err := r.Scan(&k.project, &k.name, &tag)
		out[k] = append(out[k], tag)
		n++
		return struct{}{}, err
	})
	if n > heldTags {
		return nil, err
	}
	return out, err
}

// EachDomain reads every domain of a list; lean leaves out its hosts.
func (s *Store) EachDomain(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Domain) error) error {
	return stream(ctx, s, domainKind, q, lean, each)
}

// EachHost reads every host of a list; lean leaves out its domains and ports.
func (s *Store) EachHost(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Host) error) error {
	return stream(ctx, s, hostKind, q, lean, each)
}

// EachRange reads every range of a list.
func (s *Store) EachRange(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.IPRange) error) error {
	return stream(ctx, s, rangeKind, q, lean, each)
}

// EachPort reads every port of a list.
func (s *Store) EachPort(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Port) error) error {
	return stream(ctx, s, portKind, q, lean, each)
}

// EachWebsite reads every website of a list; lean leaves out its site map.
func (s *Store) EachWebsite(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Website) error) error {
	return stream(ctx, s, websiteKind, q, lean, each)
}

// streamFindings and streamExecutions select whole lists.
type streamFindings struct{ findingQuery }

// SQL returns the statement and the values bound to it.
func (q streamFindings) SQL() (string, []any) {
	sql, args := q.findingQuery.SQL()
	return sql[:strings.LastIndex(sql, "\nLIMIT ")] + fmt.Sprintf("\nSETTINGS max_bytes_before_external_sort = %d", externalSort), args
}

type streamExecutions struct{ executionQuery }

// SQL returns the statement and the values bound to it.
func (q streamExecutions) SQL() (string, []any) {
	sql, args := q.executionQuery.SQL()
	return sql[:strings.LastIndex(sql, "\nLIMIT ")] + fmt.Sprintf("\nSETTINGS max_bytes_before_external_sort = %d", externalSort), args
}

// EachFinding reads every finding of a list.
func (s *Store) EachFinding(ctx context.Context, q pipeline.FindingQuery, each func([]pipeline.StoredFinding) error) (err error) {
	ctx, done := s.streaming(ctx, "findings")
	defer func() { done(&err) }()
	sel, err := s.findingQuery(q, 0)
	if err != nil {
		return err
	}
	repeated, err := s.repeated(ctx, scope{q.ProjectID, q.Visible})
	if err != nil {
		return err
	}
	last := "" // the same instant and id stand side by side
	return batches(ctx, s, streamFindings{sel}, scanFinding, func(context.Context, []pipeline.StoredFinding) error { return nil }, func(fs []pipeline.StoredFinding) error {
		if repeated {
			first, err := s.accepted(ctx, fs)
			if err != nil {
				return err
			}
			kept := fs[:0]
			for _, f := range fs {
				if at, ok := first[f.ID]; f.ID != last && (!ok || at.Equal(f.At)) {
					kept = append(kept, f)
				}
				last = f.ID
			}
			fs = kept
		}
		return each(fs)
	})
}

// EachExecution reads every execution of a list.
func (s *Store) EachExecution(ctx context.Context, q pipeline.ExecutionQuery, each func([]pipeline.Execution) error) (err error) {
	ctx, done := s.streaming(ctx, "executions")
	defer func() { done(&err) }()
	sel, err := s.executionQuery(q, 0)
	if err != nil {
		return err
	}
	scan := func(r scanner) (pipeline.Execution, error) {
		value, _ := sel.sort.place()
		return scanExecution(withLast{r, value})
	}
	return batches(ctx, s, streamExecutions{sel}, scan, s.tally, each)
}
