package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }

const day = int64(1_700_000_000_000) // an instant, in milliseconds

func at(ms int64) time.Time { return time.UnixMilli(day + ms).UTC() }

func write(t *testing.T, s *clickhouse.Store, bs ...*rows.Batch) {
	t.Helper()
	for _, b := range bs {
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func seen(project, key string, first, last int64) rows.Seen {
	return rows.Seen{ProjectID: project, ID: pipeline.ResourceID(key), First: day + first, Last: day + last}
}

func value[T string | uint8 | uint16](ms int64, v T) rows.Value[T] {
	return rows.Value[T]{Version: rows.Version(day+ms, 0), Value: v}
}

func wantSeen(project, key string, first, last int64, tags ...string) pipeline.Seen {
	if tags == nil {
		tags = []string{}
	}
	return pipeline.Seen{ID: pipeline.ResourceID(key), ProjectID: project, CorrelationKey: key, FirstSeen: at(first), LastSeen: at(last), Tags: tags}
}

func get[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var (
	v4  = netip.MustParseAddr("192.0.2.10")
	v4b = netip.MustParseAddr("192.0.2.9")
	v6  = netip.MustParseAddr("2001:db8::1")
)

func TestResources(t *testing.T) {
	s := clickhousetest.Open(t)
	const (
		domainKey = "project:p1;domain:www.example.com"
		hostKey   = "project:p1;host:192.0.2.10"
		rangeKey  = "project:p1;host:192.0.2.0;mask:24"
		portKey   = "project:p1;host:192.0.2.10;port:443;protocol:tcp"
		siteKey   = "project:p1;host:192.0.2.10;port:443;protocol:tcp;domain:www.example.com;path:/"
		bareKey   = "project:p1;host:2001:db8::1;port:8080;protocol:tcp;domain:;path:/a"
	)
	write(t, s, &rows.Batch{
		Domains: []rows.Domain{{Seen: seen("p1", domainKey, 5, 6), Name: "www.example.com"}},
		Hosts: []rows.Host{
			{Seen: seen("p1", hostKey, 5, 6), Addr: v4, OS: value(5, "Linux 5")},
			{Seen: seen("p1", "project:p1;host:192.0.2.9", 5, 5), Addr: v4b},
			{Seen: seen("p1", "project:p1;host:2001:db8::1", 5, 5), Addr: v6},
			{Seen: seen("p2", "project:p2;host:192.0.2.10", 5, 5), Addr: v4},
		},
		Ranges: []rows.Range{{Seen: seen("p1", rangeKey, 5, 6), Addr: netip.MustParseAddr("192.0.2.0"), Bits: 24}},
		Ports: []rows.Port{
			{Seen: seen("p1", portKey, 5, 6), Addr: v4, Port: 443, Protocol: pipeline.TCP, Service: value(5, "https"), Version: value(5, "1.25")},
			{Seen: seen("p1", "project:p1;host:192.0.2.10;port:53;protocol:udp", 5, 5), Addr: v4, Port: 53, Protocol: pipeline.UDP},
		},
		Websites: []rows.Website{
			{
				Seen: seen("p1", siteKey, 5, 6), Domain: "www.example.com", Addr: v4, Port: 443, Path: "/", SSL: value[uint8](5, 1),
				Status: value[uint16](5, 200), Title: value(5, "Hello"), Server: value(5, "nginx"), Technologies: map[string]int64{"PHP": day, "jQuery": day},
				Certificate: value(5, `{"subject":"CN=www.example.com","issuer":"CN=ca","names":["www.example.com"],"notBefore":"2024-01-01T00:00:00Z","notAfter":"2025-01-01T00:00:00Z","fingerprint":"ab"}`),
			},
			{Seen: seen("p1", bareKey, 5, 5), Addr: v6, Port: 8080, Path: "/a"},
		},
		Links: []rows.Link{{ProjectID: "p1", Domain: "www.example.com", Addr: v4, First: day, Last: day}, {ProjectID: "p1", Domain: "www.example.com", Addr: v6, First: day, Last: day}},
		Tags: []rows.Tag{
			{ProjectID: "p1", ResourceID: pipeline.ResourceID(hostKey), Tag: "Critical", State: value[uint8](5, 1)},
			{ProjectID: "p1", ResourceID: pipeline.ResourceID(hostKey), Tag: "Gone", State: value[uint8](5, 1)},
		},
	}, &rows.Batch{
		Hosts:    []rows.Host{{Seen: seen("p1", hostKey, 1, 9), Addr: v4, OS: value(4, "Linux 4")}}, // an older word
		Ports:    []rows.Port{{Seen: seen("p1", portKey, 7, 7), Addr: v4, Port: 443, Protocol: pipeline.TCP, Product: value(7, "nginx"), Version: value(7, "1.26")}},
		Websites: []rows.Website{{Seen: seen("p1", siteKey, 7, 7), Domain: "www.example.com", Addr: v4, Port: 443, Path: "/", Technologies: map[string]int64{"nginx": day, "PHP": day}}},
		Tags:     []rows.Tag{{ProjectID: "p1", ResourceID: pipeline.ResourceID(hostKey), Tag: "Gone", State: value[uint8](6, 0)}},
	})
	yes := true
	wantDomain := pipeline.Domain{Seen: wantSeen("p1", domainKey, 5, 6), Name: "www.example.com", Hosts: []string{"192.0.2.10", "2001:db8::1"}}
	wantHost := pipeline.Host{Seen: wantSeen("p1", hostKey, 1, 9, "Critical"), IP: "192.0.2.10", OS: "Linux 5", Domains: []string{"www.example.com"}, Ports: 2}
	wantPort := pipeline.Port{Seen: wantSeen("p1", portKey, 5, 7), IP: "192.0.2.10", Port: 443, Protocol: pipeline.TCP, Service: "https", Product: "nginx", Version: "1.26"}
	wantSite := pipeline.Website{
		Seen: wantSeen("p1", siteKey, 5, 7), URL: "https://www.example.com/", IP: "192.0.2.10", Port: 443, Domain: "www.example.com", Path: "/",
		SSL: &yes, Status: 200, Title: "Hello", Server: "nginx", Technologies: []string{"PHP", "jQuery", "nginx"}, SiteMap: []string{},
		Certificate: &pipeline.Certificate{
			Subject: "CN=www.example.com", Issuer: "CN=ca", Names: []string{"www.example.com"},
			NotBefore: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Fingerprint: "ab",
		},
	}
	wantBare := pipeline.Website{Seen: wantSeen("p1", bareKey, 5, 5), URL: "http://[2001:db8::1]:8080/a", IP: "2001:db8::1", Port: 8080, Path: "/a", Technologies: []string{}, SiteMap: []string{}}
	same := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	q := pipeline.Query{ProjectID: "p1"}
	same("domains", pipeline.Page[pipeline.Domain]{Items: []pipeline.Domain{wantDomain}, Total: 1}, get[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), q)))
	same("domain", wantDomain, get[pipeline.Domain](t)(s.Domain(t.Context(), wantDomain.ID)))
	same("host", wantHost, get[pipeline.Host](t)(s.Host(t.Context(), wantHost.ID)))
	same("port", wantPort, get[pipeline.Port](t)(s.Port(t.Context(), wantPort.ID)))
	same("website", wantSite, get[pipeline.Website](t)(s.Website(t.Context(), wantSite.ID)))
	same("websites", pipeline.Page[pipeline.Website]{Items: []pipeline.Website{wantBare, wantSite}, Total: 2}, get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), q)))
	wantRange := pipeline.IPRange{Seen: wantSeen("p1", rangeKey, 5, 6), CIDR: "192.0.2.0/24"}
	same("ranges", pipeline.Page[pipeline.IPRange]{Items: []pipeline.IPRange{wantRange}, Total: 1}, get[pipeline.Page[pipeline.IPRange]](t)(s.Ranges(t.Context(), q)))
	same("range", wantRange, get[pipeline.IPRange](t)(s.Range(t.Context(), wantRange.ID)))
	same("ports", []string{"53/udp", "443/tcp"}, mapped(get[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), q)).Items, func(p pipeline.Port) string { return fmt.Sprintf("%d/%s", p.Port, p.Protocol) }))
	// addresses sort as numbers, IPv4 before IPv6
	same("hosts", []string{"192.0.2.9", "192.0.2.10", "2001:db8::1"}, mapped(get[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), q)).Items, func(h pipeline.Host) string { return h.IP }))
	same("hosts of all projects", uint64(4), get[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), pipeline.Query{})).Total)

	for text, want := range map[string]int{"EXAMPLE": 1, "hello": 1, "https://www": 1, "[2001:DB8": 1, "nothing": 0, ":443": 0, "%": 0, "'": 0, "\\": 0} {
		if got := get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p1", Text: text})); len(got.Items) != want || got.Total != uint64(want) {
			t.Errorf("websites with %q: %d of %d, want %d", text, len(got.Items), got.Total, want)
		}
	}
	for text, want := range map[string]int{"443/tcp": 1, "HTTPS": 1, "nginx": 1, "192.0.2": 2} {
		if got := get[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), pipeline.Query{ProjectID: "p1", Text: text})); got.Total != uint64(want) {
			t.Errorf("ports with %q: %d, want %d", text, got.Total, want)
		}
	}
	wantCounts := pipeline.Counts{Domains: 1, Hosts: 3, Ranges: 1, Ports: 2, Websites: 2, Executions: states(nil)}
	same("counts", wantCounts, get[pipeline.Counts](t)(s.Counts(t.Context(), "p1")))
}

func states(n map[pipeline.State]uint64) map[pipeline.State]uint64 {
	out := map[pipeline.State]uint64{}
	for _, s := range pipeline.States() {
		out[s] = n[s]
	}
	return out
}

func mapped[T, U any](in []T, f func(T) U) []U {
	out := []U{}
	for _, x := range in {
		out = append(out, f(x))
	}
	return out
}

func TestNotFound(t *testing.T) {
	s := clickhousetest.Open(t)
	for _, id := range []string{"", "x", "' OR 1", pipeline.NewID()} {
		for kind, err := range map[string]error{
			"domain":    second(s.Domain(t.Context(), id)),
			"host":      second(s.Host(t.Context(), id)),
			"range":     second(s.Range(t.Context(), id)),
			"port":      second(s.Port(t.Context(), id)),
			"website":   second(s.Website(t.Context(), id)),
			"execution": second(s.Execution(t.Context(), id)),
		} {
			if pipeline.CodeOf(err) != pipeline.CodeNotFound {
				t.Errorf("%s %q: %v", kind, id, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestBadQuestions(t *testing.T) {
	s := clickhousetest.Open(t)
	for name, err := range map[string]error{
		"limit too large": second(s.Domains(t.Context(), pipeline.Query{Limit: 1001})),
		"negative limit":  second(s.Findings(t.Context(), pipeline.FindingQuery{Limit: -1})),
		"cursor":          second(s.Hosts(t.Context(), pipeline.Query{Cursor: "%"})),
		"other's cursor":  second(s.Ports(t.Context(), pipeline.Query{Cursor: "WyJwMSIsImEuZXhhbXBsZSJd"})),
		"level":           second(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e", Level: "loud"})),
		"no execution":    second(s.Logs(t.Context(), pipeline.LogQuery{})),
		"no project":      s.DeleteProject(t.Context(), ""),
	} {
		if pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the size of a page, all pages together are the list: every row once,
// in order.
func TestPages(t *testing.T) {
	s := clickhousetest.Open(t)
	b := &rows.Batch{}
	for i := range 23 {
		name := fmt.Sprintf("%02d.example.com", i)
		for _, p := range []string{"p1", "p2"} {
			b.Domains = append(b.Domains, rows.Domain{Seen: seen(p, "project:"+p+";domain:"+name, 0, 0), Name: name})
		}
		for _, proto := range []pipeline.Protocol{pipeline.TCP, pipeline.UDP} {
			key := fmt.Sprintf("project:p1;host:192.0.2.10;port:%d;protocol:%s", i+1, proto)
			b.Ports = append(b.Ports, rows.Port{Seen: seen("p1", key, 0, 0), Addr: v4, Port: uint16(i + 1), Protocol: proto})
		}
		b.Findings = append(b.Findings, finding(fmt.Sprintf("f%02d", i), int64(i/4))) // four at the same time
		b.Executions = append(b.Executions, rows.Execution{ProjectID: "p1", ID: fmt.Sprintf("e%02d", i), QueuedAt: day + int64(i/4), Current: rows.State{State: "queued", At: day}})
	}
	write(t, s, b, b) // and not yet merged with its repetition
	for _, limit := range []int{1, 4, 7, 23, 100} {
		checkPages(t, "domains", 46, func(cursor string) ([]string, uint64, string) {
			p := get[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), pipeline.Query{Limit: limit, Cursor: cursor}))
			return mapped(p.Items, func(d pipeline.Domain) string { return d.ProjectID + d.Name }), p.Total, p.Next
		}, false)
		checkPages(t, "ports", 46, func(cursor string) ([]string, uint64, string) {
			p := get[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), pipeline.Query{ProjectID: "p1", Limit: limit, Cursor: cursor}))
			return mapped(p.Items, func(d pipeline.Port) string { return fmt.Sprintf("%05d%s", d.Port, d.Protocol) }), p.Total, p.Next
		}, false)
		checkPages(t, "findings", 23, func(cursor string) ([]string, uint64, string) {
			p := get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), pipeline.FindingQuery{ProjectID: "p1", Limit: limit, Cursor: cursor}))
			return mapped(p.Items, func(d pipeline.StoredFinding) string { return d.ID }), p.Total, p.Next
		}, true)
		checkPages(t, "executions", 23, func(cursor string) ([]string, uint64, string) {
			p := get[pipeline.Page[pipeline.Execution]](t)(s.Executions(t.Context(), pipeline.ExecutionQuery{ProjectID: "p1", Limit: limit, Cursor: cursor}))
			return mapped(p.Items, func(d pipeline.Execution) string { return d.ID }), p.Total, p.Next
		}, true)
	}
}

func checkPages(t *testing.T, what string, want int, read func(cursor string) ([]string, uint64, string), down bool) {
	t.Helper()
	var got []string
	for cursor, rounds := "", 0; ; rounds++ {
		ids, total, next := read(cursor)
		if total != uint64(want) {
			t.Fatalf("%s: total %d, want %d", what, total, want)
		}
		got = append(got, ids...)
		if cursor = next; next == "" {
			break
		}
		if rounds > 2*want {
			t.Fatalf("%s: there is no end", what)
		}
	}
	if down {
		slices.Reverse(got)
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != want {
		t.Errorf("%s: %d rows, want %d sorted ones: %v", what, len(got), want, got)
	}
}

func finding(id string, ms int64) rows.Finding {
	return rows.Finding{
		ID: id, ProjectID: "p1", CorrelationKey: "project:p1;host:192.0.2.10", At: day + ms, Source: "job", ExecutionID: "e1", Job: "PortScan",
		Type: "CustomFinding", Key: "WafFinding", Name: "WAF", IP: "192.0.2.10", Mask: -1, SSL: -1, Depth: 2, RootID: "r1",
		Fields: `[{"key":"waf","label":"WAF","type":"text","data":"x"},{"key":"n","type":"text","data":3}]`,
	}
}

func TestFindings(t *testing.T) {
	s := clickhousetest.Open(t)
	again := finding("f1", 700) // accepted a second time
	other := finding("f2", 100)
	other.Key, other.ExecutionID, other.CorrelationKey, other.ProjectID = "OsFinding", "e2", "project:p1;host:192.0.2.9", "p1"
	foreign := finding("f3", 50)
	foreign.ProjectID = "p2"
	write(t, s, &rows.Batch{Findings: []rows.Finding{again, foreign}}, &rows.Batch{Findings: []rows.Finding{finding("f1", 0), other}}, &rows.Batch{Findings: []rows.Finding{other}})
	for name, tc := range map[string]struct {
		q    pipeline.FindingQuery
		want []string
	}{
		"project":             {pipeline.FindingQuery{ProjectID: "p1"}, []string{"f2", "f1"}},
		"everywhere":          {pipeline.FindingQuery{}, []string{"f2", "f3", "f1"}},
		"target":              {pipeline.FindingQuery{ProjectID: "p1", Target: "project:p1;host:192.0.2.10"}, []string{"f1"}},
		"key":                 {pipeline.FindingQuery{ProjectID: "p1", Key: "OsFinding"}, []string{"f2"}},
		"execution":           {pipeline.FindingQuery{ProjectID: "p1", ExecutionID: "e1"}, []string{"f1"}},
		"execution elsewhere": {pipeline.FindingQuery{ProjectID: "p2", ExecutionID: "e2"}, []string{}},
		"hostile":             {pipeline.FindingQuery{ProjectID: "p1", Key: "' OR 1=1 --"}, []string{}},
	} {
		got := get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), tc.q))
		if diff := cmp.Diff(tc.want, mapped(got.Items, func(f pipeline.StoredFinding) string { return f.ID })); diff != "" || got.Total != uint64(len(tc.want)) {
			t.Errorf("%s: total %d (-want +got)\n%s", name, got.Total, diff)
		}
	}
	want := pipeline.StoredFinding{
		ID: "f1", ProjectID: "p1", CorrelationKey: "project:p1;host:192.0.2.10", At: at(0), Source: pipeline.SourceJob, ExecutionID: "e1",
		Job: "PortScan", RootID: "r1", Depth: 2, Type: pipeline.CustomFinding, Key: "WafFinding", Name: "WAF", Locators: pipeline.Locators{IP: "192.0.2.10"},
		Fields: []pipeline.Field{{Key: "waf", Label: "WAF", Type: pipeline.TextField, Data: "x"}, {Key: "n", Type: pipeline.TextField, Data: 3.0}},
	}
	got := get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), pipeline.FindingQuery{ExecutionID: "e1", ProjectID: "p1"}))
	if diff := cmp.Diff(want, got.Items[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c := get[pipeline.Counts](t)(s.Counts(t.Context(), "p1")); c.Findings != 2 {
		t.Errorf("%d findings are counted, want 2", c.Findings)
	}
}

func TestExecutions(t *testing.T) {
	s := clickhousetest.Open(t)
	request := rows.Execution{
		ProjectID: "p1", ID: "e1", Job: "PortScan", Target: "project:p1;host:192.0.2.10", QueuedAt: day,
		Request: `{"id":"e1","projectId":"p1","job":"PortScan","arguments":[{"name":"n","value":1}],"cause":{"rootId":"r1","depth":2}}`,
		Current: rows.State{At: day, State: "queued"},
	}
	event := func(attempt uint32, state pipeline.State, ms int64) rows.Execution {
		e := rows.Execution{ProjectID: "p1", ID: "e1", QueuedAt: day + ms, Current: rows.State{
			Attempt: attempt, Rank: uint8(state.Rank()), At: day + ms, State: string(state), Runner: "local",
		}}
		if state == pipeline.StateStarting || state == pipeline.StateRunning {
			e.Started = rows.Start{Attempt: attempt, Rank: uint8(state.Rank()), At: day + ms}
		}
		return e
	}
	failed := event(2, pipeline.StateFailed, 90)
	failed.Current.Exited, failed.Current.ExitCode, failed.Current.Reason = 1, 3, string(pipeline.ReasonExitCode)
	steps := []rows.Execution{event(1, pipeline.StateStarting, 10), event(1, pipeline.StateRunning, 20), event(1, pipeline.StateLost, 100), event(2, pipeline.StateQueued, 60), event(2, pipeline.StateRunning, 70), failed}
	line := func(stream string, seq uint64, level uint8) rows.Line {
		return rows.Line{ProjectID: "p1", ExecutionID: "e1", Attempt: 1, Stream: stream, Seq: seq, Position: int64(seq), At: day, Level: level, Text: "x"}
	}
	// the end arrives before the beginning, and lines twice
	write(t, s, &rows.Batch{Executions: steps[3:]})
	early := get[pipeline.Execution](t)(s.Execution(t.Context(), "e1"))
	if early.State != pipeline.StateFailed || early.Arguments == nil {
		t.Errorf("before its request: %+v", early)
	}
	for range 2 {
		write(t, s, &rows.Batch{
			Executions: append(steps[:3:3], request), Findings: []rows.Finding{finding("f1", 1), finding("f2", 2)},
			Lines: []rows.Line{line("sdk", 1, 3), line("sdk", 2, 3), line("stdout", 1, 2), line("stderr", 1, 1)},
		})
	}
	code := 3
	want := pipeline.Execution{
		ID: "e1", ProjectID: "p1", Job: "PortScan", State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, ExitCode: &code, Attempt: 2, Runner: "local",
		Arguments: []pipeline.Argument{{Name: "n", Value: []byte("1")}}, Cause: pipeline.Cause{RootID: "r1", Depth: 2}, Target: "project:p1;host:192.0.2.10",
		QueuedAt: at(0), StartedAt: at(70), EndedAt: at(90), Findings: 2, Errors: 2, Warnings: 1,
	}
	if diff := cmp.Diff(want, get[pipeline.Execution](t)(s.Execution(t.Context(), "e1"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for state, n := range map[pipeline.State]int{pipeline.StateFailed: 1, pipeline.StateRunning: 0, "": 1} {
		p := get[pipeline.Page[pipeline.Execution]](t)(s.Executions(t.Context(), pipeline.ExecutionQuery{ProjectID: "p1", State: state}))
		if len(p.Items) != n || p.Total != uint64(n) {
			t.Errorf("%q: %d of %d executions, want %d", state, len(p.Items), p.Total, n)
		}
	}
	wantCounts := pipeline.Counts{Findings: 2, Executions: states(map[pipeline.State]uint64{pipeline.StateFailed: 1})}
	if diff := cmp.Diff(wantCounts, get[pipeline.Counts](t)(s.Counts(t.Context(), "p1"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLogs(t *testing.T) {
	s := clickhousetest.Open(t)
	line := func(position int64, stream string, seq uint64, level uint8, text string) rows.Line {
		return rows.Line{ProjectID: "p1", ExecutionID: "e1", Attempt: 1, Stream: stream, Seq: seq, Position: position, At: day + 100 - position, Level: level, Text: text}
	}
	follow := func(after string, level pipeline.Level) (texts []string, next string) {
		p := get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e1", Level: level, After: after, Limit: 2}))
		return mapped(p.Items, func(l pipeline.LogLine) string { return l.Text }), p.Next
	}
	same := func(want, got []string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	texts, next := follow("", "")
	same([]string{}, texts)
	write(t, s, &rows.Batch{Lines: []rows.Line{line(5, "stdout", 1, 1, "one"), line(6, "sdk", 1, 3, "two"), line(7, "stdout", 2, 1, "three\x00\xff")}})
	texts, next = follow(next, "")
	same([]string{"one", "two"}, texts)
	texts, next = follow(next, "")
	same([]string{"three\x00\xff"}, texts)
	// a repetition changes nothing, what is new follows even when its clock is behind
	write(t, s, &rows.Batch{Lines: []rows.Line{line(8, "sdk", 1, 3, "two"), line(9, "stderr", 1, 2, "four")}})
	texts, next = follow(next, "")
	same([]string{"four"}, texts)
	texts, again := follow(next, "")
	same([]string{}, texts)
	if again != next {
		t.Error("the end moved")
	}
	texts, _ = follow("", pipeline.LevelWarning)
	same([]string{"two", "four"}, texts)
	p := get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e1", Level: pipeline.LevelError}))
	want := pipeline.LogLine{ExecutionID: "e1", ProjectID: "p1", Attempt: 1, Stream: pipeline.StreamSDK, Seq: 1, Level: pipeline.LevelError, Text: "two", At: at(92)}
	if diff := cmp.Diff([]pipeline.LogLine{want}, p.Items); diff != "" || p.Total != 1 {
		t.Errorf("total %d (-want +got)\n%s", p.Total, diff)
	}
	p = get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e1", Level: pipeline.LevelWarning, Text: "O"}))
	levels := map[pipeline.Level]uint64{"debug": 0, "info": 1, "warning": 1, "error": 1}
	if diff := cmp.Diff(levels, p.Levels); diff != "" || p.Total != 2 || len(p.Items) != 2 || p.Places[1] != p.Next {
		t.Errorf("searched: %+v (-want +got)\n%s", p, diff)
	}
	if p = get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e1", After: p.Places[0]})); len(p.Items) != 2 || p.Items[0].Text != "three\x00\xff" {
		t.Errorf("what follows a line: %+v", p.Items)
	}
}

func TestDeleteProject(t *testing.T) {
	s := clickhousetest.Open(t)
	write(t, s, everything("p1", 40), everything("p2", 40))
	if got := snapshot(t, s, "p1"); got.Counts.Domains != 40 || got.Findings.Total != 40 || got.Ports.Total != 40 {
		t.Fatalf("before: %+v", got.Counts)
	}
	if err := s.DeleteProject(t.Context(), "p1"); err != nil {
		t.Fatal(err)
	}
	gone := get[pipeline.Counts](t)(s.Counts(t.Context(), "p1"))
	if diff := cmp.Diff(pipeline.Counts{Executions: states(nil)}, gone); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(snapshot(t, s, "p2").Counts.Domains, uint64(40)); diff != "" {
		t.Errorf("the other project (-want +got)\n%s", diff)
	}
	if p := get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "p1e0"})); p.Total != 0 || len(p.Items) != 0 {
		t.Errorf("%d lines are left", p.Total)
	}
	write(t, s, everything("p1", 3)) // seen again, it is there again
	if got := snapshot(t, s, "p1").Counts.Domains; got != 3 {
		t.Errorf("%d domains after they were seen again, want 3", got)
	}
}

// everything has n rows of each kind, no two with the same key.
func everything(project string, n int) *rows.Batch {
	b := &rows.Batch{}
	for i := range n {
		addr, name := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), fmt.Sprintf("d%d.example", i)
		x := seen(project, fmt.Sprintf("%s/%d", project, i), 0, 0)
		b.Domains = append(b.Domains, rows.Domain{Seen: x, Name: name})
		b.Hosts = append(b.Hosts, rows.Host{Seen: x, Addr: addr})
		b.Ranges = append(b.Ranges, rows.Range{Seen: x, Addr: addr, Bits: 32})
		b.Ports = append(b.Ports, rows.Port{Seen: x, Addr: addr, Port: 80, Protocol: pipeline.TCP})
		b.Websites = append(b.Websites, rows.Website{Seen: x, Addr: addr, Domain: name, Port: 80, Path: "/"})
		b.Links = append(b.Links, rows.Link{ProjectID: project, Domain: name, Addr: addr, First: day, Last: day})
		b.Tags = append(b.Tags, rows.Tag{ProjectID: project, ResourceID: x.ID, Tag: "t", State: value[uint8](0, 1)})
		f := finding(fmt.Sprintf("%sf%d", project, i), int64(i))
		f.ProjectID, f.ExecutionID = project, project+"e0"
		b.Findings = append(b.Findings, f)
		b.Executions = append(b.Executions, rows.Execution{ProjectID: project, ID: fmt.Sprintf("%se%d", project, i), QueuedAt: day, Current: rows.State{State: "queued", At: day}})
		b.Lines = append(b.Lines, rows.Line{ProjectID: project, ExecutionID: project + "e0", Stream: "sdk", Seq: uint64(i), Position: int64(i), At: day, Text: "x"})
	}
	return b
}

// picture is all that can be read of a project.
type picture struct {
	Domains    pipeline.Page[pipeline.Domain]
	Hosts      pipeline.Page[pipeline.Host]
	Ranges     pipeline.Page[pipeline.IPRange]
	Ports      pipeline.Page[pipeline.Port]
	Websites   pipeline.Page[pipeline.Website]
	Findings   pipeline.Page[pipeline.StoredFinding]
	Executions pipeline.Page[pipeline.Execution]
	Lines      []pipeline.LogPage
	Counts     pipeline.Counts
}

func snapshot(t *testing.T, s *clickhouse.Store, project string) (p picture) {
	t.Helper()
	q := pipeline.Query{ProjectID: project, Limit: 1000}
	p.Domains = get[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), q))
	p.Hosts = get[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), q))
	p.Ranges = get[pipeline.Page[pipeline.IPRange]](t)(s.Ranges(t.Context(), q))
	p.Ports = get[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), q))
	p.Websites = get[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), q))
	p.Findings = get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), pipeline.FindingQuery{ProjectID: project, Limit: 1000}))
	p.Executions = get[pipeline.Page[pipeline.Execution]](t)(s.Executions(t.Context(), pipeline.ExecutionQuery{ProjectID: project, Limit: 1000}))
	for _, e := range p.Executions.Items {
		p.Lines = append(p.Lines, get[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: e.ID, Limit: 1000})))
	}
	p.Counts = get[pipeline.Counts](t)(s.Counts(t.Context(), project))
	return p
}

// The laws of writing: in whatever order rows come, however they are cut into
// batches and however often they are repeated, the same is read.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			b := random(r, 60)
			plain, mixed := clickhousetest.Open(t), clickhousetest.OpenUnmerged(t)
			write(t, plain, b)
			for range 2 {
				for _, part := range cut(r, b, 5) {
					write(t, mixed, part)
				}
			}
			want, got := snapshot(t, plain, "p1"), snapshot(t, mixed, "p1")
			if want.Counts.Domains == 0 || want.Counts.Findings == 0 || len(want.Executions.Items) == 0 {
				t.Fatalf("the picture is empty: %+v", want.Counts)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-in order +mixed)\n%s", diff)
			}
			// and the laws of Go are those of ClickHouse
			folded := clickhousetest.Open(t)
			write(t, folded, fold(b))
			if diff := cmp.Diff(want, snapshot(t, folded, "p1")); diff != "" {
				t.Errorf("(-store +rows.Merge)\n%s", diff)
			}
		})
	}
}

// random makes rows with few keys, so that many meet.
func random(r *rand.Rand, n int) *rows.Batch {
	b := &rows.Batch{}
	text := func() string { return []string{"", "a", "b", "z\x00", "ß"}[r.IntN(5)] }
	ms := func() int64 { return r.Int64N(5) }
	for range n {
		i := r.IntN(12) // some meet in a batch, more across batches
		addr, name := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), fmt.Sprintf("d%d.example", i)
		first := ms()
		x := seen("p1", strconv.Itoa(i), first, first+ms())
		b.Domains = append(b.Domains, rows.Domain{Seen: x, Name: name})
		b.Hosts = append(b.Hosts, rows.Host{Seen: x, Addr: addr, OS: value(ms(), text())})
		b.Ports = append(b.Ports, rows.Port{Seen: x, Addr: addr, Port: 80, Protocol: pipeline.TCP, Service: value(ms(), text()), Product: value(ms(), text()), Version: value(ms(), text())})
		b.Websites = append(b.Websites, rows.Website{Seen: x, Addr: addr, Port: 80, Path: "/", SSL: value(ms(), uint8(r.IntN(2))), Status: value(ms(), uint16(r.IntN(3))), Title: value(ms(), text()), Technologies: map[string]int64{strconv.Itoa(r.IntN(9)): day + ms()}})
		b.Links = append(b.Links, rows.Link{ProjectID: "p1", Domain: name, Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(12))}), First: day + first, Last: day + first + ms()})
		b.Tags = append(b.Tags, rows.Tag{ProjectID: "p1", ResourceID: x.ID, Tag: strconv.Itoa(r.IntN(3)), State: value(ms(), uint8(r.IntN(2)))})
		b.Findings = append(b.Findings, finding(fmt.Sprintf("f%d", r.IntN(20)), ms()))
		attempt := uint32(r.IntN(3))
		state := pipeline.States()[r.IntN(len(pipeline.States()))]
		b.Executions = append(b.Executions, rows.Execution{
			ProjectID: "p1", ID: fmt.Sprintf("e%d", i), QueuedAt: day + ms(),
			Current: rows.State{Attempt: attempt, Rank: uint8(state.Rank()), At: day + ms(), State: string(state), Detail: text(), Exited: uint8(r.IntN(2)), ExitCode: int32(r.IntN(3)) - 1},
			Started: rows.Start{Attempt: attempt, Rank: uint8(r.IntN(2)), At: day + ms()},
		})
		seq := uint64(r.IntN(30))
		b.Lines = append(b.Lines, rows.Line{ProjectID: "p1", ExecutionID: fmt.Sprintf("e%d", seq%12), Stream: "sdk", Seq: seq, Position: int64(100*seq) + ms(), At: day + ms(), Level: uint8(r.IntN(4)), Text: text()})
	}
	return b
}

// cut deals the rows of b, shuffled, into n batches.
func cut(r *rand.Rand, b *rows.Batch, n int) []*rows.Batch {
	out := make([]*rows.Batch, n)
	for i := range out {
		out[i] = &rows.Batch{}
	}
	deal(r, b.Domains, out, func(b *rows.Batch) *[]rows.Domain { return &b.Domains })
	deal(r, b.Hosts, out, func(b *rows.Batch) *[]rows.Host { return &b.Hosts })
	deal(r, b.Ports, out, func(b *rows.Batch) *[]rows.Port { return &b.Ports })
	deal(r, b.Websites, out, func(b *rows.Batch) *[]rows.Website { return &b.Websites })
	deal(r, b.Links, out, func(b *rows.Batch) *[]rows.Link { return &b.Links })
	deal(r, b.Tags, out, func(b *rows.Batch) *[]rows.Tag { return &b.Tags })
	deal(r, b.Findings, out, func(b *rows.Batch) *[]rows.Finding { return &b.Findings })
	deal(r, b.Executions, out, func(b *rows.Batch) *[]rows.Execution { return &b.Executions })
	deal(r, b.Lines, out, func(b *rows.Batch) *[]rows.Line { return &b.Lines })
	return out
}

func deal[T any](r *rand.Rand, in []T, out []*rows.Batch, of func(*rows.Batch) *[]T) {
	in = slices.Clone(in)
	r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	for i, x := range in {
		to := of(out[i%len(out)])
		*to = append(*to, x)
	}
}

// fold merges in Go what the store merges when it reads.
func fold(b *rows.Batch) *rows.Batch {
	out := *b
	out.Domains = merged(b.Domains, func(r *rows.Domain) string { return r.Name }, (*rows.Domain).Merge)
	out.Hosts = merged(b.Hosts, func(r *rows.Host) string { return r.Addr.String() }, (*rows.Host).Merge)
	out.Ports = merged(b.Ports, func(r *rows.Port) string { return r.Addr.String() }, (*rows.Port).Merge)
	out.Websites = merged(b.Websites, func(r *rows.Website) string { return r.Addr.String() }, (*rows.Website).Merge)
	out.Links = merged(b.Links, func(r *rows.Link) string { return r.Domain + r.Addr.String() }, (*rows.Link).Merge)
	out.Tags = merged(b.Tags, func(r *rows.Tag) string { return r.ResourceID + r.Tag }, (*rows.Tag).Merge)
	out.Executions = merged(b.Executions, func(r *rows.Execution) string { return r.ID }, (*rows.Execution).Merge)
	return &out
}

func merged[T any](in []T, key func(*T) string, merge func(*T, *T)) []T {
	by := map[string]*T{}
	for i := range in {
		x := in[i]
		if have := by[key(&x)]; have != nil {
			merge(have, &x)
		} else {
			by[key(&x)] = &x
		}
	}
	out := make([]T, 0, len(by))
	for _, x := range by {
		out = append(out, *x)
	}
	return out
}

func TestConfig(t *testing.T) {
	cfg := clickhouse.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	bad := clickhouse.Config{Addresses: []string{"nowhere"}, Protocol: "smoke", Database: "a-b"}
	err := bad.Validate()
	for _, key := range []string{"addresses[0]", "protocol", "database", "dialTimeout", "readTimeout", "writeTimeout", "maxConnections", "maxReads:", "maxReadsWriting:", "compression"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not complained about: %v", key, err)
		}
	}
	if _, err := clickhouse.Open(cfg, clickhouse.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}); err == nil {
		t.Error("neither a server nor an engine, and no error")
	}
}

func TestServerAway(t *testing.T) {
	cfg := clickhouse.DefaultConfig()
	cfg.Addresses, cfg.DialTimeout = []string{"127.0.0.1:1"}, time.Second
	s, err := clickhouse.Open(cfg, clickhouse.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for what, err := range map[string]error{
		"ping": s.Ping(t.Context()), "write": s.Write(t.Context(), everything("p1", 1)), "migrate": s.Migrate(t.Context()),
		"read": second(s.Counts(t.Context(), "p1")),
	} {
		if pipeline.CodeOf(err) != pipeline.CodeUnavailable {
			t.Errorf("%s: code %s of %v", what, pipeline.CodeOf(err), err)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	s := clickhousetest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, everything("p1", 1)); err == nil {
		t.Error("written after the end")
	}
	if _, err := s.Domains(ctx, pipeline.Query{}); err == nil {
		t.Error("read after the end")
	}
}
