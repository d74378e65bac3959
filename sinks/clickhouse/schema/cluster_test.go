package schema

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// nowhere is a server that has what a test says, and remembers what it was told.
type nowhere struct {
	told []string
}

func (n *nowhere) Exec(_ context.Context, sql string, _ ...any) error {
	n.told = append(n.told, sql)
	return nil
}

func (*nowhere) Query(context.Context, string, ...any) (driver.Rows, error) {
	return nil, errors.New("nothing is asked")
}

// script is what makes an empty database have the tables, and what then brings it
// from an older release, with another retention, to this one.
func script(t *testing.T, c Cluster) string {
	t.Helper()
	tables := Spread(Keep(Tables(), DefaultRetention()), c)
	var out []string
	n := &nowhere{}
	if err := CreateDatabase(t.Context(), n, "stalker", c); err != nil {
		t.Fatal(err)
	}
	out = append(out, n.told...)
	collect := func(e *existing, which []Table) {
		for _, table := range which {
			plan, err := e.plan(&table)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range append(plan, e.over(&table)...) {
				out = append(out, p.sql...)
			}
		}
	}
	collect(&existing{}, tables)
	out = append(out, "-- from an older release that had no owner, no index and kept findings for a week")
	e := &existing{sortKeys: map[string]string{}, columns: map[string]map[string]string{}, indexes: map[string][]string{}, ttls: map[string]string{"findings": "toDateTime(at) + toIntervalDay(7)"}}
	some := tables[:0:0]
	for _, table := range tables {
		if table.Name != "domains" && table.Name != "findings" {
			continue
		}
		some = append(some, table)
		e.sortKeys[table.Own()] = strings.Join(table.OrderBy, ", ")
		e.ttls[table.Own()] = e.ttls["findings"]
		have := map[string]string{}
		for _, col := range table.Columns {
			if col.Name != "owner" {
				have[col.Name] = col.Type
			}
		}
		e.columns[table.Own()], e.columns[table.Name] = have, have
	}
	collect(e, some)
	return strings.Join(out, ";\n") + ";\n"
}

// What each layout amounts to, for who reads changes to it. The embedded engine runs
// the first of them in the other tests.
func TestLayouts(t *testing.T) {
	for name, c := range map[string]Cluster{
		"server": {}, "replicated": {Name: "main"}, "sharded": {Name: "main", Shards: true},
	} {
		got := script(t, c)
		file := filepath.Join("testdata", "layouts", name+".sql")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got; go test ./sinks/clickhouse/schema -run Layouts -update writes it)\n%s", file, d)
		}
	}
}

// On a cluster every statement is for all of it, and every row has one shard.
func TestLayoutsHold(t *testing.T) {
	for _, c := range []Cluster{{Name: "main"}, {Name: "main", Shards: true}} {
		for sql := range strings.SplitSeq(script(t, c), ";\n") {
			if sql = strings.TrimSpace(sql); sql != "" && !strings.HasPrefix(sql, "--") && !strings.Contains(sql, "ON CLUSTER `main`") {
				t.Errorf("not for the cluster: %.80s", sql)
			}
		}
		for _, table := range Spread(Tables(), c) {
			if !strings.Contains(table.Create(), "ENGINE = Replicated"+table.Engine+"('/clickhouse/tables/") {
				t.Errorf("%s is not replicated", table.Name)
			}
			has := false
			for _, col := range table.Columns {
				has = has || col.Name == "project_id"
			}
			if !has {
				t.Errorf("%s has no project to be sharded by", table.Name)
			}
		}
	}
}

func TestClustersAreChecked(t *testing.T) {
	for name, bad := range map[string]bool{"": false, "main": false, "eu-1.main": false, "a`b": true, "1x": true, "a b": true} {
		c := Cluster{Name: name}
		if err := c.Problem(); (err != nil) != bad {
			t.Errorf("%q: %v", name, err)
		}
	}
	if c := (Cluster{Shards: true}); c.Problem() == nil {
		t.Error("shards of no cluster")
	}
}
