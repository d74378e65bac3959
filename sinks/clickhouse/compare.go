package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// Beside opens a store on another database of the same servers. It has metrics of
// its own, which nobody sees. Migrate it, close it.
func (s *Store) Beside(database string) (*Store, error) {
	cfg, opts := s.cfg, *s.opts
	cfg.Database, opts.Auth.Database = database, database
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("clickhouse config: %w", err)
	}
	conn, err := clickhouse.Open(&opts)
	if err != nil {
		return nil, fmt.Errorf("clickhouse config: %w", err)
	}
	return &Store{
		cfg: cfg, opts: &opts, conn: conn, log: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry()), now: s.now, door: s.door,
	}, nil
}

// Database is the name of the store's database.
func (s *Store) Database() string { return s.cfg.Database }

// DropDatabase removes the store's database with everything in it.
func (s *Store) DropDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	err := s.conn.Exec(ctx, "DROP DATABASE IF EXISTS {name:Identifier}"+s.cfg.Cluster.On()+" SYNC", clickhouse.Named("name", s.cfg.Database))
	if err != nil {
		return fmt.Errorf("dropping the database %s: %w", s.cfg.Database, explain(err))
	}
	return nil
}

// Difference is how a table of a store stands to what it should hold.
type Difference struct {
	Table string `json:"table"`
	// Expected is how many keys the other store holds.
	Expected uint64 `json:"expected"`
	// Lost is how many of those this one lacks.
	Lost uint64 `json:"lost"`
	// Stale is how many it has, but shows otherwise than it should.
	Stale uint64 `json:"stale"`
	// Unknown is how many keys only this one holds.
	Unknown uint64 `json:"unknown"`
	// Duplicated is how many keys a reader would see more than once.
	Duplicated uint64 `json:"duplicated"`
	// Examples are some of the keys that are lost or stale.
	Examples []string `json:"examples,omitempty"`
}

// Compare holds the store against another one that was made from records this one
// must have: merging the other's rows in must change nothing that anybody sees. Both are read as they
// are now, merged or not. Only the given projects count.
func (s *Store) Compare(ctx context.Context, other *Store, projects []string) ([]Difference, error) {
	var out []Difference
	for _, t := range s.tables() {
		d, err := s.compareTable(ctx, other, &t, projects)
		if err != nil {
			return nil, fmt.Errorf("comparing %s: %w", t.Name, explain(err))
		}
		out = append(out, d)
	}
	return out, nil
}

// examples is how many keys are named per table.
const examples = 5

func (s *Store) compareTable(ctx context.Context, other *Store, t *schema.Table, projects []string) (Difference, error) {
	d := Difference{Table: t.Name}
	q := compareQuery{table: t, mine: s.cfg.Database, others: other.cfg.Database, projects: projects}
	sql, args := q.SQL()
	err := s.conn.QueryRow(ctx, sql, args...).Scan(&d.Expected, &d.Lost, &d.Stale, &d.Unknown, &d.Examples)
	if err != nil {
		return d, err
	}
	sql, args = doubledQuery{table: t, projects: projects}.SQL()
	return d, s.conn.QueryRow(ctx, sql, args...).Scan(&d.Duplicated)
}

// merging is how a column of several rows with the same key becomes one.
var merging = regexp.MustCompile(`^SimpleAggregateFunction\((\w+),`)

// compareQuery counts keys by how both stores know them.
type compareQuery struct {
	table        *schema.Table
	mine, others string
	projects     []string
}

// SQL returns the statement and the values bound to it. Rows of both are merged by
// key, once all of them and once mine only: where a reader sees a difference between
// the two, something of the other's is not in mine.
func (q compareQuery) SQL() (string, []any) {
	args := []any{clickhouse.Named("projects", q.projects)}
	both := fmt.Sprintf("(%s UNION ALL %s)", q.from(q.mine, 0), q.from(q.others, 1))
	if q.table.Name == "changes" {
		return historiesSQL(both), args
	}
	key := q.table.OrderBy
	return compared(both, key, "countIf(other = 0)", "countIf(other = 1)", q.shown(false), q.shown(true)), args
}

// compared counts the keys of some rows by who has them and whether all and mine show
// the same.
func compared(from string, key []string, mine, others string, shown, shownOfMine []string) string {
	return fmt.Sprintf(`SELECT countIf(others > 0), countIf(mine = 0), countIf(mine > 0 AND others > 0 AND differs), countIf(others = 0),
    groupArrayIf(%d)(name, mine = 0 OR others > 0 AND differs)
FROM (
    SELECT %s AS mine, %s AS others, arrayStringConcat([%s], ' ') AS name,
        tuple(%s) != tuple(%s) AS differs
    FROM %s
    GROUP BY %s
)`, examples, mine, others, texts(key), strings.Join(shown, ", "), strings.Join(shownOfMine, ", "), from, strings.Join(key, ", "))
}

// from selects the rows of a database. The columns are named: in a store of an earlier
// release they have another order.
func (q compareQuery) from(database string, other int) string {
	columns := make([]string, len(q.table.Columns))
	for i, c := range q.table.Columns {
		columns[i] = "`" + c.Name + "`"
	}
	return fmt.Sprintf("SELECT %s, %d AS other FROM %s.%s WHERE project_id IN {projects:Array(String)}%s",
		strings.Join(columns, ", "), other, database, q.table.Name, kept(q.table))
}

// kept leaves out what is about to be forgotten: of that, one store may have
// forgotten more than the other.
func kept(t *schema.Table) string {
	if t.Days == 0 {
		return ""
	}
	return fmt.Sprintf(" AND %s > now() - toIntervalDay(%d)", t.Age, t.Days-1)
}

// shown are what a reader sees of the rows of a key, all of them or mine only. Not
// compared is what no reader sees and what depends on what came first: when something
// was deleted of which nothing is left since, or looked for that was seen since, and
// from when on there has been no value.
func (q compareQuery) shown(mine bool) (out []string) {
	of := func(c *schema.Column) string {
		f := "max"
		if m := merging.FindStringSubmatch(c.Type); m != nil {
			f = m[1]
		}
		if mine {
			return fmt.Sprintf("%sIf(`%s`, other = 0)", f, c.Name)
		}
		return fmt.Sprintf("%s(`%s`)", f, c.Name)
	}
	by := map[string]string{}
	for i := range q.table.Columns {
		by[q.table.Columns[i].Name] = of(&q.table.Columns[i])
	}
	for i := range q.table.Columns {
		c := &q.table.Columns[i]
		e := by[c.Name]
		switch {
		case slices.Contains(q.table.OrderBy, c.Name), c.Name == "stored_by", c.Name == "stored_at": // who wrote it, and when
			continue
		case c.Name == "deleted_at":
			e = by["last_seen"] + " > " + e
		case c.Name == "looked_at":
			e = e + " > " + by["last_seen"] + " AND " + by["last_seen"] + " > " + by["deleted_at"]
		case c.Name == "ssl" && q.table.Name == "websites":
			e = fmt.Sprintf("if(toInt64(bitShiftRight(tupleElement(%[1]s, 'version'), 20)) > toUnixTimestamp64Milli(%[2]s), tupleElement(%[1]s, 'value'), 2)", e, by["deleted_at"])
		case strings.Contains(c.Type, "Tuple(version UInt64,"):
			e = fmt.Sprintf("tuple(if(tupleElement(%[1]s, 'value') = defaultValueOfArgumentType(tupleElement(%[1]s, 'value')), 0, tupleElement(%[1]s, 'version')), tupleElement(%[1]s, 'value'))", e)
		case strings.Contains(c.Type, "(group"): // a set has no order
			e = "arraySort(" + e + ")"
		}
		out = append(out, e)
	}
	if len(out) == 0 { // the key is all there is
		out = []string{"1"}
	}
	return out
}

// historiesSQL compares histories: first what was said of an instant becomes one, as
// for whoever reads it. What is written beyond what changed depends on batches, and
// how often something went and came back on what came first; which values there were,
// and whether a resource is there, closed or deleted, do not.
func historiesSQL(both string) string {
	const value = "tupleElement(said, 'value')"
	instants := "(SELECT project_id, resource_id, attribute, at, max(" + value + ") AS whole, maxIf(" + value + ", other = 0) AS known,\n" +
		"    countIf(other = 0) > 0 AS is_mine, countIf(other = 1) > 0 AS is_other\n    FROM " + both + "\n    GROUP BY project_id, resource_id, attribute, at)"
	story := func(values string) []string {
		const left = "arrayFilter(x -> x != 'closed', vs)"
		vs := "arrayMap(x -> x.2, arraySort(groupArray" + values + "))"
		return []string{
			"arraySort(arrayDistinct(arrayFilter(x -> attribute != '' OR x = 'open', " + vs + ")))",
			strings.ReplaceAll("if(attribute = '', "+left+"[-1], '')", "vs", vs),
			strings.ReplaceAll("attribute = '' AND "+left+"[-1] = 'open' AND vs[-1] = 'closed'", "vs", vs),
		}
	}
	return compared(instants, []string{"project_id", "resource_id", "attribute"}, "countIf(is_mine)", "countIf(is_other)",
		story("((at, whole))"), story("If((at, known), is_mine)"))
}

func texts(columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = "toString(" + c + ")"
	}
	return strings.Join(out, ", ")
}

// doubledQuery counts keys that a reader would see more than once. A finding that
// was accepted twice is stored twice, and shown as it was accepted first.
type doubledQuery struct {
	table    *schema.Table
	projects []string
}

// SQL returns the statement and the values bound to it.
func (q doubledQuery) SQL() (string, []any) {
	args := []any{clickhouse.Named("projects", q.projects)}
	if q.table.Name == "findings" {
		return `SELECT toUInt64(count() - uniqExact(project_id, id)) FROM findings FINAL WHERE project_id IN {projects:Array(String)}
    AND (project_id, execution_id, id, at) IN (
        SELECT project_id, execution_id, id, min(at) FROM finding_ids WHERE project_id IN {projects:Array(String)} GROUP BY project_id, execution_id, id)`, args
	}
	return fmt.Sprintf("SELECT toUInt64(count() - uniqExact(%s)) FROM %s FINAL WHERE project_id IN {projects:Array(String)}",
		strings.Join(q.table.OrderBy, ", "), q.table.Name), args
}
