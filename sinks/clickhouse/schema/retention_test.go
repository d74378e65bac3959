package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// What is configured holds for a store that is there already, and what was not
// changed is left alone.
func TestRetentionIsReconciled(t *testing.T) {
	conn := clickhousetest.Conn(t)
	for _, tc := range []struct {
		keep schema.Retention
		want []string // tables whose retention was set
	}{
		{schema.Retention{}, nil}, // made without any
		{schema.Retention{Findings: 30}, []string{"finding_ids", "findings", "sweeps"}},
		{schema.Retention{Findings: 30}, nil},
		{schema.DefaultRetention(), []string{"executions", "finding_ids", "findings", "logs", "sweeps", "verdicts"}},
		{schema.DefaultRetention(), nil},
		{schema.Retention{Findings: 365, Executions: 365, Logs: 7, History: 700}, []string{"changes", "logs", "verdicts"}},
		{schema.Retention{Findings: 365}, []string{"changes", "executions", "logs"}},
		{schema.Retention{}, []string{"finding_ids", "findings", "sweeps"}},
	} {
		steps, err := schema.Reconcile(t.Context(), conn, schema.Keep(schema.Tables(), tc.keep))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range applied(steps) {
			if table, ok := strings.CutPrefix(name, "retention "); ok {
				got = append(got, table)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%+v (-want +got)\n%s", tc.keep, d)
		}
	}
}

// A table that is made with a retention has it; another run finds it there.
func TestRetentionOfANewTable(t *testing.T) {
	conn := clickhousetest.Conn(t)
	tables := schema.Keep(schema.Tables(), schema.DefaultRetention())
	if _, err := schema.Reconcile(t.Context(), conn, tables); err != nil {
		t.Fatal(err)
	}
	if missing, err := schema.Missing(t.Context(), conn, tables); err != nil || missing != nil {
		t.Errorf("missing: %v, %v", missing, err)
	}
}

func TestWhatIsTooOldGoes(t *testing.T) {
	conn := clickhousetest.Conn(t)
	exec := func(sql string) {
		t.Helper()
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	left := func(table string) (n uint64) {
		t.Helper()
		exec("OPTIMIZE TABLE " + table + " FINAL")
		if err := conn.QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := schema.Reconcile(t.Context(), conn, schema.Tables()); err != nil {
		t.Fatal(err)
	}
	for _, days := range []string{"1", "50", "500"} {
		exec("INSERT INTO findings (project_id, id, at) SELECT 'p', '" + days + "', now64(3) - toIntervalDay(" + days + ")")
		exec("INSERT INTO logs (execution_id, seq, at) SELECT 'e', " + days + ", now64(3) - toIntervalDay(" + days + ")")
		exec("INSERT INTO verdicts (project_id, finding_id, subscription_id, at) SELECT 'p', '" + days + "', 's', now64(3) - toIntervalDay(" + days + ")")
		exec("INSERT INTO changes (project_id, resource_id, at) SELECT 'p', '" + days + "', now64(3) - toIntervalDay(" + days + ")")
	}
	for _, tc := range []struct {
		keep                              schema.Retention
		findings, logs, changes, verdicts uint64
	}{
		{schema.Retention{}, 3, 3, 3, 3},
		{schema.DefaultRetention(), 2, 2, 3, 2},
		{schema.Retention{Findings: 10, Logs: 10, History: 100, Verdicts: 7}, 1, 1, 2, 1},
	} {
		if _, err := schema.Reconcile(t.Context(), conn, schema.Keep(schema.Tables(), tc.keep)); err != nil {
			t.Fatal(err)
		}
		if f, l, c, v := left("findings"), left("logs"), left("changes"), left("verdicts"); f != tc.findings || l != tc.logs || c != tc.changes || v != tc.verdicts {
			t.Errorf("%+v: %d findings, %d lines, %d changes, %d verdicts are left", tc.keep, f, l, c, v)
		}
	}
}

func TestRetentionIsChecked(t *testing.T) {
	for _, r := range []schema.Retention{{Findings: -1}, {Logs: 36501}, {Verdicts: -1}} {
		if r.Validate() == nil {
			t.Errorf("%+v is taken", r)
		}
	}
	if r := schema.DefaultRetention(); r.Validate() != nil {
		t.Error(r.Validate())
	}
}
