package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// executionKey settles the order of executions; the cursor holds its value.
var executionKey = []keyColumn{{"id", "String"}}

var executionColumns = strings.Join([]string{
	"id", "project_id", "job", "target", "request", "queued_at", element("current", "attempt"), element("current", "at"),
	element("current", "state"), element("current", "reason"), element("current", "detail"), element("current", "exited"),
	element("current", "exit_code"), element("current", "runner"), element("started", "attempt"), element("started", "at"),
}, ", ")

// executionQuery selects executions, the last queued first.
type executionQuery struct {
	pipeline.ExecutionQuery
	id     string // "" means any
	filter compiled
	sort   *sorting // nil for the last queued first
	after  []string
	limit  int
}

// SQL returns the statement and the values bound to it.
func (q executionQuery) SQL() (string, []any) {
	where, args := q.where()
	sort := q.sort
	if sort == nil {
		sort = lastQueued
	}
	by := []keyColumn{sort.by, {"id", "String"}}
	if q.after != nil {
		cond, more := keyset(by, q.after, sort.op())
		where, args = append(where, cond...), append(args, more...)
	}
	return fmt.Sprintf("SELECT %s, %s\nFROM executions FINAL%s\nORDER BY %s\nLIMIT %d\nSETTINGS use_skip_indexes_if_final = 1",
		executionColumns, sort.by.name, conditions(where), sort.order(by), q.limit), args
}

// lastQueued is the order of executions when none is asked for.
var lastQueued = &sorting{spec: "-queuedAt", by: millisOf("queued_at"), desc: true}

func (q executionQuery) where() (where []string, args []any) {
	where, args = scope{q.ProjectID, q.Visible}.conditions()
	for _, f := range []struct{ column, bind, value string }{
		{element("current", "state"), "state", string(q.State)}, {"id", "id", q.id},
	} {
		if f.value != "" {
			where = append(where, fmt.Sprintf("%s = {%s:String}", f.column, f.bind))
			args = append(args, clickhouse.Named(f.bind, f.value))
		}
	}
	cond, more := q.filter.conditions()
	return append(where, cond...), append(args, more...)
}

// executionTotal counts the executions that an executionQuery selects over all
// pages.
type executionTotal struct{ of executionQuery }

// SQL returns the statement and the values bound to it.
func (q executionTotal) SQL() (string, []any) {
	where, args := q.of.where()
	return "SELECT count()\nFROM executions FINAL" + conditions(where), args
}

// tallyQuery counts, for the executions of one page, the findings and the log
// lines of the two worst levels.
type tallyQuery struct{ projects, ids []string }

// SQL returns the statement and the values bound to it.
func (q tallyQuery) SQL() (string, []any) {
	return `SELECT execution_id, count(), toUInt64(0), toUInt64(0)
FROM finding_ids FINAL
WHERE project_id IN {projects:Array(String)}
  AND execution_id IN {ids:Array(String)}
GROUP BY execution_id
UNION ALL
SELECT execution_id, toUInt64(0), countIf(level = 3), countIf(level = 2)
FROM logs FINAL
WHERE execution_id IN {ids:Array(String)}
GROUP BY execution_id`, []any{clickhouse.Named("projects", q.projects), clickhouse.Named("ids", q.ids)}
}

// Executions lists executions, the last queued first.
func (s *Store) Executions(ctx context.Context, q pipeline.ExecutionQuery) (page pipeline.Page[pipeline.Execution], err error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	sel, err := s.executionQuery(q, limit)
	if err != nil {
		return page, err
	}
	page, err = shared(ctx, s, listed{filter.Execution, q}, []string{"executions", "finding_ids", "logs"}, func(ctx context.Context) (pipeline.Page[pipeline.Execution], error) {
		return s.readExecutions(ctx, sel, limit)
	})
	page.Items = slices.Clone(page.Items)
	return page, err
}

func (s *Store) readExecutions(ctx context.Context, sel executionQuery, limit int) (page pipeline.Page[pipeline.Execution], err error) {
	ctx, done := s.reading(ctx, "executions")
	defer func() { done(&err) }()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		page.Total, err = s.total(gctx, executionTotal{sel}, "executions")
		return err
	})
	g.Go(func() (err error) {
		var by []string
		page.Items, err = all(gctx, s, sel, func(r scanner) (pipeline.Execution, error) {
			value, text := sel.sort.place()
			e, err := scanExecution(withLast{r, value})
			by = append(by, text())
			return e, err
		})
		if err != nil {
			return err
		}
		if len(page.Items) > limit {
			page.Items = page.Items[:limit]
			page.Next = encodeCursor(sel.sort.spec, by[limit-1], page.Items[limit-1].ID)
		}
		return s.tally(gctx, page.Items)
	})
	if err := g.Wait(); err != nil {
		return pipeline.Page[pipeline.Execution]{}, err
	}
	if page.Items == nil {
		page.Items = []pipeline.Execution{}
	}
	return page, nil
}

// executionQuery makes a statement of what is asked for.
func (s *Store) executionQuery(q pipeline.ExecutionQuery, limit int) (sel executionQuery, err error) {
	sel = executionQuery{ExecutionQuery: q, limit: limit + 1}
	if sel.filter, err = s.compile(filter.Execution, q.Text, ""); err != nil {
		return sel, err
	}
	if sel.sort, err = parseSort(filter.Execution, q.Sort); err != nil {
		return sel, err
	}
	if sel.sort == nil {
		sel.sort = lastQueued
	}
	sel.after, err = decodeSorted(q.Cursor, sel.sort, executionKey)
	return sel, err
}

// Execution reads one execution.
func (s *Store) Execution(ctx context.Context, id string) (e pipeline.Execution, err error) {
	ctx, done := s.reading(ctx, "executions")
	defer func() { done(&err) }()
	var found []pipeline.Execution
	if id != "" {
		var queued int64
		found, err = all(ctx, s, executionQuery{id: id, limit: 1}, func(r scanner) (pipeline.Execution, error) { return scanExecution(withLast{r, &queued}) })
	}
	if err != nil {
		return e, err
	}
	if len(found) == 0 {
		return e, pipeline.Errorf(pipeline.CodeNotFound, "there is no execution with the id %q", id)
	}
	return found[0], s.tally(ctx, found[:1])
}

// tally fills in the counts of the executions of a page.
func (s *Store) tally(ctx context.Context, es []pipeline.Execution) error {
	if len(es) == 0 {
		return nil
	}
	by := map[string]*pipeline.Execution{}
	var q tallyQuery
	projects := map[string]bool{}
	for i := range es {
		by[es[i].ID] = &es[i]
		q.ids = append(q.ids, es[i].ID)
		add(&q.projects, projects, es[i].ProjectID)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var id string
		var findings, errs, warnings uint64
		err := r.Scan(&id, &findings, &errs, &warnings)
		if e := by[id]; e != nil {
			e.Findings, e.Errors, e.Warnings = e.Findings+int(findings), e.Errors+int(errs), e.Warnings+int(warnings)
		}
		return struct{}{}, err
	})
	return err
}

func scanExecution(r scanner) (e pipeline.Execution, err error) {
	var (
		request, state, reason string
		attempt, started       uint32
		exited                 uint8
		exitCode               int32
		at, startedAt          time.Time
	)
	if err := r.Scan(&e.ID, &e.ProjectID, &e.Job, &e.Target, &request, &e.QueuedAt, &attempt, &at, &state,
		&reason, &e.Detail, &exited, &exitCode, &e.Runner, &started, &startedAt); err != nil {
		return e, err
	}
	e.QueuedAt, e.Attempt, e.State, e.Reason = e.QueuedAt.UTC(), int(attempt), pipeline.State(state), pipeline.Reason(reason)
	if exited == 1 {
		code := int(exitCode)
		e.ExitCode = &code
	}
	if started > 0 && started == attempt {
		e.StartedAt = startedAt.UTC()
	}
	if e.State.Ended() {
		e.EndedAt = at.UTC()
	}
	e.Arguments = []pipeline.Argument{}
	if request == "" { // an event came before its request
		return e, nil
	}
	var asked pipeline.JobRequest
	if err := json.Unmarshal([]byte(request), &asked); err != nil {
		return e, fmt.Errorf("the request of the execution %s: %w", e.ID, err)
	}
	e.Cause = asked.Cause
	if asked.Arguments != nil {
		e.Arguments = asked.Arguments
	}
	return e, nil
}
