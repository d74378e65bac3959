package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// findingKey orders findings; the cursor holds its values.
var findingKey = []keyColumn{{"at", "Int64"}, {"id", "String"}}

// findingQuery selects findings, newest first. It gives a finding that was
// accepted twice twice, or that was written twice; the reader drops those.
type findingQuery struct {
	pipeline.FindingQuery
	filter    compiled
	ascending bool     // oldest first
	after     []string // at and id of the row before; nil for the first page
	limit     int
}

// SQL returns the statement and the values bound to it.
func (q findingQuery) SQL() (string, []any) {
	where, args := q.where()
	if q.after != nil {
		// the time alone is what the primary index understands
		op := "<"
		if q.ascending {
			op = ">"
		}
		where = append(where, "at "+op+"= fromUnixTimestamp64Milli({at:Int64}, 'UTC')", "(at, id) "+op+" (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})")
		args = append(args, clickhouse.Named("at", q.after[0]), clickhouse.Named("id", q.after[1]))
	}
	order := "at DESC, id DESC"
	if q.ProjectID != "" {
		order = "project_id DESC, " + order // the order of the table: reading stops when the page is full
	}
	if q.ascending {
		order = strings.ReplaceAll(order, " DESC", "")
	}
	return fmt.Sprintf("SELECT id, project_id, correlation_key, at, source, execution_id, job, user_id, root_id, depth, type, key, name, tag, "+
		"ssl, domain, ip, mask, port, protocol, path, fields\nFROM findings%s\nORDER BY %s\nLIMIT %d", conditions(where), order, q.limit), args
}

func (q findingQuery) where() (where []string, args []any) {
	where, args = scope{q.ProjectID, q.Visible}.conditions()
	for _, f := range []struct{ column, value string }{
		{"correlation_key", q.Target}, {"key", q.Key}, {"execution_id", q.ExecutionID},
	} {
		if f.value != "" {
			where = append(where, fmt.Sprintf("%s = {%s:String}", f.column, f.column))
			args = append(args, clickhouse.Named(f.column, f.value))
		}
	}
	cond, more := q.filter.conditions()
	return append(where, cond...), append(args, more...)
}

// findingTotal counts the findings that a findingQuery selects over all pages.
type findingTotal struct {
	of     findingQuery
	simple bool // no finding has two rows
}

// table is the one that is counted in: where it can be, the narrow one that has
// each finding once.
func (q findingTotal) table() string {
	if q.of.Target == "" && q.of.Key == "" && q.of.filter.where == "" {
		return "finding_ids"
	}
	return "findings"
}

// SQL returns the statement and the values bound to it.
func (q findingTotal) SQL() (string, []any) {
	where, args := q.of.where()
	if q.table() == "finding_ids" {
		return "SELECT count()\nFROM finding_ids FINAL" + conditions(where), args
	}
	if q.simple {
		return "SELECT count()\nFROM findings" + conditions(where), args
	}
	return "SELECT uniqExact(id)\nFROM findings" + conditions(where), args
}

// acceptedQuery says when findings were first accepted.
type acceptedQuery struct{ projects, executions, ids []string }

// SQL returns the statement and the values bound to it.
func (q acceptedQuery) SQL() (string, []any) {
	return "SELECT id, min(at)\nFROM finding_ids\nWHERE project_id IN {projects:Array(String)}\n  AND execution_id IN {executions:Array(String)}\n  AND id IN {ids:Array(String)}\nGROUP BY id",
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("executions", q.executions), clickhouse.Named("ids", q.ids)}
}

// Known returns which of the ids are those of findings that no execution said: of
// people and of imports.
func (s *Store) Known(ctx context.Context, projectID string, ids []string) (known map[string]bool, err error) {
	ctx, done := s.reading(ctx, "finding_ids")
	defer func() { done(&err) }()
	known = map[string]bool{}
	if len(ids) == 0 {
		return known, nil
	}
	_, err = all(ctx, s, acceptedQuery{[]string{projectID}, []string{""}, ids}, func(r scanner) (struct{}, error) {
		var id string
		var at time.Time
		err := r.Scan(&id, &at)
		known[id] = true
		return struct{}{}, err
	})
	return known, err
}

// Findings lists stored findings, newest first.
func (s *Store) Findings(ctx context.Context, q pipeline.FindingQuery) (page pipeline.Page[pipeline.StoredFinding], err error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	sel, err := s.findingQuery(q, limit)
	if err != nil {
		return page, err
	}
	page, err = shared(ctx, s, listed{filter.Finding, q}, []string{"findings", "finding_ids"}, func(ctx context.Context) (pipeline.Page[pipeline.StoredFinding], error) {
		return s.readFindings(ctx, sel, limit)
	})
	page.Items = slices.Clone(page.Items)
	return page, err
}

func (s *Store) readFindings(ctx context.Context, sel findingQuery, limit int) (page pipeline.Page[pipeline.StoredFinding], err error) {
	ctx, done := s.reading(ctx, "findings")
	defer func() { done(&err) }()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		page.Total, err = s.findingTotal(gctx, sel)
		return err
	})
	g.Go(func() (err error) {
		page.Items, err = s.firstFindings(gctx, sel)
		return err
	})
	if err := g.Wait(); err != nil {
		return pipeline.Page[pipeline.StoredFinding]{}, err
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = findingCursor(&page.Items[limit-1])
	}
	return page, nil
}

// findingTotal counts the findings of all pages. Telling ids apart is what takes
// time, and hardly ever needed; where few rows are counted it does not matter.
func (s *Store) findingTotal(ctx context.Context, sel findingQuery) (uint64, error) {
	total := findingTotal{of: sel}
	if total.table() == "findings" && sel.Target == "" {
		repeated, err := s.repeated(ctx, scope{sel.ProjectID, sel.Visible})
		if err != nil {
			return 0, err
		}
		total.simple = !repeated
	}
	return s.total(ctx, total, total.table())
}

// findingQuery makes a statement of what is asked for.
func (s *Store) findingQuery(q pipeline.FindingQuery, limit int) (sel findingQuery, err error) {
	sel = findingQuery{FindingQuery: q, limit: limit + 1}
	if sel.filter, err = s.compile(filter.Finding, q.Text, ""); err != nil {
		return sel, err
	}
	switch q.Sort {
	case "", "-at":
	case "at":
		sel.ascending = true
	default:
		return sel, pipeline.Errorf(pipeline.CodeInvalid, "sort: findings are sorted by at or -at, not by %q", q.Sort)
	}
	sel.after, err = decodeCursor(q.Cursor, findingKey)
	return sel, err
}

func findingCursor(f *pipeline.StoredFinding) string {
	return encodeCursor(strconv.FormatInt(f.At.UnixMilli(), 10), f.ID)
}

// firstFindings reads q.limit findings, leaving out what is there a second time.
// Repetitions are rare, so one round is nearly always enough.
func (s *Store) firstFindings(ctx context.Context, q findingQuery) ([]pipeline.StoredFinding, error) {
	out := []pipeline.StoredFinding{}
	want := q.limit
	for {
		got, err := all(ctx, s, q, scanFinding)
		if err != nil {
			return nil, err
		}
		first, err := s.accepted(ctx, got)
		if err != nil {
			return nil, err
		}
		for _, f := range got {
			again := len(out) > 0 && out[len(out)-1].ID == f.ID
			if at, ok := first[f.ID]; !again && (!ok || at.Equal(f.At)) {
				out = append(out, f)
			}
		}
		if len(got) < q.limit || len(out) >= want {
			return out[:min(len(out), want)], nil
		}
		last := &got[len(got)-1]
		q.after = []string{strconv.FormatInt(last.At.UnixMilli(), 10), last.ID}
	}
}

// accepted returns when each finding was first accepted. One that is missing was
// written a moment ago, to one table and not yet to the other.
func (s *Store) accepted(ctx context.Context, fs []pipeline.StoredFinding) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	if len(fs) == 0 {
		return first, nil
	}
	var q acceptedQuery
	projects, executions := map[string]bool{}, map[string]bool{}
	for i := range fs {
		q.ids = append(q.ids, fs[i].ID)
		add(&q.projects, projects, fs[i].ProjectID)
		add(&q.executions, executions, fs[i].ExecutionID)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var id string
		var at time.Time
		err := r.Scan(&id, &at)
		first[id] = at
		return struct{}{}, err
	})
	return first, err
}

func add(list *[]string, have map[string]bool, v string) {
	if !have[v] {
		have[v] = true
		*list = append(*list, v)
	}
}

func scanFinding(r scanner) (f pipeline.StoredFinding, err error) {
	var (
		source, typ, protocol, fields string
		depth, port                   uint16
		ssl                           int8
		mask                          int16
	)
	if err := r.Scan(&f.ID, &f.ProjectID, &f.CorrelationKey, &f.At, &source, &f.ExecutionID, &f.Job, &f.UserID, &f.RootID, &depth,
		&typ, &f.Key, &f.Name, &f.Tag, &ssl, &f.Domain, &f.IP, &mask, &port, &protocol, &f.Path, &fields); err != nil {
		return f, err
	}
	f.At, f.Depth, f.Port = f.At.UTC(), int(depth), int(port)
	f.Source, f.Type, f.Protocol = pipeline.Source(source), pipeline.FindingType(typ), pipeline.Protocol(protocol)
	if ssl >= 0 {
		secure := ssl == 1
		f.SSL = &secure
	}
	if mask >= 0 {
		bits := int(mask)
		f.Mask = &bits
	}
	if f.Fields, err = record.DecodeFields([]byte(fields)); err != nil {
		return f, fmt.Errorf("the fields of the finding %s: %w", f.ID, err)
	}
	return f, nil
}
