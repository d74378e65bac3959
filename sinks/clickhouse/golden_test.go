package clickhouse

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

var update = flag.Bool("update", false, "write the golden files")

func page[T any](k *resource[T], project, text string, after []string) pageQuery {
	return pageQuery{table: k.table, columns: k.columns, key: k.key, scope: scope{project: project}, filter: mustCompile(k.kind, text, project), after: after, limit: 50}
}

func sortedPage[T any](k *resource[T], text, sort string, after []string) pageQuery {
	q := page(k, "p1", text, after)
	var err error
	if q.sort, err = parseSort(k.kind, sort); err != nil {
		panic(err)
	}
	return q
}

var goldenNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func mustCompile(kind pipeline.Kind, text, project string) compiled {
	f, err := filter.Parse(kind, text, goldenNow)
	if err != nil {
		panic(err)
	}
	c, err := compileFilter(f, project)
	if err != nil {
		panic(err)
	}
	return c
}

func TestSQL(t *testing.T) {
	for name, q := range map[string]statement{
		"domains":          page(domainKind, "p1", "", nil),
		"domains-all-next": page(domainKind, "", "", []string{"p1", "a.example"}),
		"domains-text":     page(domainKind, "p1", "EXA", []string{"p1", "a.example"}),
		"domains-total":    totalQuery{page(domainKind, "p1", "EXA", []string{"p1", "a.example"})},
		"others":           othersQuery{"me", 1_700_000_000_000, 10},
		"verdicts":         verdictQuery{"p1", "f1"},
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
		"findings-total":         findingTotal{of: findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1", ExecutionID: "e1"}}},
		"findings-total-by-key":  findingTotal{of: findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1", Key: "K"}}},
		"findings-accepted":      acceptedQuery{[]string{"p1"}, []string{"e1"}, []string{"f1"}},
		"executions":             executionQuery{ExecutionQuery: pipeline.ExecutionQuery{ProjectID: "p1", State: pipeline.StateRunning}, after: []string{"1700000000000", "e1"}, limit: 51},
		"executions-total":       executionTotal{executionQuery{ExecutionQuery: pipeline.ExecutionQuery{State: pipeline.StateRunning}}},
		"execution":              executionQuery{id: "e1", limit: 1},
		"execution-tally":        tallyQuery{[]string{"p1"}, []string{"e1"}},
		"logs":                   logQuery{execution: "e1", level: 2, after: []string{"7"}, limit: 50},
		"logs-text":              logQuery{execution: "e1", text: "Refused", limit: 50},
		"logs-levels":            logLevels{logQuery{execution: "e1", level: 2, text: "Refused"}},
		"count":                  countQuery{"domains", "p1"},
		"count-everywhere":       countQuery{"domains", ""},
		"states":                 statesQuery{"p1"},
		"state":                  stateQuery{},
		"purge":                  purgeQuery{"logs", "", "p1"},
		"purge-cluster":          purgeQuery{"logs_local", " ON CLUSTER `main`", "p1"},
		"ports-everywhere":       page(portKind, "", "", nil),
		"many":                   manyQuery{domainKind.table, domainKind.columns, "p1", []string{"0123"}},
		"late":                   lateQuery{[]string{"p1"}, 1_700_000_000_000},
		"met-hosts":              metQuery{places{projects: []string{"p1"}, ranges: [][2]string{{"::ffff:10.0.0.0", "::ffff:10.255.255.255"}}}, pipeline.KindHost},
		"met-ports":              metQuery{places{projects: []string{"p1"}, addrs: []string{"::1"}, domains: []string{"a.example"}}, pipeline.KindPort},
		"met-websites":           metQuery{places{projects: []string{"p1"}, addrs: []string{"::1"}, domains: []string{"a.example"}}, pipeline.KindWebsite},
		"merged":                 mergedQuery{[]string{"p1"}, []string{"0123"}},
		"links":                  linkQuery{"host_domains", "addr", "IPv6", []string{"p1"}, []string{"::1"}},
		"tags-of":                tagsQuery{[]string{"p1"}, []string{"0123"}},
		"forget-paths":           pathsStatement{tagsQuery{[]string{"p1"}, []string{"0123"}}, 1_700_000_000_000},
		"websites-first":         page(websiteKind, "p1", "", nil),
		"hosts-everywhere-total": totalQuery{page(hostKind, "", "", nil)},

		"filter-domains":  page(domainKind, "p1", `domain:*.example.com host:10.0.0.0/8 -tag:Legacy host.id:0123456789abcdef01234567`, nil),
		"filter-hosts":    page(hostKind, "p1", `host:10.*,2001:db8::/32 port:22 service:ssh domain:a.example os:*linux* is:blocked`, nil),
		"filter-ranges":   page(rangeKind, "", `ip:10.1.2.3 within:10.0.0.0/8 OR ipRange:2001:db8::/48`, nil),
		"filter-ports":    page(portKind, "p1", `port:80,443,8000-8999 protocol:tcp -service:* version:~^1\. domain:*.example.com lastSeen:<7d is:closed`, nil),
		"filter-websites": page(websiteKind, "p1", `tech:wordpress,drupal expires:<30d is:https -is:merged -is:expired status:>=400 finding.Vuln.score:>7 "sign in" https://www`, nil),
		"filter-findings": findingQuery{
			FindingQuery: pipeline.FindingQuery{ProjectID: "p1"}, ascending: true, limit: 51, after: []string{"1700000000000", "f1"},
			filter: mustCompile(filter.Finding, `key:Vuln* ip:10.0.0.0/8 field.severity:high,critical at:2026-01 login`, ""),
		},
		"filter-findings-total": findingTotal{of: findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1"}, filter: mustCompile(filter.Finding, `finding.Vuln.score:>7`, "")}},
		"filter-executions":     executionQuery{limit: 51, sort: lastQueued, filter: mustCompile(filter.Execution, `is:ended -state:succeeded duration:>5m exitCode:>0 job:Scan* parent.id:0123456789abcdef01234567 project.id:0123456789abcdef01234567`, "")},
		"filter-visible":        pageQuery{table: "domains", columns: domainKind.columns, key: domainKind.key, scope: scope{visible: []string{"p1", "p2"}}, filter: mustCompile(domainKind.kind, "tag:a", ""), limit: 50},
		"filter-findings-count": findingTotal{of: findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1", Key: "K"}}, simple: true},
		"findings-rows":         rowsQuery{scope{project: "p1"}},
		"facets-ports":          facetQuery{selection: selection{portKind.kind, scope{project: "p1"}, mustCompile(portKind.kind, "host:10.0.0.0/8", "p1")}, fields: []string{"port.service", "port"}, limit: 10},
		"facets-websites":       facetQuery{selection: selection{kind: websiteKind.kind, scope: scope{visible: []string{"p1"}}}, fields: []string{"technology"}, prefix: "WORD", limit: 10},
		"facets-findings":       facetQuery{selection: selection{kind: filter.Finding}, fields: []string{"key"}, limit: 10, distinct: true},
		"facets-tags":           tagFacetQuery{selection{hostKind.kind, scope{project: "p1"}, mustCompile(hostKind.kind, "os:*", "p1")}, "c", 10},
		"series-ports":          seriesQuery{selection: selection{portKind.kind, scope{project: "p1"}, mustCompile(portKind.kind, "host:10.0.0.0/8", "p1")}, step: pipeline.StepWeek, since: goldenNow.AddDate(0, -1, 0), until: goldenNow, value: facetOf(portKind.kind, "port.service"), values: []string{"ssh"}},
		"series-findings":       seriesQuery{selection: selection{kind: filter.Finding, scope: scope{visible: []string{"p1"}}}, step: pipeline.StepDay, since: goldenNow.AddDate(0, -1, 0), until: goldenNow, distinct: true},
		"series-top":            topQuery{selection: selection{kind: filter.Execution, scope: scope{project: "p1"}}, since: goldenNow.AddDate(0, -1, 0), until: goldenNow, value: facetOf(filter.Execution, "state"), limit: 5},
		"trend-hosts":           trendQuery{selection{kind: hostKind.kind, scope: scope{project: "p1"}}, period{goldenNow, goldenNow.AddDate(0, 0, -7)}},
		"trend-findings":        findingTrendQuery{scope{project: "p1"}, period{goldenNow, goldenNow.AddDate(0, 0, -7)}},
		"trend-states":          stateTrendQuery{scope{project: "p1"}, period{goldenNow, goldenNow.AddDate(0, 0, -7)}},
		"trend-certificates":    certificateQuery{scope{project: "p1"}, goldenNow},
		"job-stats":             jobStatsQuery{selection{filter.Execution, scope{project: "p1"}, mustCompile(filter.Execution, "job:Scan*", "")}, goldenNow, 20},
		"stream-ports":          streamQuery{page(portKind, "p1", "port:>80", nil)},
		"stream-sorted":         streamQuery{sortedPage(websiteKind, "", "-lastSeen", nil)},
		"stream-findings":       streamFindings{findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: "p1"}}},
		"stream-executions":     streamExecutions{executionQuery{sort: lastQueued}},
		"stream-tags":           allTagsQuery{scope{project: "p1"}},
		"sort-ports":            sortedPage(portKind, `port:>80`, "-lastSeen", []string{"1700000000000", "p1", "::1", "80", "tcp"}),
		"sort-websites":         sortedPage(websiteKind, "", "title", nil),
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
				switch v.Value.(type) {
				case string, []string:
					fmt.Fprintf(&b, "-- %s = %q\n", v.Name, v.Value)
				default:
					fmt.Fprintf(&b, "-- %s = %v\n", v.Name, v.Value)
				}
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
