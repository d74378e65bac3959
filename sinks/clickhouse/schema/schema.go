// Package schema declares the tables of the store in Go and makes a database have
// them. Reconcile compares the declaration with what is there and does what is
// missing: a second run does nothing. It adds tables, columns and indexes, and sets
// how long rows are kept; it never drops or rewrites, so a newer and an older release
// can share a database. Fill then writes what a new column needs of old rows.
// What it cannot reconcile (a column of another type, another sort key) is an
// error that says so.
package schema

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/stalker-asm/stalker/pipeline"
)

// Column is a column of a table.
type Column struct{ Name, Type string }

// Index is a data skipping index.
type Index struct{ Name, Expr, Type string }

// Table is a table as it should be.
type Table struct {
	Name       string
	Engine     string
	Columns    []Column
	OrderBy    []string
	PrimaryKey []string // a beginning of OrderBy; empty means all of it
	Indexes    []Index
	Defaults   map[string]string // expressions of columns that rows of before do not have
	Settle     int               // after how many quiet seconds its parts are made one; 0 leaves that to the engine
	Age        string            // the column that says how old a row is, of tables that may forget
	Days       int               // after how many of them a row goes; 0 means never
	Cluster    Cluster
	Fills      []Fill
}

// Fill is a statement that writes what a column lacks of rows that were written
// before there was the column. It may be carried out any number of times. A column
// whose comment is Filled needs it no more; in a new table that is so from the start.
type Fill struct{ Column, SQL string }

// Filled is the comment of a column that was filled.
const Filled = "filled"

// Create returns the statement that makes the table that has the rows.
func (t *Table) Create() string {
	var parts []string
	for _, c := range t.Columns {
		def := t.column(c)
		if slices.ContainsFunc(t.Fills, func(f Fill) bool { return f.Column == c.Name }) {
			def += " COMMENT '" + Filled + "'"
		}
		parts = append(parts, "    "+def)
	}
	for _, i := range t.Indexes {
		parts = append(parts, "    "+i.definition())
	}
	sql := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (\n%s\n) ENGINE = %s\nORDER BY (%s)", t.Own()+t.Cluster.On(), strings.Join(parts, ",\n"), t.engine(), strings.Join(t.OrderBy, ", "))
	if len(t.PrimaryKey) > 0 {
		sql += fmt.Sprintf("\nPRIMARY KEY (%s)", strings.Join(t.PrimaryKey, ", "))
	}
	if ttl := t.ttl(); ttl != "" {
		sql += "\nTTL " + ttl
	}
	if s := t.settings(); len(s) > 0 {
		sql += "\nSETTINGS " + strings.Join(s, ", ")
	}
	return sql
}

func (c Column) definition() string { return "`" + c.Name + "` " + c.Type }

// column is a column's definition in the table that has the rows.
func (t *Table) column(c Column) string {
	if d, ok := t.Defaults[c.Name]; ok {
		return c.definition() + " DEFAULT " + d
	}
	return c.definition()
}

// settings are the table's own, as the server writes them.
func (t *Table) settings() []string {
	if t.Settle == 0 {
		return nil
	}
	return []string{fmt.Sprintf("min_age_to_force_merge_seconds = %d", t.Settle), "min_age_to_force_merge_on_partition_only = 1"}
}

// settled returns what gives the table its settings; have is the engine as it is.
func (t *Table) settled(have string) []string {
	var missing []string
	for _, s := range t.settings() {
		if !strings.Contains(have, s) {
			missing = append(missing, s)
		}
	}
	if missing == nil {
		return nil
	}
	return []string{t.alter() + " MODIFY SETTING " + strings.Join(missing, ", ")}
}

func (i Index) definition() string {
	return fmt.Sprintf("INDEX %s %s TYPE %s GRANULARITY 1", i.Name, i.Expr, i.Type)
}

// Step is one thing that was looked at, and what was done about it.
type Step struct {
	Name    string // for people: "table domains", "column domains.name"
	Applied bool   // false when it was there already
}

// Conn is what Reconcile needs of a connection to the database.
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) error
	Query(ctx context.Context, sql string, args ...any) (driver.Rows, error)
}

// Reconcile makes the connection's database have the tables. It returns what it
// looked at so far also when it fails.
func Reconcile(ctx context.Context, c Conn, tables []Table) ([]Step, error) {
	have, err := inspect(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	var steps []Step
	var problems []error
	for _, t := range tables {
		plan, err := have.plan(&t)
		problems = append(problems, err)
		for _, p := range append(plan, have.over(&t)...) {
			for _, sql := range p.sql {
				if err := c.Exec(ctx, sql); err != nil {
					return steps, fmt.Errorf("making %s: %w", p.name, err)
				}
			}
			steps = append(steps, Step{Name: p.name, Applied: len(p.sql) > 0})
		}
	}
	return steps, errors.Join(problems...)
}

// planned is a step before it is done; no statement means nothing is missing.
type planned struct {
	name string
	sql  []string
}

// existing is the schema as it is.
type existing struct {
	sortKeys map[string]string            // by table
	columns  map[string]map[string]string // type by table and name
	indexes  map[string][]string          // names by table
	ttls     map[string]string            // by table
	engines  map[string]string            // in full, by table
}

func inspect(ctx context.Context, c Conn) (*existing, error) {
	e := &existing{sortKeys: map[string]string{}, columns: map[string]map[string]string{}, indexes: map[string][]string{}, ttls: map[string]string{}, engines: map[string]string{}}
	err := each(ctx, c, "SELECT name, sorting_key, engine_full FROM system.tables WHERE database = currentDatabase()", func(f [3]string) {
		e.sortKeys[f[0]], e.columns[f[0]], e.ttls[f[0]], e.engines[f[0]] = f[1], map[string]string{}, ttlOf(f[2]), f[2]
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, c, "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()", func(f [3]string) {
		if m := e.columns[f[0]]; m != nil { // nil: made meanwhile
			m[f[1]] = f[2]
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, c, "SELECT table, name, '' FROM system.data_skipping_indices WHERE database = currentDatabase()", func(f [3]string) {
		e.indexes[f[0]] = append(e.indexes[f[0]], f[1])
	})
	return e, err
}

func each(ctx context.Context, c Conn, sql string, fn func([3]string)) error {
	r, err := c.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // the error that counts is Err
	for r.Next() {
		var f [3]string
		if err := r.Scan(&f[0], &f[1], &f[2]); err != nil {
			return err
		}
		fn(f)
	}
	return r.Err()
}

func (e *existing) plan(t *Table) ([]planned, error) {
	key, ok := e.sortKeys[t.Own()]
	if !ok {
		return []planned{{"table " + t.Name, []string{t.Create()}}}, nil
	}
	plan := []planned{{name: "table " + t.Name}}
	if want := strings.Join(t.OrderBy, ", "); key != want {
		return plan, pipeline.Errorf(pipeline.CodeConflict, "table %s is sorted by (%s), not by (%s); it is not ours, or of an incompatible release", t.Name, key, want)
	}
	var problems []error
	for _, c := range t.Columns {
		p := planned{name: "column " + t.Name + "." + c.Name}
		switch typ, ok := e.columns[t.Own()][c.Name]; {
		case !ok:
			p.sql = []string{fmt.Sprintf("%s ADD COLUMN IF NOT EXISTS %s", t.alter(), t.column(c))}
		case normal(typ) != normal(c.Type):
			problems = append(problems, pipeline.Errorf(pipeline.CodeConflict, "column %s.%s is %s, not %s", t.Name, c.Name, normal(typ), normal(c.Type)))
		}
		plan = append(plan, p)
	}
	for _, i := range t.Indexes {
		p := planned{name: "index " + t.Name + "." + i.Name}
		if !slices.Contains(e.indexes[t.Own()], i.Name) {
			p.sql = []string{
				fmt.Sprintf("%s ADD %s", t.alter(), strings.Replace(i.definition(), "INDEX", "INDEX IF NOT EXISTS", 1)),
				fmt.Sprintf("%s MATERIALIZE INDEX %s", t.alter(), i.Name),
			}
		}
		plan = append(plan, p)
	}
	if t.Age != "" {
		plan = append(plan, planned{"retention " + t.Name, t.forget(e.ttls[t.Own()])})
	}
	if t.Settle > 0 {
		plan = append(plan, planned{"settings " + t.Name, t.settled(e.engines[t.Own()])})
	}
	return plan, errors.Join(problems...)
}

var spaces = regexp.MustCompile(`\s+`)

// normal is a type in one form: versions differ in how they break lines.
func normal(typ string) string {
	return strings.ReplaceAll(spaces.ReplaceAllString(typ, " "), "( ", "(")
}

// CreateDatabase makes the database when it is missing; c must be connected to
// another one.
func CreateDatabase(ctx context.Context, c Conn, name string, on Cluster) error {
	err := c.Exec(ctx, "CREATE DATABASE IF NOT EXISTS {name:Identifier}"+on.On(), clickhouse.Named("name", name))
	if err != nil {
		return fmt.Errorf("making the database %s: %w", name, err)
	}
	return nil
}
