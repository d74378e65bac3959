package clickhouse_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// thing is something that is searched, as the naive evaluator sees it.
type thing struct {
	id     string
	values map[string][]any
}

// Values returns what the thing has for a term.
func (x thing) Values(t *filter.Term) []any { return x.values[t.Called()] }

func (x thing) put(field string, vs ...any) { x.values[field] = append(x.values[field], vs...) }

// world is made-up data, once as rows and once as things.
type world struct {
	r      *rand.Rand
	batch  rows.Batch
	things map[pipeline.Kind][]thing
	// marks are what people decided, as statements: the columns have a law, like all
	marks []string
}

var projectIDs = []string{"aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb"}

// now is close to the data, so that ages tell it apart.
var worldNow = time.Now().UTC().Truncate(time.Minute)

func (w *world) pick(from ...string) string { return from[w.r.IntN(len(from))] }

// when is half past, so that no age lies on a bound while the clock goes on.
func (w *world) when() int64 {
	return worldNow.Add(-time.Duration(w.r.IntN(90*24))*time.Hour - 30*time.Minute).UnixMilli()
}

// resource makes what every resource has.
func (w *world) resource(kind pipeline.Kind, table, project, key, keyColumns, keyValues, text string) (rows.Seen, thing) {
	first := w.when()
	s := rows.Seen{ProjectID: project, ID: pipeline.ResourceID(key), First: first, Last: min(first+int64(w.r.IntN(30*24))*3600_000, worldNow.UnixMilli())}
	x := thing{id: s.ID, values: map[string][]any{}}
	x.put("id", s.ID)
	x.put("project.id", project)
	x.put("firstSeen", s.First)
	x.put("lastSeen", s.Last)
	x.put("text", text)
	for _, tag := range []string{"Critical", "Login", "legacy app"} {
		if w.r.IntN(3) == 0 {
			x.put("tag", tag)
			w.batch.Tags = append(w.batch.Tags, rows.Tag{ProjectID: project, ResourceID: s.ID, Tag: tag, State: rows.Value[uint8]{Version: 5, Value: 1}})
		} else if w.r.IntN(3) == 0 { // taken off again
			w.batch.Tags = append(w.batch.Tags, rows.Tag{ProjectID: project, ResourceID: s.ID, Tag: tag, State: rows.Value[uint8]{Version: 4, Value: 1}},
				rows.Tag{ProjectID: project, ResourceID: s.ID, Tag: tag, State: rows.Value[uint8]{Version: 6}})
		}
	}
	blocked, owner := w.r.IntN(2), w.pick("", "Web Team", "ops")
	w.marks = append(w.marks, fmt.Sprintf("INSERT INTO %s (project_id, %s, id, first_seen, blocked, owner, note) VALUES ('%s', %s, '', fromUnixTimestamp64Milli(%d), (2, %d), (1, '%s'), (1, 'see %s'))",
		table, keyColumns, project, keyValues, worldNow.UnixMilli(), blocked, owner, owner))
	x.put("owner", owner)
	x.put("note", "see "+owner)
	if blocked > 0 {
		x.put("is", "blocked")
	}
	w.findings(project, key, x)
	w.things[kind] = append(w.things[kind], x)
	return s, x
}

// findings says something of a resource now and then.
func (w *world) findings(project, key string, x thing) {
	for range w.r.IntN(3) {
		name, score, text := w.pick("Vuln", "Leak", "Odd.Key"), w.r.IntN(20), w.pick(`say "hi"`, "Über", "plain text", "50% off_")
		said := []pipeline.Field{
			{Key: "score", Type: pipeline.TextField, Data: float64(score) / 2}, {Key: "text", Type: pipeline.TextField, Data: text}, {Key: "yes", Type: pipeline.TextField, Data: score > 9},
		}
		fields, err := json.Marshal(said)
		if err != nil {
			panic(err)
		}
		f := rows.Finding{
			ID: pipeline.FindingID(key, uint64(len(w.batch.Findings)), nil), ProjectID: project, CorrelationKey: key, At: w.when(), Source: w.pick("job", "import"), Job: w.pick("ScanJob", ""),
			ExecutionID: pipeline.DeriveID(w.pick("a", "b")), Depth: uint16(w.r.IntN(4)), Type: "CustomFinding", Key: name, Name: w.pick("A title", "Other"), Mask: -1, SSL: -1, Fields: string(fields),
		}
		f.Said = rows.Words(f.Name, said)
		y := thing{id: f.ID, values: map[string][]any{}}
		ref, err := pipeline.ParseKey(key)
		if err != nil {
			panic(err)
		}
		f.Domain, f.IP, f.Port, f.Protocol, f.Path = ref.Domain, ref.IP, uint16(ref.Port), string(ref.Protocol), ref.Path
		w.batch.Findings = append(w.batch.Findings, f)
		scored, yes := strconv.FormatFloat(float64(score)/2, 'f', -1, 64), strconv.FormatBool(score > 9)
		if !strings.Contains(name, ".") { // names with a dot cannot be written as a term
			x.put("finding."+name, "yes")
			x.put("finding."+name+".score", scored)
			x.put("finding."+name+".text", text)
			y.put("finding."+name, "yes")
			y.put("finding."+name+".score", scored)
			y.put("finding."+name+".text", text)
		}
		for field, v := range map[string]any{
			"id": f.ID, "project.id": project, "key": name, "type": f.Type, "source": f.Source, "name": f.Name, "tag": "", "job": f.Job, "execution.id": f.ExecutionID,
			"depth": int64(f.Depth), "at": f.At, "target": key, "domain": f.Domain, "port.protocol": f.Protocol, "path": f.Path,
			"field.score": scored, "field.text": text, "field.yes": yes,
		} {
			y.put(field, v)
		}
		y.put("text", f.Name, name, scored, text, yes)
		if f.IP != "" {
			y.put("host", netip.MustParseAddr(f.IP))
		}
		if f.Port > 0 {
			y.put("port", int64(f.Port))
		}
		w.things[filter.Finding] = append(w.things[filter.Finding], y)
	}
}

var worldAddrs = []string{"10.1.2.3", "10.1.2.4", "10.20.0.1", "192.0.2.7", "2001:db8::1", "2001:db8:1::2", "fd00::7"}

var worldNames = []string{"www.example.com", "mail.example.com", "a_b.example.org", "example.com", "xn--bcher-kva.example"}

func makeWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1)), things: map[pipeline.Kind][]thing{}}
	for _, p := range projectIDs {
		w.project(p)
	}
	for i := range 30 {
		w.execution(i)
	}
	return w
}

func (w *world) project(p string) {
	domains, hosts := map[string]thing{}, map[string]thing{}
	for _, n := range worldNames {
		s, x := w.resource(pipeline.KindDomain, "domains", p, "project:"+p+";domain:"+n, "name", "'"+n+"'", n)
		x.put("domain", n)
		domains[n] = x
		w.batch.Domains = append(w.batch.Domains, rows.Domain{Seen: s, Name: n})
	}
	for _, a := range worldAddrs {
		addr := netip.MustParseAddr(a)
		s, x := w.resource(pipeline.KindHost, "hosts", p, "project:"+p+";host:"+a, "addr", "toIPv6('"+a+"')", a)
		os := w.pick("", "Linux 5.4", "Windows")
		x.put("host", addr)
		x.put("os", os)
		hosts[a] = x
		w.batch.Hosts = append(w.batch.Hosts, rows.Host{Seen: s, Addr: addr, OS: rows.Value[string]{Version: 3, Value: os}})
		for _, n := range worldNames {
			if w.r.IntN(3) > 0 {
				continue
			}
			w.batch.Links = append(w.batch.Links, rows.Link{ProjectID: p, Domain: n, Addr: addr, First: s.First, Last: s.Last})
			x.put("domain", n)
			x.put("domain.id", domains[n].id)
			domains[n].put("host", addr)
			domains[n].put("host.id", x.id)
		}
		for _, port := range []uint16{22, 80, 443, 8080} {
			if w.r.IntN(2) == 0 {
				w.port(p, addr, port, x)
			}
		}
	}
	for _, c := range []string{"10.0.0.0/8", "10.1.2.0/24", "192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0", "10.1.2.3/32"} {
		n := netip.MustParsePrefix(c)
		s, x := w.resource(pipeline.KindRange, "ip_ranges", p, fmt.Sprintf("project:%s;host:%s;mask:%d", p, n.Addr(), n.Bits()), "addr, bits", fmt.Sprintf("toIPv6('%s'), %d", n.Addr(), n.Bits()), c)
		x.put("ipRange", n)
		x.put("host", n)
		x.put("within", n)
		w.batch.Ranges = append(w.batch.Ranges, rows.Range{Seen: s, Addr: n.Addr(), Bits: uint8(n.Bits())})
	}
}

func (w *world) port(p string, addr netip.Addr, number uint16, host thing) {
	proto := w.pick("tcp", "tcp", "udp")
	key := fmt.Sprintf("project:%s;host:%s;port:%d;protocol:%s", p, addr, number, proto)
	keyValues := fmt.Sprintf("toIPv6('%s'), %d", addr, number)
	service, product := w.pick("", "http", "SSH"), w.pick("", "nginx", "OpenSSH")
	s, x := w.resource(pipeline.KindPort, "ports", p, key, "addr, port, protocol", keyValues+", '"+proto+"'", netip.AddrPortFrom(addr, number).String()+"/"+proto)
	x.put("text", service, product)
	x.put("host", addr)
	x.put("host.id", host.id)
	x.put("domain", host.values["domain"]...)
	version := w.pick("", "1.2.3", "8.9p1 Ubuntu")
	closed := w.r.IntN(4) == 0
	for field, v := range map[string]any{"port": int64(number), "port.protocol": proto, "port.service": service, "port.product": product, "port.version": version} {
		x.put(field, v)
		if !closed {
			host.put(field, v)
		}
	}
	if closed {
		x.put("is", "closed")
		w.marks = append(w.marks, fmt.Sprintf("INSERT INTO ports (project_id, addr, port, protocol, first_seen, looked_at) VALUES ('%s', %s, '%s', fromUnixTimestamp64Milli(%d), fromUnixTimestamp64Milli(%d))", p, keyValues, proto, s.Last, s.Last+1))
	}
	value := func(v string) rows.Value[string] { return rows.Value[string]{Version: 7, Value: v} }
	w.batch.Ports = append(w.batch.Ports, rows.Port{Seen: s, Addr: addr, Port: number, Protocol: pipeline.Protocol(proto), Service: value(service), Product: value(product), Version: value(version)})
	if proto == "tcp" {
		w.website(p, addr, number, host, x)
	}
}

func (w *world) website(p string, addr netip.Addr, number uint16, host, port thing) {
	domain, path := w.pick("", worldNames[0], worldNames[2]), w.pick("/", "/Admin_1", "/a%b")
	key := fmt.Sprintf("project:%s;host:%s;port:%d;protocol:tcp;domain:%s;path:%s", p, addr, number, domain, path)
	name := domain
	if name == "" {
		name = strings.TrimSuffix(netip.AddrPortFrom(addr, 1).String(), ":1")
	}
	if number != 80 && number != 443 {
		name += fmt.Sprintf(":%d", number)
	}
	s, x := w.resource(pipeline.KindWebsite, "websites", p, key, "domain, addr, port, path", fmt.Sprintf("'%s', toIPv6('%s'), %d, '%s'", domain, addr, number, path), name+path)
	title, server := w.pick("", "Sign in", "ÜBER"), w.pick("", "nginx/1.2")
	site := rows.Website{
		Seen: s, Domain: domain, Addr: addr, Port: number, Path: path, Title: rows.Value[string]{Version: 3, Value: title}, Server: rows.Value[string]{Version: 3, Value: server},
	}
	x.put("text", title)
	for field, v := range map[string]any{"domain": domain, "path": path, "title": title, "server": server, "port": int64(number), "host": addr, "host.id": host.id, "port.id": port.id} {
		x.put(field, v)
	}
	if domain != "" {
		x.put("domain.id", pipeline.ResourceID("project:"+p+";domain:"+domain))
	}
	if status := w.r.IntN(3) * 200; status > 0 {
		site.Status = rows.Value[uint16]{Version: 3, Value: uint16(status)}
		x.put("status", int64(status))
	}
	secure := number == 443
	if w.r.IntN(2) == 0 {
		secure = w.r.IntN(2) == 0
		site.SSL = rows.Value[uint8]{Version: rows.Version(s.Last, 0), Value: map[bool]uint8{true: 1}[secure]}
	}
	if secure {
		x.put("is", "https")
	}
	for _, tech := range []string{"PHP", "WordPress"} {
		if w.r.IntN(2) == 0 {
			if site.Technologies == nil {
				site.Technologies = map[string]int64{}
			}
			site.Technologies[tech] = s.Last
			x.put("technology", tech)
		}
	}
	if w.r.IntN(2) == 0 {
		w.certificate(&site, x)
	}
	if w.r.IntN(4) == 0 {
		x.put("is", "merged")
		x.put("mergedIn", projectIDs[0])
		w.marks = append(w.marks, fmt.Sprintf("INSERT INTO websites (project_id, domain, addr, port, path, first_seen, merged_into) VALUES ('%s', '%s', toIPv6('%s'), %d, '%s', fromUnixTimestamp64Milli(%d), (1, '%s'))", p, domain, addr, number, path, s.Last, projectIDs[0]))
	}
	w.batch.Websites = append(w.batch.Websites, site)
}

func (w *world) certificate(site *rows.Website, x thing) {
	c := pipeline.Certificate{
		Subject: "CN=" + worldNames[0], Issuer: w.pick("Let's Encrypt", "CN=ca"), Names: []string{worldNames[0], "*.example.com"},
		NotBefore: worldNow.Add(-100*time.Hour - 30*time.Minute).Truncate(time.Second), NotAfter: worldNow.Add(time.Duration(w.r.IntN(80)-20)*24*time.Hour + 30*time.Minute).Truncate(time.Second), Fingerprint: w.pick("ab12", "cd34"),
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	site.Certificate = rows.Value[string]{Version: 1, Value: string(b)}
	x.put("certificate.subject", c.Subject)
	x.put("certificate.issuer", c.Issuer)
	x.put("certificate.name", c.Names[0], c.Names[1])
	x.put("certificate.fingerprint", c.Fingerprint)
	x.put("certificate.notBefore", c.NotBefore.UnixMilli())
	x.put("certificate.expires", c.NotAfter.UnixMilli())
	if c.NotAfter.Before(worldNow) {
		x.put("is", "expired")
	}
}

func (w *world) execution(i int) {
	e := rows.Execution{ProjectID: w.pick(projectIDs...), ID: pipeline.DeriveID("e", strconv.Itoa(i)), Job: w.pick("TcpPortScanningJob", "HttpProbingJob"), QueuedAt: w.when()}
	e.Target = "project:" + e.ProjectID + ";host:" + w.pick(worldAddrs...)
	state := pipeline.States()[w.r.IntN(len(pipeline.States()))]
	e.Current = rows.State{Attempt: uint32(w.r.IntN(3)), Rank: uint8(state.Rank()), At: e.QueuedAt + int64(w.r.IntN(600_000)), State: string(state), Reason: w.pick("", "deadline", "exit_code"), Detail: w.pick("", "Out of memory"), Runner: "local"}
	x := thing{id: e.ID, values: map[string][]any{}}
	if w.r.IntN(2) == 0 {
		e.Current.Exited, e.Current.ExitCode = 1, int32(w.r.IntN(3)-1)
		x.put("exitCode", int64(e.Current.ExitCode))
	}
	started := w.r.IntN(2) == 0 && e.Current.Attempt > 0
	if started {
		e.Started = rows.Start{Attempt: e.Current.Attempt, Rank: 2, At: e.QueuedAt + 10}
		x.put("startedAt", e.Started.At)
	}
	for field, v := range map[string]any{
		"id": e.ID, "project.id": e.ProjectID, "job": e.Job, "state": e.Current.State, "reason": e.Current.Reason, "detail": e.Current.Detail, "target": e.Target, "runner": e.Current.Runner,
		"attempt": int64(e.Current.Attempt), "queuedAt": e.QueuedAt,
	} {
		x.put(field, v)
	}
	x.put("text", e.Job, e.Target)
	x.put("is", map[bool]string{true: "ended", false: "open"}[state.Ended()])
	if state.Ended() {
		x.put("endedAt", e.Current.At)
		if started {
			x.put("duration", e.Current.At-e.Started.At)
		}
	}
	w.batch.Executions = append(w.batch.Executions, e)
	w.things[filter.Execution] = append(w.things[filter.Execution], x)
}

// write fills a store, in two parts and with repetitions.
func (w *world) write(t *testing.T, s *clickhouse.Store, conn driver.Conn) {
	t.Helper()
	write(t, s, &w.batch, &rows.Batch{Ports: w.batch.Ports, Websites: w.batch.Websites, Findings: w.batch.Findings[:len(w.batch.Findings)/2]})
	for _, sql := range w.marks {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// filterText makes up a filter of a kind.
func (w *world) filterText(kind pipeline.Kind, depth int) string {
	switch n := w.r.IntN(10); {
	case depth > 0 && n < 2:
		return "(" + w.filterText(kind, depth-1) + " OR " + w.filterText(kind, depth-1) + ")"
	case depth > 0 && n < 4:
		return w.filterText(kind, depth-1) + w.pick(" ", " AND ") + w.filterText(kind, depth-1)
	case depth > 0 && n < 6:
		return "-(" + w.filterText(kind, depth-1) + ")"
	case n < 7:
		return "-" + w.termText(kind)
	default:
		return w.termText(kind)
	}
}

func (w *world) termText(kind pipeline.Kind) string {
	fs := filter.Fields(kind)
	f := &fs[w.r.IntN(len(fs))]
	name := f.Name
	switch {
	case f.Name == "project":
		return "project.id:" + w.pick(projectIDs...)
	case f.Name == "field":
		name = w.pick("field.score", "field.text", "field.yes")
	case f.Type == filter.Dynamic && w.r.IntN(3) == 0:
		return w.pick("finding.Vuln", "finding.Leak", "finding.None") + ":exists"
	case f.Type == filter.Dynamic:
		name = w.pick("finding.Vuln.score", "finding.Leak.text", "finding.Vuln.text")
	}
	if f.Type == filter.Words && w.r.IntN(2) == 0 {
		return w.valueText(kind, f, name)
	}
	values := []string{w.valueText(kind, f, name)}
	for w.r.IntN(3) == 0 {
		values = append(values, w.valueText(kind, f, name))
	}
	return name + ":(" + strings.Join(values, ", ") + ")"
}

// valueText makes up a value that has a chance to be there.
func (w *world) valueText(kind pipeline.Kind, f *filter.Field, name string) string {
	if w.r.IntN(12) == 0 && f.Type != filter.Words {
		return "*"
	}
	var have []any
	xs := w.things[kind]
	for range 5 {
		if have = xs[w.r.IntN(len(xs))].values[name]; len(have) > 0 {
			break
		}
	}
	switch f.Type {
	default: // texts, below
	case filter.Enum:
		return w.pick(f.Values...)
	case filter.ID:
		if len(have) == 0 {
			return projectIDs[0]
		}
		return have[0].(string)
	case filter.Number:
		return w.pick("22", ">80", "<=443", ">=2", "<2", "80-8080", "443..9000", "-1", "0", "200", ">=400")
	case filter.Seconds:
		return w.pick(">1m", "<5m", ">=30", "1m..6m", "<=2m")
	case filter.Date:
		return w.pick("<7d", ">30d", "<=60d", ">=10d", "2026", "today", "10d..40d", worldNow.AddDate(0, 0, -w.r.IntN(60)).Format("2006-01-02"), ">"+worldNow.AddDate(0, -1, 0).Format("2006-01"), "<2026-10-01T12:00", "30d")
	case filter.Addr:
		return w.pick("10.0.0.0/8", "10.1.2.3", "10.1.2.3-10.1.2.9", "10.*", "10.1*", "*.7", "2001:db8::/32", "::/0", "0.0.0.0/0", "2001:db8*", "~7$", "fd00::7", "*::*")
	case filter.Holds, filter.Within, filter.Network:
		return w.pick("10.1.2.3/32", "10.1.2.0/24", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::/48", "192.0.2.0/25")
	}
	text := w.pick("nginx", "example", "a", "10.1", "Über", "_", "%", "")
	if len(have) > 0 {
		if s, ok := have[w.r.IntN(len(have))].(string); ok && s != "" {
			text = s
		}
	}
	rs := []rune(text)
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(s) + `"`
	}
	from := w.r.IntN(len(rs) + 1)
	part := string(rs[from : from+w.r.IntN(len(rs)-from+1)])
	switch n := w.r.IntN(7); {
	case part == "" || n < 2:
		if text == "" {
			return "x"
		}
		return quote(w.pick(text, strings.ToUpper(text), strings.ToLower(text)))
	case n == 2 && f.Type == filter.Dynamic:
		return w.pick(">3", "<=7.5", ">=1e0", "<0")
	case n == 2 && f.Type != filter.Words:
		return "~" + w.pick("^"+plainLetters(part), plainLetters(part)+"$", "[0-9]+", "(a|e).*m")
	case n == 3:
		return strings.Replace(quote(part), `"`, `"*`, 1)
	case n == 4 && f.Type == filter.Words:
		return quote(part)
	default:
		q := quote(part)
		return `"*` + q[1:len(q)-1] + `*"`
	}
}

func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '.'
	}, s)
}

// search lists ids in all the ways there are: the ids, and whether the total fits.
func search(t *testing.T, s *clickhouse.Store, kind pipeline.Kind, text, sort string, limit int) []string {
	t.Helper()
	q := pipeline.Query{Text: text, Sort: sort, Limit: limit}
	var ids []string
	for range 1000 {
		page, total, next := searchPage(t, s, kind, q)
		ids = append(ids, page...)
		if next == "" {
			if uint64(len(ids)) != total {
				t.Errorf("%s %q sorted by %q gives %d and counts %d", kind, text, sort, len(ids), total)
			}
			return ids
		}
		q.Cursor = next
	}
	t.Fatal("the pages have no end")
	return nil
}

func searchPage(t *testing.T, s *clickhouse.Store, kind pipeline.Kind, q pipeline.Query) (ids []string, total uint64, next string) {
	t.Helper()
	switch kind {
	case pipeline.KindDomain:
		return pageOf(t, s.Domains, q, func(x pipeline.Domain) string { return x.ID })
	case pipeline.KindHost:
		return pageOf(t, s.Hosts, q, func(x pipeline.Host) string { return x.ID })
	case pipeline.KindRange:
		return pageOf(t, s.Ranges, q, func(x pipeline.IPRange) string { return x.ID })
	case pipeline.KindPort:
		return pageOf(t, s.Ports, q, func(x pipeline.Port) string { return x.ID })
	case pipeline.KindWebsite:
		return pageOf(t, s.Websites, q, func(x pipeline.Website) string { return x.ID })
	case filter.Finding:
		return pageOf(t, s.Findings, pipeline.FindingQuery{Text: q.Text, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor}, func(x pipeline.StoredFinding) string { return x.ID })
	default:
		return pageOf(t, s.Executions, pipeline.ExecutionQuery{Text: q.Text, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor}, func(x pipeline.Execution) string { return x.ID })
	}
}

func pageOf[Q, T any](t *testing.T, list func(ctx context.Context, q Q) (pipeline.Page[T], error), q Q, id func(T) string) ([]string, uint64, string) {
	t.Helper()
	p, err := list(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return mapped(p.Items, id), p.Total, p.Next
}

// TestFiltersMeanWhatTheySay holds the statements against the naive evaluator, on
// made-up data and made-up filters.
func TestFiltersMeanWhatTheySay(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := makeWorld(seed)
	w.write(t, s, conn)
	rounds := 60
	if testing.Short() {
		rounds = 25
	}
	for _, kind := range filter.Kinds() {
		some := 0
		for range rounds {
			text := w.filterText(kind, 2)
			f, err := filter.Parse(kind, text, worldNow)
			if err != nil {
				t.Fatalf("%s %q: %v", kind, text, err)
			}
			var want []string
			for _, x := range w.things[kind] {
				if f.Match(x) {
					want = append(want, x.id)
				}
			}
			if len(want) > 0 && len(want) < len(w.things[kind]) {
				some++
			}
			got := search(t, s, kind, text, "", 1000)
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s\nas %s (-evaluator +store)\n%s", kind, text, f, diff)
			}
		}
		if some < rounds/5 {
			t.Errorf("only %d of %d filters of %s tell anything apart", some, rounds, kind)
		}
	}
}

// TestFacetsCount holds facets against counting by hand, for every field there is.
func TestFacetsCount(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	w := makeWorld(uint64(time.Now().UnixNano()))
	w.write(t, s, conn)
	for _, kind := range filter.Kinds() {
		q := pipeline.FacetQuery{Kind: kind, Text: "-project.id:" + projectIDs[1], Limit: 100}
		for _, f := range filter.Fields(kind) {
			if f.Facet {
				q.Fields = append(q.Fields, f.Name)
			}
		}
		for fields := range slices.Chunk(q.Fields, 12) {
			q.Fields = fields
			for _, got := range get[[]pipeline.Facet](t)(s.Facets(t.Context(), q)) {
				want := map[string]uint64{}
				for _, x := range w.things[kind] {
					for _, v := range x.values[got.Field] {
						if text := fmt.Sprint(v); x.values["project.id"][0] == projectIDs[0] && text != "" {
							want[text]++
						}
					}
				}
				have := map[string]uint64{}
				for _, v := range got.Values {
					have[v.Value] = v.Count
				}
				if diff := cmp.Diff(want, have); diff != "" || got.Distinct != uint64(len(want)) {
					t.Errorf("%s of %s, %d distinct (-want +got)\n%s", got.Field, kind, got.Distinct, diff)
				}
			}
		}
	}
	tags := get[[]pipeline.Facet](t)(s.Facets(t.Context(), pipeline.FacetQuery{Kind: pipeline.KindHost, Fields: []string{"tag.name"}, Prefix: "LEG"}))
	if len(tags) != 1 || len(tags[0].Values) != 1 || tags[0].Values[0].Value != "legacy app" {
		t.Errorf("tags that begin with LEG: %+v", tags)
	}
	for _, q := range []pipeline.FacetQuery{{Kind: pipeline.KindHost}, {Kind: pipeline.KindHost, Fields: []string{"port"}}, {Kind: pipeline.KindHost, Fields: []string{"os"}, Limit: 101}} {
		if _, err := s.Facets(t.Context(), q); pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// TestListsStayInVisibleProjects asks for everything a person may see.
func TestListsStayInVisibleProjects(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	w := makeWorld(3)
	w.write(t, s, conn)
	for _, tc := range []struct {
		visible []string
		want    uint64
	}{{nil, uint64(2 * len(worldNames))}, {[]string{}, 0}, {projectIDs[:1], uint64(len(worldNames))}} {
		for _, text := range []string{"", "domain:*", "-tag:nothing -finding.None:exists"} {
			if p := get[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), pipeline.Query{Visible: tc.visible, Text: text, Sort: "lastSeen"})); p.Total != tc.want || uint64(len(p.Items)) != tc.want {
				t.Errorf("domains visible in %v with %q: %d of %d, want %d", tc.visible, text, len(p.Items), p.Total, tc.want)
			}
		}
		fs := get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), pipeline.FindingQuery{Visible: tc.visible, Limit: 1000}))
		es := get[pipeline.Page[pipeline.Execution]](t)(s.Executions(t.Context(), pipeline.ExecutionQuery{Visible: tc.visible}))
		for _, p := range slices.Concat(mapped(fs.Items, func(f pipeline.StoredFinding) string { return f.ProjectID }), mapped(es.Items, func(e pipeline.Execution) string { return e.ProjectID })) {
			if tc.visible != nil && !slices.Contains(tc.visible, p) {
				t.Errorf("something of %s is visible in %v", p, tc.visible)
			}
		}
	}
}

// TestSortingIsStable pages through every order there is: nothing is left out or
// given twice, and both directions agree.
func TestSortingIsStable(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	w := makeWorld(7)
	w.write(t, s, conn)
	for _, kind := range filter.Kinds() {
		all := search(t, s, kind, "", "", 1000)
		if len(all) != len(w.things[kind]) {
			t.Errorf("%d of kind %s, want %d", len(all), kind, len(w.things[kind]))
		}
		slices.Sort(all)
		for _, f := range filter.Fields(kind) {
			if !f.Sort {
				continue
			}
			up, down := search(t, s, kind, "", f.Name, 7), search(t, s, kind, "", "-"+f.Name, 9)
			slices.Reverse(down)
			if diff := cmp.Diff(up, down); diff != "" {
				t.Errorf("%s by %s is not the reverse of -%s\n%s", kind, f.Name, f.Name, diff)
			}
			slices.Sort(up)
			if diff := cmp.Diff(all, up); diff != "" {
				t.Errorf("%s by %s (-all +sorted)\n%s", kind, f.Name, diff)
			}
		}
	}
	_, _, next := searchPage(t, s, pipeline.KindPort, pipeline.Query{Sort: "port", Limit: 1})
	for _, q := range []pipeline.Query{{Sort: "colour"}, {Sort: "-port", Cursor: next}, {Cursor: next}, {Sort: "port", Cursor: "x"}, {Text: "colour:red"}, {Text: "project:acme"}} {
		if _, err := s.Ports(t.Context(), q); pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// TestStreamsGiveWhatListsGive reads whole lists both ways.
func TestStreamsGiveWhatListsGive(t *testing.T) {
	s, conn := clickhousetest.OpenWithConn(t)
	w := makeWorld(11)
	w.write(t, s, conn)
	q := pipeline.Query{Text: "-tag:legacy*", Sort: "-lastSeen", Limit: 1000}
	lean := pipeline.Query{ProjectID: projectIDs[0]}
	streamed(t, s.Domains, s.EachDomain, q)
	streamed(t, s.Hosts, s.EachHost, q)
	streamed(t, s.Ranges, s.EachRange, q)
	streamed(t, s.Ports, s.EachPort, q)
	streamed(t, s.Websites, s.EachWebsite, q)
	var hosts []pipeline.Host
	if err := s.EachHost(t.Context(), lean, true, func(hs []pipeline.Host) error { hosts = append(hosts, hs...); return nil }); err != nil {
		t.Fatal(err)
	}
	tagged := slices.ContainsFunc(hosts, func(h pipeline.Host) bool { return len(h.Tags) > 0 })
	if len(hosts) != len(worldAddrs) || !tagged {
		t.Errorf("lean hosts: %+v", hosts)
	}
	for _, text := range []string{"", "key:Vuln"} {
		var fs []pipeline.StoredFinding
		fq := pipeline.FindingQuery{Text: text, Limit: 1000}
		if err := s.EachFinding(t.Context(), fq, func(x []pipeline.StoredFinding) error { fs = append(fs, x...); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(get[pipeline.Page[pipeline.StoredFinding]](t)(s.Findings(t.Context(), fq)).Items, fs); diff != "" {
			t.Errorf("findings %q (-list +stream)\n%s", text, diff)
		}
	}
	var es []pipeline.Execution
	if err := s.EachExecution(t.Context(), pipeline.ExecutionQuery{}, func(x []pipeline.Execution) error { es = append(es, x...); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(get[pipeline.Page[pipeline.Execution]](t)(s.Executions(t.Context(), pipeline.ExecutionQuery{Limit: 1000})).Items, es); diff != "" {
		t.Errorf("executions (-list +stream)\n%s", diff)
	}
	stop := errors.New("enough")
	if err := s.EachHost(t.Context(), q, false, func([]pipeline.Host) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a stream that is broken off ends with %v", err)
	}
}

func streamed[T any](t *testing.T, list func(context.Context, pipeline.Query) (pipeline.Page[T], error), each func(context.Context, pipeline.Query, bool, func([]T) error) error, q pipeline.Query) {
	t.Helper()
	var got []T
	if err := each(t.Context(), q, false, func(ts []T) error { got = append(got, ts...); return nil }); err != nil {
		t.Fatal(err)
	}
	want := get[pipeline.Page[T]](t)(list(t.Context(), q)).Items
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%T: %d rows (-list +stream)\n%s", want, len(want), diff)
	}
}
