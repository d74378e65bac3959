package clickhouse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// Bounds of a page.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// pageSize is the limit that is meant by the limit that was given.
func pageSize(limit int) (int, error) {
	switch {
	case limit == 0:
		return defaultLimit, nil
	case limit < 0 || limit > maxLimit:
		return 0, pipeline.Errorf(pipeline.CodeInvalid, "limit %d is not within 1..%d", limit, maxLimit)
	default:
		return limit, nil
	}
}

// element is a part of a column that is a tuple. It must not be written as
// column.name: reading only that part of the column, FINAL does not see the whole
// tuples and keeps any of them instead of the greatest. For the same reason the
// connection has optimize_functions_to_subcolumns off.
func element(column, name string) string {
	return fmt.Sprintf("tupleElement(%s, '%s')", column, name)
}

// A resource, link or path shows when it was seen after it was deleted, in the form
// for where FINAL has folded and in the form for where rows are grouped by key.
const (
	visible        = "last_seen > deleted_at"
	visibleGrouped = "max(last_seen) > max(deleted_at)"
)

// keyColumn is a column by which a list is ordered, with the type its values are
// bound as.
type keyColumn struct{ name, typ string }

// encodeCursor makes the key of the last row of a page opaque.
func encodeCursor(key ...string) string {
	b, err := json.Marshal(key)
	if err != nil { // strings always marshal
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

var errCursor = pipeline.Errorf(pipeline.CodeInvalid, "the cursor is not one of this list; begin again without one")

// decodeCursor takes a cursor apart and checks each part, since it comes from
// outside: what is bound as a number or an address must be one.
func decodeCursor(cursor string, columns []keyColumn) ([]string, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, errCursor
	}
	var key []string
	if err := json.Unmarshal(b, &key); err != nil || len(key) != len(columns) {
		return nil, errCursor
	}
	for i, c := range columns {
		if !bindable(c.typ, key[i]) {
			return nil, errCursor
		}
	}
	return key, nil
}

func bindable(typ, value string) bool {
	var err error
	switch typ {
	case "String":
	case "IPv6":
		_, err = netip.ParseAddr(value)
	case "UInt8":
		_, err = strconv.ParseUint(value, 10, 8)
	case "UInt16":
		_, err = strconv.ParseUint(value, 10, 16)
	case "UInt32":
		_, err = strconv.ParseUint(value, 10, 32)
	case "Int64":
		_, err = strconv.ParseInt(value, 10, 64)
	default:
		return false
	}
	return err == nil
}

// selected is what is read of a column: all of it, or one part of a tuple.
type selected struct {
	column string
	fold   string // the aggregate by which rows of one key become one; "" for a column of the key
	part   string // "" for the whole column
}

func keyPart(column string) selected  { return selected{column: column} }
func constant(column string) selected { return selected{column, "max", ""} }
func latest(column string) selected   { return selected{column, "max", "value"} }

// final is the expression where FINAL has folded.
func (c selected) final() string {
	if c.part == "" {
		return c.column
	}
	return element(c.column, c.part)
}

// grouped is the expression where the rows are grouped by the key.
func (c selected) grouped() string {
	e := c.column
	if c.fold != "" {
		e = c.fold + "(" + e + ")"
	}
	if c.part == "" {
		return e
	}
	return element(e, c.part)
}

func expressions(columns []selected, form func(selected) string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = form(c)
	}
	return strings.Join(out, ", ")
}

// pageQuery selects one page of a table of resources, in the order of its sorting
// key.
type pageQuery struct {
	table   string
	columns []selected
	key     []keyColumn // without the project
	scope
	filter compiled
	sort   *sorting // nil for the order of the key
	after  []string // key of the row before the page, with the project; nil for the first
	limit  int
}

// SQL returns the statement and the values bound to it. FINAL picks the keys from
// the few columns that show whether a row counts, and the rest is read for those.
// Grouping in the order of the table would have to stop when the page is full, and
// does not: with parts that are not merged it aggregated everything, which took
// thirty times as long.
func (q pageQuery) SQL() (string, []any) {
	if q.sort != nil {
		return q.sorted()
	}
	where, args := q.where()
	if q.after != nil {
		columns, values := append([]keyColumn{{"project_id", "String"}}, q.key...), q.after
		if q.project != "" { // then that is no part of the order
			columns, values = columns[1:], values[1:]
		}
		cond, more := keyset(columns, values, ">")
		where, args = append(where, cond...), append(args, more...)
	}
	order := "project_id, " + strings.Join(names(q.key), ", ")
	limit := q.limit + 1 // one more than the page, to know whether there is a next
	where = append(where, visible)
	picked := fmt.Sprintf("(%[1]s) IN (\nSELECT %[1]s\nFROM %[2]s FINAL%[3]s\nORDER BY %[1]s\nLIMIT %[4]d)", order, q.table, conditions(where), limit)
	where, _ = q.conditions() // once more, for the primary index
	where = append(where, picked)
	return fmt.Sprintf("SELECT %s\nFROM %s%s\nGROUP BY %[4]s\nHAVING "+visibleGrouped+"\nORDER BY %[4]s\nLIMIT %[5]d\nSETTINGS optimize_aggregation_in_order = 1",
		expressions(q.columns, selected.grouped), q.table, conditions(where), order, limit), args
}

// totalQuery counts what a pageQuery selects, over all pages.
type totalQuery struct{ of pageQuery }

// SQL returns the statement and the values bound to it.
func (q totalQuery) SQL() (string, []any) {
	where, args := q.of.where()
	where = append(where, visible)
	return fmt.Sprintf("SELECT count()\nFROM %s FINAL%s", q.of.table, conditions(where)), args
}

func (q pageQuery) where() (where []string, args []any) {
	where, args = q.conditions()
	cond, more := q.filter.conditions()
	return append(where, cond...), append(args, more...)
}

// keyset is the condition that a row comes after (or, with "<", before) the given
// one. The first column is compared on its own too: that is what the primary
// index understands.
func keyset(columns []keyColumn, values []string, op string) (where []string, args []any) {
	binds := make([]string, len(columns))
	for i, c := range columns {
		name := "after" + strconv.Itoa(i)
		binds[i] = fmt.Sprintf("{%s:%s}", name, c.typ)
		args = append(args, clickhouse.Named(name, values[i]))
	}
	return []string{
		fmt.Sprintf("%s %s= %s", columns[0].name, op, binds[0]),
		fmt.Sprintf("(%s) %s (%s)", strings.Join(names(columns), ", "), op, strings.Join(binds, ", ")),
	}, args
}

func names(columns []keyColumn) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return out
}

func conditions(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return "\nWHERE " + strings.Join(where, "\n  AND ")
}

// oneQuery selects the resource with an id.
type oneQuery struct {
	table   string
	columns []selected
	id      string
}

// SQL returns the statement and the values bound to it. The id is a function of
// the key, so the index on it may be used before rows with the same key are made
// one.
func (q oneQuery) SQL() (string, []any) {
	return fmt.Sprintf("SELECT %s\nFROM %s FINAL\nWHERE id = {id:String}\n  AND "+visible+"\nLIMIT 1\nSETTINGS use_skip_indexes_if_final = 1",
		expressions(q.columns, selected.final), q.table), []any{clickhouse.Named("id", q.id)}
}

// statement is a query as a value.
type statement interface{ SQL() (string, []any) }

// scanner reads the columns of one row.
type scanner interface{ Scan(dest ...any) error }

// all reads every row of a query.
func all[T any](ctx context.Context, s *Store, q statement, scan func(scanner) (T, error)) ([]T, error) {
	sql, args := q.SQL()
	r, err := s.conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // the error that counts is Err
	var out []T
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, r.Err()
}

// count reads the one number a query gives.
func count(ctx context.Context, s *Store, q statement) (uint64, error) {
	n, err := all(ctx, s, q, func(r scanner) (n uint64, err error) { return n, r.Scan(&n) })
	if err != nil || len(n) != 1 {
		return 0, err
	}
	return n[0], nil
}
