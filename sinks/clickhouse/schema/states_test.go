package schema_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

var inserted = regexp.MustCompile("(?s)CREATE TABLE IF NOT EXISTS (\\w+) \\((.*?)\n\\)")

// testdata/states holds what a store looked like after each release, never to be
// changed: write a new one with each (it is testdata/layouts/server.sql up to the
// comment). A store as it was then becomes one as it is now; and what wrote to it
// then still can, so that the release before may run until all are replaced.
func TestStoresOfEarlierReleases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "states", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			conn := clickhousetest.Conn(t)
			exec := func(sql string) {
				t.Helper()
				if err := conn.Exec(t.Context(), sql); err != nil {
					t.Fatalf("%.200s: %v", sql, err)
				}
			}
			for sql := range strings.SplitSeq(string(text), ";\n") {
				if strings.TrimSpace(sql) != "" {
					exec(sql)
				}
			}
			tables := schema.Keep(schema.Tables(), schema.DefaultRetention())
			if _, err := schema.Reconcile(t.Context(), conn, tables); err != nil {
				t.Fatal(err)
			}
			if missing, err := schema.Missing(t.Context(), conn, tables); err != nil || missing != nil {
				t.Errorf("missing: %v, %v", missing, err)
			}
			for _, want := range []bool{true, false} { // once is enough
				steps, err := schema.Fillings(t.Context(), conn, tables, false)
				if err != nil || len(steps) != 1 || steps[0].Applied != want {
					t.Errorf("filling: %+v, %v", steps, err)
				}
			}
			for _, m := range inserted.FindAllStringSubmatch(string(text), -1) {
				var columns []string
				for line := range strings.SplitSeq(m[2], "\n") {
					if name, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "`"), "` "); ok {
						columns = append(columns, name)
					}
				}
				list := strings.Join(columns, ", ")
				exec("INSERT INTO " + m[1] + " (" + list + ") SELECT " + list + " FROM " + m[1])
			}
		})
	}
}
