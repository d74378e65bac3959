package clickhouse_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
)

var timeFilter = regexp.MustCompile(`\$__timeFilter\((\w+)\)`)

// The dashboard asks the tables themselves, so a change of the schema must not
// leave its panels behind.
func TestDashboardQueriesReturnRows(t *testing.T) {
	text, err := os.ReadFile("../../charts/stalker/files/dashboards/stalker-surface.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ RawSQL string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	store, conn := clickhousetest.OpenWithConn(t)
	batch := everything("p1", 1)
	batch.Ports[0].Service = value(1, "http")
	batch.Websites[0].Technologies = map[string]int64{"nginx": day}
	if err := store.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries[p.Title] = target.RawSQL
		}
	}
	for _, v := range board.Templating.List {
		if v.Name == "project" {
			queries["variable project"] = v.Query
		}
	}
	for title, sql := range queries {
		sql = timeFilter.ReplaceAllString(strings.ReplaceAll(sql, "${project:singlequote}", "'p1'"), "$1 > toDateTime(0)")
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Errorf("%s: %v", title, err)
			continue
		}
		if !rows.Next() {
			t.Errorf("%s shows nothing: %v", title, rows.Err())
		}
		if err := rows.Close(); err != nil {
			t.Errorf("%s: %v", title, err)
		}
	}
	if len(queries) < 10 {
		t.Errorf("only %d queries were found", len(queries))
	}
}
