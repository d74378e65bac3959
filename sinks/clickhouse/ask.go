package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
	"github.com/stalker-asm/stalker/sinks/clickhouse/userql"
)

// Bounds of what one query of a person may take.
const (
	askWithin = 10 * time.Second
	askRows   = 10_000
	askBytes  = 16 << 20 // of the answer
	askMemory = 512 << 20
	askReads  = 200_000_000 // rows
)

// askSettings keep a query within bounds, and have the rows of other projects left out
// before anything of the query looks at them: filters that were moved together could
// be tried in any order.
const askSettings = "max_threads = 2, max_memory_usage = %d, max_rows_to_read = %d, max_execution_time = %d, timeout_overflow_mode = 'throw', " +
	"max_result_bytes = %d, result_overflow_mode = 'throw', max_ast_depth = 300, max_ast_elements = 20000, max_expanded_ast_elements = 50000, " +
	"max_subquery_depth = 20, max_columns_to_read = 200, max_temporary_columns = 500, max_bytes_before_external_sort = 0, max_bytes_before_external_group_by = 0, " +
	"enable_analyzer = 1, optimize_move_to_prewhere = 0, query_plan_optimize_prewhere = 0, query_plan_filter_push_down = 0, enable_optimize_predicate_expression = 0, " +
	"query_plan_remove_redundant_sorting = 0, optimize_duplicate_order_by_and_distinct = 0, allow_introspection_functions = 0, " +
	"additional_table_filters = {%s}"

// Ask answers a SELECT that somebody wrote, over the views of one project. What may stand
// in it says package userql. Errors: invalid for a query that cannot be answered, and
// for one that takes more than it may; unavailable when the store cannot answer now.
func (s *Store) Ask(ctx context.Context, q pipeline.SQLQuery) (out pipeline.SQLAnswer, err error) {
	statement, err := s.asked(q)
	if err != nil {
		return out, err
	}
	ctx, done := s.reading(ctx, "sql")
	defer func() { done(&err) }()
	if err := ctx.Err(); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := s.conn.Query(ctx, statement)
	if err == nil {
		out, err = readAnswer(r)
		err = errors.Join(err, r.Close())
	}
	if err != nil {
		return pipeline.SQLAnswer{}, saidOfQuery(ctx, err)
	}
	return out, nil
}

// asked is the statement. The project's id, which stands in it as text, is checked.
func (s *Store) asked(q pipeline.SQLQuery) (string, error) {
	if !pipeline.IsID(q.ProjectID) {
		return "", pipeline.Errorf(pipeline.CodeInvalid, "%q is no id of a project", q.ProjectID)
	}
	query, err := userql.Rewrite(q.Text)
	if err != nil {
		return "", err
	}
	var with []string
	for i := range views {
		v := &views[i]
		if query.Names[v.name] {
			with = append(with, v.with(s.cfg.Database, q.ProjectID))
		}
	}
	statement := fmt.Sprintf("SELECT * FROM (%s)\nLIMIT %d\nSETTINGS "+askSettings,
		query.SQL, askRows+1, askMemory, askReads, int(askWithin/time.Second), askBytes, s.onlyOf(q.ProjectID))
	if len(with) > 0 {
		statement = "WITH " + strings.Join(with, ",\n") + "\n" + statement
	}
	return statement, nil
}

// onlyOf are filters of every table there is, those too that no view reads: rows of
// the project, and none where rows are of no project.
func (s *Store) onlyOf(project string) string {
	var out []string
	for _, t := range schema.Tables() {
		filter := "0"
		if slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.Name == "project_id" }) {
			filter = `project_id = \'` + project + `\'`
		}
		out = append(out, fmt.Sprintf("'%s.%s': '%s'", s.cfg.Database, t.Name, filter))
	}
	return strings.Join(out, ", ")
}

func readAnswer(r driver.Rows) (out pipeline.SQLAnswer, err error) {
	out = pipeline.SQLAnswer{Columns: []pipeline.SQLColumn{}, Rows: [][]any{}}
	types := r.ColumnTypes()
	for _, c := range types {
		out.Columns = append(out.Columns, pipeline.SQLColumn{Name: strings.ReplaceAll(c.Name(), userql.Prefix, ""), Type: strings.ReplaceAll(c.DatabaseTypeName(), userql.Prefix, "")})
	}
	for r.Next() {
		if len(out.Rows) == askRows {
			out.Truncated = true
			break
		}
		row := make([]any, len(types))
		for i, c := range types {
			row[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := r.Scan(row...); err != nil {
			return out, err
		}
		for i := range row {
			row[i] = shown(reflect.ValueOf(row[i]).Elem())
		}
		out.Rows = append(out.Rows, row)
	}
	return out, r.Err()
}

// askTold are the errors about the query alone: its text may be passed on. That of
// others can hold values.
var askTold = map[int32]bool{
	42: true, 43: true, 44: true, 46: true, 47: true, 53: true, 60: true, 62: true, 63: true, 179: true, 184: true, 207: true, 215: true, 386: true,
	396: true, 158: true, 167: true, 168: true, 306: true, 307: true, 160: true, 352: true, 403: true,
}

// askTail is what the engine adds to its message: our statement, and its version.
var askTail = regexp.MustCompile(`(?s)(: While |:? in scope|\. In scope|: In query|In scope|\(version |: Failed at position|Maybe you meant).*`)

// saidOfQuery makes of the engine's objection one that names what the person wrote.
func saidOfQuery(ctx context.Context, err error) error {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	switch {
	case ok && ex.Code == 241 && strings.Contains(strings.ToLower(ex.Message), "query memory limit"):
		return pipeline.Errorf(pipeline.CodeInvalid, "the query takes more than %d MiB of memory: ask for less at once", askMemory>>20)
	case ok && ex.Code == 159, errors.Is(ctx.Err(), context.DeadlineExceeded):
		return pipeline.Errorf(pipeline.CodeInvalid, "the query takes longer than %s: ask for less at once", askWithin)
	case !ok || notNow[ex.Code] != "":
		return explain(err)
	case askTold[ex.Code]:
		message := askTail.ReplaceAllString(strings.ReplaceAll(ex.Message, userql.Prefix, ""), "")
		return pipeline.Errorf(pipeline.CodeInvalid, "the store does not take the query: %s", pipeline.Head(strings.TrimSpace(message), 300))
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "the store does not take the query (its code is %d)", ex.Code)
	}
}
