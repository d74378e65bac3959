package clickhouse_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
)

var scale = flag.Int("scale", 10_000, "hosts in BenchmarkPages; there are as many domains, ports, websites, and 20 findings each. 250000 is design.md's million resources and five million findings")

// seed fills a store by statements of its own: it is reading that is measured.
func seed(b *testing.B, hosts int) *clickhouse.Store {
	b.Helper()
	s, conn := clickhousetest.OpenWithConn(b)
	const resource = "lower(hex(sipHash128(number))), toDateTime64('2026-01-01', 3) + number % 1000, toDateTime64('2026-02-01', 3) + number % 1000"
	const addr = "IPv4ToIPv6(toIPv4(toUInt32(167772160 + number)))"
	const ip = "toString(toIPv4(toUInt32(167772160 + number)))"
	for _, sql := range []string{
		"INSERT INTO domains (project_id, name, id, first_seen, last_seen) SELECT 'p1', concat('h', toString(number), '.example.com'), " + resource,
		"INSERT INTO hosts (project_id, addr, ip, id, first_seen, last_seen) SELECT 'p1', " + addr + ", " + ip + ", " + resource,
		"INSERT INTO ports (project_id, addr, address, port, protocol, service, product, id, first_seen, last_seen) SELECT 'p1', " + addr + ", concat(" + ip + ", ':443/tcp'), 443, 'tcp', (1, 'https'), (1, 'nginx'), " + resource,
		"INSERT INTO websites (project_id, domain, addr, address, port, path, ssl, status, title, technologies, id, first_seen, last_seen) SELECT 'p1', concat('h', toString(number), '.example.com'), " + addr + ", concat('h', toString(number), '.example.com/'), 443, '/', (1, 1), (1, 200), (1, concat('Welcome ', toString(number))), ['PHP', 'nginx'], " + resource,
		"INSERT INTO domain_hosts (project_id, domain, addr, first_seen, last_seen) SELECT 'p1', concat('h', toString(number), '.example.com'), " + addr + ", now64(3), now64(3)",
		"INSERT INTO host_domains (project_id, domain, addr, first_seen, last_seen) SELECT 'p1', concat('h', toString(number), '.example.com'), " + addr + ", now64(3), now64(3)",
	} {
		// in four parts, each half repeated by the next: not yet merged when read
		for from := 0; from < hosts; from += hosts / 4 {
			run(b, conn, fmt.Sprintf("%s FROM numbers(%d, %d)", sql, from, min(hosts*3/8, hosts-from)))
		}
	}
	for from := 0; from < 20*hosts; from += 5 * hosts {
		source := fmt.Sprintf("(SELECT number AS n, lower(hex(sipHash128(n))) AS id, toDateTime64('2026-01-01', 3) + n / 100 AS at, concat('e', toString(intDiv(n, 1000))) AS e FROM numbers(%d, %d))", from, 5*hosts)
		run(b, conn, "INSERT INTO finding_ids (project_id, execution_id, id, at) SELECT 'p1', e, id, at FROM "+source)
		run(b, conn, `INSERT INTO findings (project_id, at, id, correlation_key, execution_id, job, type, key, name, mask, ssl, fields) SELECT 'p1', at, id,
			concat('project:p1;host:', toString(toIPv4(toUInt32(167772160 + n / 20)))), e, 'Scan', 'CustomFinding', concat('Key', toString(n % 10)), 'n', -1, -1,
			'[{"key":"a","type":"text","data":"some text of a finding"}]' FROM `+source)
	}
	run(b, conn, fmt.Sprintf(`INSERT INTO executions (project_id, id, queued_at, job, current) SELECT 'p1', concat('e', toString(number)), toDateTime64('2026-01-01', 3) + number,
		'Scan', (1, 3, toDateTime64('2026-01-01', 3) + number, 'succeeded', '', '', 1, 0, 'local') FROM numbers(%d)`, hosts/50))
	return s
}

func run(b *testing.B, conn interface {
	Exec(ctx context.Context, sql string, args ...any) error
}, sql string,
) {
	b.Helper()
	if err := conn.Exec(b.Context(), sql); err != nil {
		b.Fatal(err)
	}
}

// seeded is when the data of seed begins.
var seeded = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// BenchmarkPages reads pages with and without filters.
func BenchmarkPages(b *testing.B) {
	s := seed(b, *scale)
	p := func(text string) pipeline.Query { return pipeline.Query{ProjectID: "p1", Text: text} }
	for _, q := range []struct {
		name string
		read func(ctx context.Context) error
	}{
		{"domains", func(ctx context.Context) error { return second(s.Domains(ctx, p(""))) }},
		{"domains-text", func(ctx context.Context) error { return second(s.Domains(ctx, p("77.exa"))) }},
		{"domains-none", func(ctx context.Context) error { return second(s.Domains(ctx, p("nowhere"))) }},
		{"hosts", func(ctx context.Context) error { return second(s.Hosts(ctx, p(""))) }},
		{"hosts-text", func(ctx context.Context) error { return second(s.Hosts(ctx, p("10.0.77."))) }},
		{"ports", func(ctx context.Context) error { return second(s.Ports(ctx, p(""))) }},
		{"ports-text", func(ctx context.Context) error { return second(s.Ports(ctx, p("nginx"))) }},
		{"websites", func(ctx context.Context) error { return second(s.Websites(ctx, p(""))) }},
		{"websites-text", func(ctx context.Context) error { return second(s.Websites(ctx, p("https://h77"))) }},
		{"findings", func(ctx context.Context) error {
			return second(s.Findings(ctx, pipeline.FindingQuery{ProjectID: "p1"}))
		}},
		{"findings-key", func(ctx context.Context) error {
			return second(s.Findings(ctx, pipeline.FindingQuery{ProjectID: "p1", Key: "Key3"}))
		}},
		{"findings-target", func(ctx context.Context) error {
			return second(s.Findings(ctx, pipeline.FindingQuery{ProjectID: "p1", Target: "project:p1;host:10.0.1.1"}))
		}},
		{"findings-execution", func(ctx context.Context) error {
			return second(s.Findings(ctx, pipeline.FindingQuery{ProjectID: "p1", ExecutionID: "e7"}))
		}},
		{"findings-everywhere", func(ctx context.Context) error { return second(s.Findings(ctx, pipeline.FindingQuery{})) }},
		{"executions", func(ctx context.Context) error {
			return second(s.Executions(ctx, pipeline.ExecutionQuery{ProjectID: "p1"}))
		}},
		{"counts", func(ctx context.Context) error { return second(s.Counts(ctx, "p1")) }},
		{"ports-filter", func(ctx context.Context) error {
			return second(s.Ports(ctx, p("port:443 service:https host:10.0.0.0/12 -tag:done lastSeen:>2026-01")))
		}},
		{"websites-sorted", func(ctx context.Context) error {
			q := p("status:200 tech:nginx")
			q.Sort = "-lastSeen"
			return second(s.Websites(ctx, q))
		}},
		{"findings-filter", func(ctx context.Context) error {
			return second(s.Findings(ctx, pipeline.FindingQuery{ProjectID: "p1", Text: "key:Key3 field.a:*text*"}))
		}},
		{"facets-ports", func(ctx context.Context) error {
			return second(s.Facets(ctx, pipeline.FacetQuery{Kind: pipeline.KindPort, ProjectID: "p1", Fields: []string{"port", "service", "product"}}))
		}},
		{"facets-websites", func(ctx context.Context) error {
			return second(s.Facets(ctx, pipeline.FacetQuery{Kind: pipeline.KindWebsite, ProjectID: "p1", Fields: []string{"technology", "status"}}))
		}},
		{"facets-findings", func(ctx context.Context) error {
			return second(s.Facets(ctx, pipeline.FacetQuery{Kind: filter.Finding, ProjectID: "p1", Fields: []string{"key", "type"}}))
		}},
		{"series-hosts", func(ctx context.Context) error {
			return second(s.Series(ctx, pipeline.SeriesQuery{Kind: pipeline.KindHost, ProjectID: "p1", Since: seeded, Until: seeded.AddDate(0, 1, 0)}))
		}},
		{"series-findings", func(ctx context.Context) error {
			return second(s.Series(ctx, pipeline.SeriesQuery{Kind: filter.Finding, ProjectID: "p1", Field: "key", Since: seeded, Until: seeded.AddDate(0, 1, 0)}))
		}},
		{"trends", func(ctx context.Context) error { return second(s.Trends(ctx, pipeline.TrendQuery{ProjectID: "p1"})) }},
		{"changes", func(ctx context.Context) error { return second(s.Changes(ctx, pipeline.ChangeQuery{ProjectID: "p1"})) }},
		{"one-host", func(ctx context.Context) error {
			if _, err := s.Host(ctx, "none"); pipeline.CodeOf(err) != pipeline.CodeNotFound {
				return err
			}
			return nil
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if err := q.read(b.Context()); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
