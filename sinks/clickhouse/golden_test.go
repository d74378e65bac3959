package clickhouse

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

var update = flag.Bool("update", false, "write the golden files")

func page[T any](k *resource[T], project, text string, after []string) pageQuery {
	return pageQuery{table: k.table, columns: k.columns, key: k.key, project: project, text: text, textIn: k.textIn, after: after, limit: 50}
}

func TestSQL(t *testing.T) {
	for name, q := range map[string]statement{
		"domains":          page(domainKind, "p1", "", nil),
		"domains-all-next": page(domainKind, "", "", []string{"p1", "a.example"}),
		"domains-text":     page(domainKind, "p1", "EXA", []string{"p1", "a.example"}),
		"domains-total":    totalQuery{page(domainKind, "p1", "EXA", []string{"p1", "a.example"})},
		"domain":           oneQuery{domainKind.table, domainKind.columns, "0123"},
		"hosts":            page(hostKind, "p1", "10.", []string{"p1", "::ffff:10.0.0.1"}),
		"ip_ranges":        page(rangeKind, "p1", "", []string{"p1", "::ffff:10.0.0.0", "8"}),
		"ports":            page(portKind, "p1", "ssh", []string{"p1", "::ffff:10.0.0.1", "22", "tcp"}),
		"websites":         page(websiteKind, "p1", "login/", []string{"p1", "a.example", "::ffff:10.0.0.1", "443", "/"}),
		"tags":             relatedQuery{table: "resource_tags", one: "resource_id", typ: "String", other: "tag", having: "tupleElement(max(state), 'value') = 1", projects: []string{"p1"}, ones: []string{"0123"}},
		"host-domains":     relatedQuery{table: "host_domains", one: "addr", typ: "IPv6", other: "domain", projects: []string{"p1"}, ones: []string{"::1"}},
		"port-counts":      portCountQuery{[]string{"p1"}, []string{"::1"}},
		"findings":         findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1"}, limit: 51},
		"findings-all": findingQuery{
			FindingQuery: pipeline.FindingQuery{ProjectID: "p1", Target: "project:p1;host:10.0.0.1", Key: "K", ExecutionID: "e1"},
			after:        []string{"1700000000000", "f1"}, limit: 51,
		},
		"findings-everywhere":    findingQuery{limit: 51},
		"findings-total":         findingTotal{pipeline.FindingQuery{ProjectID: "p1", ExecutionID: "e1"}},
		"findings-total-by-key":  findingTotal{pipeline.FindingQuery{ProjectID: "p1", Key: "K"}},
		"findings-accepted":      acceptedQuery{[]string{"p1"}, []string{"e1"}, []string{"f1"}},
		"executions":             executionQuery{ExecutionQuery: pipeline.ExecutionQuery{ProjectID: "p1", State: pipeline.StateRunning}, after: []string{"1700000000000", "e1"}, limit: 51},
		"executions-total":       executionTotal{pipeline.ExecutionQuery{State: pipeline.StateRunning}},
		"execution":              executionQuery{id: "e1", limit: 1},
		"execution-tally":        tallyQuery{[]string{"p1"}, []string{"e1"}},
		"logs":                   logQuery{execution: "e1", level: 2, after: []string{"7"}, limit: 50},
		"logs-total":             logTotal{logQuery{execution: "e1"}},
		"count":                  countQuery{"domains", "p1"},
		"count-everywhere":       countQuery{"domains", ""},
		"states":                 statesQuery{"p1"},
		"state":                  stateQuery{"domains"},
		"purge":                  purgeQuery{"logs", "p1"},
		"ports-everywhere":       page(portKind, "", "", nil),
		"websites-first":         page(websiteKind, "p1", "", nil),
		"hosts-everywhere-total": totalQuery{page(hostKind, "", "", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			sql, args := q.SQL()
			var b strings.Builder
			fmt.Fprintln(&b, sql)
			for _, a := range args {
				v, ok := a.(driver.NamedValue)
				if !ok {
					t.Fatalf("%v is bound without a name", a)
				}
				if !strings.Contains(sql, "{"+v.Name+":") {
					t.Errorf("%s is bound and not used", v.Name)
				}
				fmt.Fprintf(&b, "-- %s = %q\n", v.Name, v.Value)
			}
			file := filepath.Join("testdata", "sql", name+".sql")
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor("p1", "::1", "22", "tcp"))
	f.Add("")
	f.Add("bnVsbA")
	columns := append([]keyColumn{{"project_id", "String"}}, portKind.key...)
	f.Fuzz(func(t *testing.T, cursor string) {
		key, err := decodeCursor(cursor, columns)
		if err != nil {
			if pipeline.CodeOf(err) != pipeline.CodeInvalid {
				t.Errorf("%v has the wrong code", err)
			}
			return
		}
		if key == nil {
			return // no cursor
		}
		again, err := decodeCursor(encodeCursor(key...), columns)
		if err != nil || cmp.Diff(key, again) != "" {
			t.Errorf("%q comes back as %q, %v", key, again, err)
		}
	})
}
