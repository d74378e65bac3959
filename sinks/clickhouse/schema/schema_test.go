package schema_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }

func applied(steps []schema.Step) (names []string) {
	for _, s := range steps {
		if s.Applied {
			names = append(names, s.Name)
		}
	}
	return names
}

func TestSecondRunAppliesNothing(t *testing.T) {
	conn := clickhousetest.Conn(t)
	steps, err := schema.Reconcile(t.Context(), conn, schema.Tables())
	if err != nil || len(applied(steps)) != len(schema.Tables()) {
		t.Fatalf("the first run applied %v, %v", applied(steps), err)
	}
	steps, err = schema.Reconcile(t.Context(), conn, schema.Tables())
	if err != nil || applied(steps) != nil {
		t.Errorf("the second run applied %v, %v", applied(steps), err)
	}
	columns := 0
	for _, x := range schema.Tables() {
		columns += len(x.Columns) + len(x.Indexes) + 1
		if x.Age != "" {
			columns++ // its retention
		}
		if x.Settle > 0 {
			columns++ // its settings
		}
	}
	if len(steps) != columns {
		t.Errorf("%d steps were reported, want %d", len(steps), columns)
	}
}

func TestMissingPartsAreAdded(t *testing.T) {
	conn := clickhousetest.Conn(t)
	old := slices.Clone(schema.Tables())
	for i := range old { // an older release: no index, no settings, no last column
		old[i].Indexes, old[i].Settle = nil, 0
		if n := len(old[i].Columns) - 1; !slices.Contains(old[i].OrderBy, old[i].Columns[n].Name) {
			old[i].Columns = old[i].Columns[:n]
		}
	}
	if _, err := schema.Reconcile(t.Context(), conn, old); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "INSERT INTO domains (project_id, name, id, first_seen) VALUES ('p', 'a.example', 'x', now64(3))"); err != nil {
		t.Fatal(err)
	}
	steps, err := schema.Reconcile(t.Context(), conn, schema.Tables())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"column domains.owner", "index domains.by_id", "column executions.started", "column findings.addr", "settings domains"} {
		if !slices.Contains(applied(steps), want) {
			t.Errorf("%s was not applied, only %v", want, applied(steps))
		}
	}
	steps, err = schema.Reconcile(t.Context(), conn, schema.Tables())
	if err != nil || applied(steps) != nil {
		t.Errorf("once more applied %v, %v", applied(steps), err)
	}
}

func TestWhatCannotBeReconciled(t *testing.T) {
	for name, tc := range map[string]struct{ sql, want string }{
		"another sort key": {"CREATE TABLE domains (name String) ENGINE = MergeTree ORDER BY name", "table domains is sorted by (name), not by (project_id, name)"},
		"another type": {
			"CREATE TABLE domain_hosts (project_id String, domain String, addr IPv6) ENGINE = AggregatingMergeTree ORDER BY (project_id, domain, addr)",
			"column domain_hosts.project_id is String, not LowCardinality(String)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := clickhousetest.Conn(t)
			if err := conn.Exec(t.Context(), tc.sql); err != nil {
				t.Fatal(err)
			}
			_, err := schema.Reconcile(t.Context(), conn, schema.Tables())
			if pipeline.CodeOf(err) != pipeline.CodeInternal && pipeline.CodeOf(err) != pipeline.CodeConflict || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := schema.Reconcile(ctx, clickhousetest.Conn(t), schema.Tables()); err == nil {
		t.Error("no error")
	}
}
