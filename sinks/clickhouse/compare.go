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
		cfg: cfg, opts: &opts, conn: conn, log: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry()), now: s.now,
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
	// Stale is how many it has, but with something that is not what it should be.
	Stale uint64 `json:"stale"`
	// Unknown is how many keys only this one holds.
	Unknown uint64 `json:"unknown"`
	// Duplicated is how many keys a reader would see more than once.
	Duplicated uint64 `json:"duplicated"`
	// Examples are some of the keys that are lost or stale.
	Examples []string `json:"examples,omitempty"`
}

// Compare holds the store against another one that was made from records this one
// must have: merging the other's rows in must change nothing. Both are read as they
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
// key, once all of them and once mine only: where the two differ, something of the
// other's is not in mine.
func (q compareQuery) SQL() (string, []any) {
	key, both, mine := q.values()
	from := func(database string, other int) string {
		return fmt.Sprintf("SELECT *, %d AS other FROM %s.%s WHERE project_id IN {projects:Array(String)}%s", other, database, q.table.Name, kept(q.table))
	}
	return fmt.Sprintf(`SELECT countIf(others > 0), countIf(mine = 0), countIf(mine > 0 AND others > 0 AND differs), countIf(others = 0),
    groupArrayIf(%d)(name, mine = 0 OR others > 0 AND differs)
FROM (
    SELECT countIf(other = 0) AS mine, countIf(other = 1) AS others, arrayStringConcat([%s], ' ') AS name,
        tuple(%s) != tuple(%s) AS differs
    FROM (%s UNION ALL %s)
    GROUP BY %s
)`, examples, texts(key), strings.Join(both, ", "), strings.Join(mine, ", "), from(q.mine, 0), from(q.others, 1), strings.Join(key, ", ")),
		[]any{clickhouse.Named("projects", q.projects)}
}

// kept leaves out what is about to be forgotten: of that, one store may have
// forgotten more than the other.
func kept(t *schema.Table) string {
	if t.Days == 0 {
		return ""
	}
	return fmt.Sprintf(" AND %s > now() - toIntervalDay(%d)", t.Age, t.Days-1)
}

// values returns what makes a row's key, and the expressions of everything else, of
// all rows and of mine.
func (q compareQuery) values() (key, both, mine []string) {
	if q.table.Name == "changes" {
		// what is written of the history beyond what changed depends on batches; what
		// changed does not, and later changes come after
		const all = "arrayCompact(arrayMap(x -> x.2, arraySort(groupArray%s((at, said.value)%s))))"
		whole, known := fmt.Sprintf(all, "", ""), fmt.Sprintf(all, "If", ", other = 0")
		return []string{"project_id", "resource_id", "attribute"}, []string{whole}, []string{known}
	}
	for _, c := range q.table.Columns {
		if slices.Contains(q.table.OrderBy, c.Name) {
			continue
		}
		f := "max"
		if m := merging.FindStringSubmatch(c.Type); m != nil {
			f = m[1]
		}
		all, own := fmt.Sprintf("%s(`%s`)", f, c.Name), fmt.Sprintf("%sIf(`%s`, other = 0)", f, c.Name)
		if strings.HasPrefix(f, "group") { // a set has no order
			all, own = "arraySort("+all+")", "arraySort("+own+")"
		}
		both, mine = append(both, all), append(mine, own)
	}
	if len(both) == 0 { // the key is all there is
		both, mine = []string{"1"}, []string{"1"}
	}
	return q.table.OrderBy, both, mine
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
