package projector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

const now = int64(1_700_000_000_000)

// say is a finding of the project p, n milliseconds after now, at offset n.
func say(n int64, typ pipeline.FindingType, key string, l pipeline.Locators, fields ...string) entry[pipeline.Finding] {
	f := pipeline.Finding{
		ID: fmt.Sprintf("f%d", n), ProjectID: "p", At: time.UnixMilli(now + n).UTC(), Type: typ, Key: key, Locators: l,
		Source: pipeline.SourceJob, ExecutionID: "e1",
	}
	website := l.Path != "" || typ == pipeline.WebsiteFinding
	about := l
	if typ == pipeline.HostnameIPFinding {
		about.Domain = "" // it is about the host
	}
	f.CorrelationKey, _ = pipeline.CorrelationKey("p", about, website) // some tests name nothing
	for i := 0; i+1 < len(fields); i += 2 {
		f.Fields = append(f.Fields, pipeline.Field{Key: fields[i], Type: pipeline.TextField, Data: fields[i+1]})
	}
	return entry[pipeline.Finding]{body: f, index: int(n), offset: n}
}

func seen(key string, first, last int64) rows.Seen {
	if key != "" {
		key = ";" + key
	}
	return rows.Seen{ProjectID: "p", ID: pipeline.ResourceID("project:p" + key), First: now + first, Last: now + last}
}

func value[T string | uint8 | uint16](n int64, v T) rows.Value[T] {
	return rows.Value[T]{Version: rows.Version(now+n, n), Value: v}
}

var (
	addr  = netip.MustParseAddr("192.0.2.1")
	addr6 = netip.MustParseAddr("2001:db8::1")
	yes   = true
	no    = false
	bits0 = 0
	bits  = 24
)

// The kinds of findings, and what each changes.
func TestFoldFindings(t *testing.T) {
	const portKey = "host:192.0.2.1;port:443;protocol:tcp"
	var (
		site   = pipeline.Locators{IP: "192.0.2.1", Port: 443, Domain: "a.example", Path: "/x"}
		host   = rows.Host{Seen: seen("host:192.0.2.1", 1, 1), Addr: addr}
		domain = rows.Domain{Seen: seen("domain:a.example", 1, 1), Name: "a.example"}
		port   = rows.Port{Seen: seen(portKey, 1, 1), Addr: addr, Port: 443, Protocol: pipeline.TCP}
		web    = rows.Website{Seen: seen(portKey+";domain:a.example;path:/x", 1, 1), Addr: addr, Port: 443, Domain: "a.example", Path: "/x"}
	)
	onSite := func(change func(*rows.Website)) rows.Batch {
		w := web
		change(&w)
		return rows.Batch{Domains: []rows.Domain{domain}, Hosts: []rows.Host{host}, Ports: []rows.Port{port}, Websites: []rows.Website{w}}
	}
	secure := say(1, pipeline.WebsiteFinding, "WebsiteFinding", site)
	secure.body.SSL = &yes
	tag := say(1, pipeline.TagFinding, "TagFinding", pipeline.Locators{IP: "192.0.2.1"})
	tag.body.Tag = "Login"
	picture := say(1, pipeline.CustomFinding, "WebsiteScreenshotFinding", site)
	picture.body.Fields = []pipeline.Field{{Key: "image", Type: pipeline.ImageField, Data: "data:image/png;base64,AA=="}}
	for name, tc := range map[string]struct {
		in   entry[pipeline.Finding]
		want rows.Batch
	}{
		"domain": {say(1, pipeline.HostnameFinding, "HostnameFinding", pipeline.Locators{Domain: "a.example"}), rows.Batch{Domains: []rows.Domain{domain}}},
		"host":   {say(1, pipeline.IPFinding, "IpFinding", pipeline.Locators{IP: "192.0.2.1"}), rows.Batch{Hosts: []rows.Host{host}}},
		"IPv6 host": {
			say(1, pipeline.IPFinding, "IpFinding", pipeline.Locators{IP: "2001:db8::1"}),
			rows.Batch{Hosts: []rows.Host{{Seen: seen("host:2001:db8::1", 1, 1), Addr: addr6}}},
		},
		"domain and host": {
			say(1, pipeline.HostnameIPFinding, "HostnameIpFinding", pipeline.Locators{Domain: "a.example", IP: "192.0.2.1"}),
			rows.Batch{
				Domains: []rows.Domain{domain}, Hosts: []rows.Host{host},
				Links: []rows.Link{{ProjectID: "p", Domain: "a.example", Addr: addr, First: now + 1, Last: now + 1}},
			},
		},
		"range": {
			say(1, pipeline.IPRangeFinding, "IpRangeFinding", pipeline.Locators{IP: "192.0.2.77", Mask: &bits}),
			rows.Batch{Ranges: []rows.Range{{Seen: seen("host:192.0.2.0;mask:24", 1, 1), Addr: netip.MustParseAddr("192.0.2.0"), Bits: 24}}},
		},
		"the whole internet": {
			say(1, pipeline.IPRangeFinding, "IpRangeFinding", pipeline.Locators{IP: "0.0.0.0", Mask: &bits0}),
			rows.Batch{Ranges: []rows.Range{{Seen: seen("host:0.0.0.0;mask:0", 1, 1), Addr: netip.MustParseAddr("0.0.0.0")}}},
		},
		"port makes its host": {
			say(1, pipeline.PortFinding, "PortFinding", pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}),
			rows.Batch{Hosts: []rows.Host{host}, Ports: []rows.Port{port}},
		},
		"udp": {
			say(1, pipeline.PortFinding, "PortFinding", pipeline.Locators{IP: "192.0.2.1", Port: 53, Protocol: pipeline.UDP}),
			rows.Batch{Hosts: []rows.Host{host}, Ports: []rows.Port{{Seen: seen("host:192.0.2.1;port:53;protocol:udp", 1, 1), Addr: addr, Port: 53, Protocol: pipeline.UDP}}},
		},
		"website makes its parents": {secure, onSite(func(w *rows.Website) { w.SSL = value[uint8](1, 1) })},
		"website of an address": {
			say(1, pipeline.WebsiteFinding, "WebsiteFinding", pipeline.Locators{IP: "192.0.2.1", Port: 443}),
			rows.Batch{Hosts: []rows.Host{host}, Ports: []rows.Port{port}, Websites: []rows.Website{{Seen: seen(portKey+";domain:;path:/", 1, 1), Addr: addr, Port: 443, Path: "/"}}},
		},
		"tag": {tag, rows.Batch{Tags: []rows.Tag{{ProjectID: "p", ResourceID: pipeline.ResourceID("project:p;host:192.0.2.1"), Tag: "Login", State: value[uint8](1, 1), Addr: addr}}}},
		"service": {
			say(1, pipeline.CustomFinding, "PortServiceFinding", pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}, "serviceName", " https ", "serviceVersion", "1.2"),
			rows.Batch{Hosts: []rows.Host{host}, Ports: []rows.Port{{Seen: port.Seen, Addr: addr, Port: 443, Protocol: pipeline.TCP, Service: value(1, "https"), Version: value(1, "1.2")}}},
		},
		"a version of no service": {
			say(1, pipeline.CustomFinding, "PortServiceFinding", pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}, "serviceVersion", "1.2"),
			rows.Batch{Hosts: []rows.Host{host}, Ports: []rows.Port{port}},
		},
		"operating system": {
			say(1, pipeline.CustomFinding, "OperatingSystemFinding", pipeline.Locators{IP: "192.0.2.1"}, "os", "Linux"),
			rows.Batch{Hosts: []rows.Host{{Seen: host.Seen, Addr: addr, OS: value(1, "Linux")}}},
		},
		"technologies": {
			say(1, pipeline.CustomFinding, "WebsiteTechnologyFinding", site, "technology", "PHP", "technology", " ", "technology", "Apache", "technology", "PHP", "other", "x"),
			onSite(func(w *rows.Website) { w.Technologies = map[string]int64{"Apache": now + 1, "PHP": now + 1} }),
		},
		"response": {
			say(1, pipeline.CustomFinding, "WebsiteResponseFinding", site, "statusCode", "404", "title", "Not <found>"),
			onSite(func(w *rows.Website) {
				w.Status, w.Title, w.Server = value[uint16](1, 404), value(1, "Not <found>"), value(1, "")
			}),
		},
		"certificate": {
			say(1, pipeline.CustomFinding, "CertificateFinding", site, "subject", "CN=a.example", "issuer", "CN=ca", "sans", "b.example, a.example", "names", "a.example",
				"notBefore", "2024-01-01T00:00:00Z", "notAfter", "1735689600", "fingerprint", "AB:CD"),
			onSite(func(w *rows.Website) {
				w.Certificate = value(1, `{"subject":"CN=a.example","issuer":"CN=ca","names":["a.example","b.example"],"notBefore":"2024-01-01T00:00:00Z","notAfter":"2025-01-01T00:00:00Z","fingerprint":"abcd"}`)
			}),
		},
		"path": {say(1, pipeline.CustomFinding, "WebsitePathFinding", site, "endpoint", "/login#top", "endpoint", "https://a.example/x?y=1", "statusCode", "403"), func() rows.Batch {
			b := onSite(func(*rows.Website) {})
			for _, p := range []string{"/login", "/x?y=1"} {
				b.Paths = append(b.Paths, rows.Path{ProjectID: "p", WebsiteID: b.Websites[0].ID, Path: p, First: now + 1, Last: now + 1, Status: value[uint16](1, 403)})
			}
			return b
		}()},
		"screenshot":                    {picture, onSite(func(w *rows.Website) { w.Screenshot = value(1, "f1") })},
		"a screenshot without an image": {say(1, pipeline.CustomFinding, "WebsiteScreenshotFinding", site, "url", "https://a.example/x"), onSite(func(*rows.Website) {})},
		"anything else":                 {say(1, pipeline.CustomFinding, "WafFinding", site, "waf", "x"), rows.Batch{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, dead := fold(input{findings: []entry[pipeline.Finding]{tc.in}}, newHistory(newMemory(), 0))
			if len(dead) > 0 || len(got.Findings) != 1 {
				t.Fatalf("rejected %v, stored %d", dead, len(got.Findings))
			}
			got.Findings, got.Changes = nil, nil // see TestHistory
			if diff := gocmp.Diff(&tc.want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b rows.Path) bool { return a.Path < b.Path })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFoldRejects(t *testing.T) {
	old := say(1, pipeline.IPFinding, "IpFinding", pipeline.Locators{IP: "192.0.2.1"})
	old.body.At = time.Time{}
	far := old
	far.body.At = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, in := range map[string]input{
		"no time":           {findings: []entry[pipeline.Finding]{old}},
		"far future":        {findings: []entry[pipeline.Finding]{far}},
		"no domain":         {findings: []entry[pipeline.Finding]{say(1, pipeline.HostnameFinding, "x", pipeline.Locators{})}},
		"no address":        {findings: []entry[pipeline.Finding]{say(1, pipeline.IPFinding, "x", pipeline.Locators{})}},
		"bad address":       {findings: []entry[pipeline.Finding]{say(1, pipeline.IPFinding, "x", pipeline.Locators{IP: "300.1.1.1"})}},
		"address with zone": {findings: []entry[pipeline.Finding]{say(1, pipeline.IPFinding, "x", pipeline.Locators{IP: "fe80::1%eth0"})}},
		"half a link":       {findings: []entry[pipeline.Finding]{say(1, pipeline.HostnameIPFinding, "x", pipeline.Locators{Domain: "a.example"})}},
		"no mask":           {findings: []entry[pipeline.Finding]{say(1, pipeline.IPRangeFinding, "x", pipeline.Locators{IP: "192.0.2.1"})}},
		"no port":           {findings: []entry[pipeline.Finding]{say(1, pipeline.PortFinding, "x", pipeline.Locators{IP: "192.0.2.1", Protocol: pipeline.TCP})}},
		"port too large":    {findings: []entry[pipeline.Finding]{say(1, pipeline.PortFinding, "x", pipeline.Locators{IP: "192.0.2.1", Port: 65536, Protocol: pipeline.TCP})}},
		"no tag":            {findings: []entry[pipeline.Finding]{say(1, pipeline.TagFinding, "x", pipeline.Locators{IP: "192.0.2.1"})}},
		"type":              {findings: []entry[pipeline.Finding]{say(1, "OtherFinding", "x", pipeline.Locators{IP: "192.0.2.1"})}},
		"request":           {requests: []entry[pipeline.JobRequest]{{body: pipeline.JobRequest{At: time.UnixMilli(now)}}}},
		"state":             {events: []entry[pipeline.ExecutionEvent]{{body: pipeline.ExecutionEvent{At: time.UnixMilli(now), ExecutionID: "e", ProjectID: "p", State: "odd"}}}},
		"level":             {lines: []entry[pipeline.LogLine]{{body: pipeline.LogLine{At: time.UnixMilli(now), ExecutionID: "e", ProjectID: "p", Level: "loud"}}}},
		"line without time": {lines: []entry[pipeline.LogLine]{{body: pipeline.LogLine{ExecutionID: "e", ProjectID: "p", Level: "info"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			out, dead := fold(in, newHistory(newMemory(), 0))
			if len(dead) != 1 || pipeline.CodeOf(dead[0].err) != pipeline.CodeInvalid || out.Len() != 0 {
				t.Errorf("rejected %v, made %d rows", dead, out.Len())
			}
		})
	}
}

func TestFoldExecutions(t *testing.T) {
	code := 2
	q := pipeline.JobRequest{ID: "e1", ProjectID: "p", Job: "PortScan", At: time.UnixMilli(now).UTC(), Target: "t", Arguments: []pipeline.Argument{{Name: "n", Value: []byte("1")}}}
	event := func(n int64, attempt int, s pipeline.State) entry[pipeline.ExecutionEvent] {
		e := pipeline.ExecutionEvent{ExecutionID: "e1", ProjectID: "p", Attempt: attempt, State: s, At: time.UnixMilli(now + n), Runner: "local"}
		if s == pipeline.StateFailed {
			e.ExitCode, e.Reason = &code, pipeline.ReasonExitCode
		}
		return entry[pipeline.ExecutionEvent]{body: e}
	}
	in := input{
		requests: []entry[pipeline.JobRequest]{{body: q}},
		events:   []entry[pipeline.ExecutionEvent]{event(9, 1, pipeline.StateFailed), event(1, 1, pipeline.StateStarting), event(3, 1, pipeline.StateRunning)},
		lines:    []entry[pipeline.LogLine]{{body: pipeline.LogLine{ExecutionID: "e1", ProjectID: "p", Attempt: 1, Stream: pipeline.StreamSDK, Seq: 4, Level: pipeline.LevelError, Text: "x", At: time.UnixMilli(now)}, offset: 17}},
	}
	out, dead := fold(in, newHistory(newMemory(), 0))
	body, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	want := &rows.Batch{
		Executions: []rows.Execution{{
			ProjectID: "p", ID: "e1", Job: "PortScan", Target: "t", Request: string(body), QueuedAt: now,
			Current: rows.State{Attempt: 1, Rank: 3, At: now + 9, State: "failed", Reason: "exit_code", Exited: 1, ExitCode: 2, Runner: "local"},
			Started: rows.Start{Attempt: 1, Rank: 2, At: now + 3},
		}},
		Lines: []rows.Line{{ProjectID: "p", ExecutionID: "e1", Attempt: 1, Stream: "sdk", Seq: 4, Position: 17, At: now, Level: 3, Text: "x"}},
	}
	if diff := gocmp.Diff(want, out, cmpopts.EquateEmpty()); diff != "" || len(dead) > 0 {
		t.Errorf("rejected %v (-want +got)\n%s", dead, diff)
	}
}

// Many findings about one thing are one row, in whatever order they come.
func TestFoldIsCommutative(t *testing.T) {
	site := pipeline.Locators{IP: "192.0.2.1", Port: 443, Domain: "a.example", Path: "/"}
	port := pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}
	plain := say(7, pipeline.WebsiteFinding, "WebsiteFinding", site)
	plain.body.SSL = &no
	in := []entry[pipeline.Finding]{
		say(1, pipeline.HostnameIPFinding, "HostnameIpFinding", pipeline.Locators{Domain: "a.example", IP: "192.0.2.1"}),
		say(2, pipeline.PortFinding, "PortFinding", port),
		say(3, pipeline.CustomFinding, "PortServiceFinding", port, "serviceName", "http"),
		say(4, pipeline.CustomFinding, "PortServiceFinding", port, "serviceName", "https", "serviceProduct", "nginx"),
		say(5, pipeline.CustomFinding, "WebsiteTechnologyFinding", site, "technology", "PHP"),
		say(6, pipeline.CustomFinding, "WebsiteResponseFinding", site, "statusCode", "200"),
		plain,
		say(8, pipeline.CustomFinding, "OperatingSystemFinding", pipeline.Locators{IP: "192.0.2.1"}, "os", "Linux"),
	}
	want, _ := fold(input{findings: in}, newHistory(newMemory(), 0))
	if len(want.Hosts) != 1 || len(want.Ports) != 1 || len(want.Websites) != 1 || len(want.Findings) != len(in) {
		t.Fatalf("folded to %+v", want)
	}
	if got := want.Ports[0]; got.Service.Value != "https" || got.Product.Value != "nginx" || got.First != now+2 || got.Last != now+7 {
		t.Errorf("the port is %+v", got)
	}
	back := slices.Clone(in)
	slices.Reverse(back)
	got, _ := fold(input{findings: append(back, in...)}, newHistory(newMemory(), 0)) // and all of it again
	slices.SortFunc(got.Findings, func(a, b rows.Finding) int { return cmp.Compare(a.At, b.At) })
	got.Findings = slices.CompactFunc(got.Findings, func(a, b rows.Finding) bool { return a.ID == b.ID })
	if diff := gocmp.Diff(rows.Events(want.Changes), rows.Events(got.Changes)); diff != "" || len(want.Changes) == 0 {
		t.Errorf("history (-in order +backwards)\n%s", diff)
	}
	want.Changes, got.Changes, got.Unsure = nil, nil, nil
	if diff := gocmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-in order +backwards)\n%s", diff)
	}
}

func TestStoredFinding(t *testing.T) {
	e := say(1, pipeline.CustomFinding, "WebsiteScreenshotFinding", pipeline.Locators{IP: "192.0.2.1", Port: 443, Path: "/", Mask: &bits})
	e.body.Fields = []pipeline.Field{
		{Key: "url", Label: "URL", Type: pipeline.TextField, Data: "http://x/"}, {Key: "image", Type: pipeline.ImageField, Data: "data:image/png;base64,AAAA"},
	}
	e.body.SSL = &yes
	out, _ := fold(input{findings: []entry[pipeline.Finding]{e}}, newHistory(newMemory(), 0))
	want := rows.Finding{
		ID: "f1", ProjectID: "p", CorrelationKey: e.body.CorrelationKey, At: now + 1, Source: "job", ExecutionID: "e1", Type: "CustomFinding",
		Key: "WebsiteScreenshotFinding", IP: "192.0.2.1", Port: 443, Path: "/", Mask: 24, SSL: 1,
		Fields: `[{"key":"url","label":"URL","type":"text","data":"http://x/"},{"key":"image","type":"image"}]`, Said: "\xff\xffURL\xfehttp://x/\xffIMAGE\xfe\xff", Images: []string{"data:image/png;base64,AAAA"},
	}
	if diff := gocmp.Diff([]rows.Finding{want}, out.Findings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if e.body.Fields[1].Data == nil {
		t.Error("the finding itself was changed")
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add("CN=x", "2024-01-01T00:00:00Z", "a,b;c d")
	f.Add("", "9999-12-31T23:59:59-10:00", "\xff")
	f.Add("x", "1e300", "")
	f.Fuzz(func(t *testing.T, subject, at, names string) {
		field := func(k, v string) pipeline.Field { return pipeline.Field{Key: k, Type: pipeline.TextField, Data: v} }
		body, _ := certificate(&pipeline.Finding{Fields: []pipeline.Field{field("subject", subject), field("notAfter", at), field("notBefore", at), field("sans", names)}})
		if body == "" {
			if strings.TrimSpace(subject) != "" {
				t.Errorf("a certificate with the subject %q is lost", subject)
			}
			return
		}
		var c pipeline.Certificate
		if err := json.Unmarshal([]byte(body), &c); err != nil || c.Names == nil {
			t.Errorf("%s does not read back: %v", body, err)
		}
	})
}
