package rule_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// sample is one subscription, in the language of rules and in that of expr-lang.
type sample struct {
	project, key, yaml, expr string
}

const static = `[".css", ".js", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".eot", ".mp4", ".webm", ".mp3", ".pdf", ".zip", ".gz", ".map", ".txt", ".xml", ".webp"]`

// builtIns are the ten every installation has.
var builtIns = []sample{
	{key: "HostnameFinding", expr: "true"},
	{key: "HostnameIpFinding", expr: "true"},
	{key: "IpFinding", expr: "true"},
	{key: "IpRangeFinding", expr: "true"},
	{key: "PortFinding", yaml: `[{lhs: "${protocol}", operator: equals, rhs: tcp}]`, expr: `Protocol == "tcp"`},
	{key: "WebsiteFinding", expr: "true"},
	{key: "WebsiteFinding", expr: "true"},
	{key: "PortServiceFinding", yaml: `[{lhs: "${serviceName}", operator: in, rhs: [ssh, ftp, telnet]}]`, expr: `ServiceName in ["ssh", "ftp", "telnet"]`},
	{
		key:  "WebsitePathFinding",
		yaml: `[{lhs: "${endpoint}", operator: not_endsWith_i, rhs: ` + static + `}, {or: [{lhs: "${endpoint}", operator: or_contains_i, rhs: [auth, log, conn, admin, portal, init, session, index]}, {lhs: "${endpoint}", operator: endsWith, rhs: /}]}]`,
		expr: `none(` + static + `, lower(Endpoint) endsWith #) && (any(["auth", "log", "conn", "admin", "portal", "init", "session", "index"], lower(Endpoint) contains #) || Endpoint endsWith "/")`,
	},
	{key: "WebsiteLoginPortal", yaml: `[{lhs: "${endpoint}", operator: not_endsWith_i, rhs: ` + static + `}]`, expr: `none(` + static + `, lower(Endpoint) endsWith #)`},
}

const benchProjects = 5000

func projectID(i int) string { return fmt.Sprintf("%024x", i%benchProjects+1) }

// custom makes subscription i of those that people wrote. Nine of ten are about one
// project, one is about all of them. One of ten is as general as the built-in ones;
// six ask whether a field equals something; three ask for a name below a domain, an
// address in a network, a path, a title or a product.
func custom(i int) sample {
	s := particular(i)
	if i%10 == 9 {
		s = builtIns[i/10%len(builtIns)]
	}
	if i/10%10 != 0 || i%10 == 9 { // what is general and for everybody is built in
		s.project = projectID(i * 2654435761 >> 8)
	}
	return s
}

// particular makes a subscription about something few findings say: n is a number
// that about one of 60,000 findings has.
func particular(i int) sample {
	n := i % values
	switch i % 10 {
	case 0, 1:
		return sample{
			key:  "PortFinding",
			yaml: fmt.Sprintf(`[{lhs: "${protocol}", operator: equals, rhs: tcp}, {lhs: "${port}", operator: equals, rhs: %d}, {lhs: "${ip}", operator: not_startsWith, rhs: "10."}]`, 1024+n),
			expr: fmt.Sprintf(`Protocol == "tcp" && Port == %d && not (IP startsWith "10.")`, 1024+n),
		}
	case 2, 3:
		return sample{
			key:  "PortServiceFinding",
			yaml: fmt.Sprintf(`[{lhs: "${serviceName}", operator: equals, rhs: http}, {lhs: "${serviceProduct}", operator: equals, rhs: "Product %05d"}]`, n),
			expr: fmt.Sprintf(`ServiceName == "http" && Product == "Product %05d"`, n),
		}
	case 4:
		return sample{
			key:  "WebsiteTechnologyFinding",
			yaml: fmt.Sprintf(`[{lhs: "${technology}", operator: in_i, rhs: ["Tech-%d", "Framework-%d"]}]`, n, n),
			expr: fmt.Sprintf(`lower(Technology) in ["tech-%d", "framework-%d"]`, n, n),
		}
	case 5:
		return sample{
			key:  "CertificateFinding",
			yaml: fmt.Sprintf(`[{lhs: "${issuer}", operator: equals, rhs: "Authority %d"}, {lhs: "${subject}", operator: not_endsWith, rhs: ".internal"}]`, n),
			expr: fmt.Sprintf(`Issuer == "Authority %d" && not (Subject endsWith ".internal")`, n),
		}
	default:
		return searching(i, n)
	}
}

func searching(i, n int) sample {
	switch i / 10 % 5 {
	case 0:
		return sample{
			key:  "PortServiceFinding",
			yaml: fmt.Sprintf(`[{lhs: "${serviceName}", operator: equals, rhs: http}, {lhs: "${serviceProduct}", operator: contains_i, rhs: "Product %05d"}]`, n),
			expr: fmt.Sprintf(`ServiceName == "http" && lower(Product) contains "product %05d"`, n),
		}
	case 1:
		return sample{
			key:  "HostnameIpFinding",
			yaml: fmt.Sprintf(`[{lhs: "${domainName}", operator: subdomainOf, rhs: [customer%d.example, brand%d.example]}]`, n, n),
			expr: fmt.Sprintf(`Domain endsWith ".customer%d.example" || Domain endsWith ".brand%d.example"`, n, n),
		}
	case 2:
		return sample{
			key:  "PortFinding",
			yaml: fmt.Sprintf(`[{lhs: "${ip}", operator: inCidr, rhs: ["%d.%d.%d.0/24"]}, {lhs: "${port}", operator: between, rhs: [1, 1023]}]`, 11+n%80, n/80%256, n/20480%256),
			expr: fmt.Sprintf(`IP startsWith "%d.%d.%d." && Port >= 1 && Port <= 1023`, 11+n%80, n/80%256, n/20480%256),
		}
	case 3:
		return sample{
			key:  "WebsitePathFinding",
			yaml: fmt.Sprintf(`[{lhs: "${endpoint}", operator: startsWith, rhs: "/app%d/"}, {lhs: "${endpoint}", operator: not_endsWith_i, rhs: [.css, .js]}]`, n),
			expr: fmt.Sprintf(`Endpoint startsWith "/app%d/" && none([".css", ".js"], lower(Endpoint) endsWith #)`, n),
		}
	default:
		return sample{
			key:  "WebsiteResponseFinding",
			yaml: fmt.Sprintf(`[{lhs: "${title}", operator: matches_i, rhs: "^Welcome to (the )?vendor%05d v[0-9]+"}]`, n),
			expr: fmt.Sprintf(`Title matches "(?i)^Welcome to (the )?vendor%05d v[0-9]+"`, n),
		}
	}
}

func samples(n int) []sample {
	list := append([]sample{}, builtIns...)
	for i := range n - len(list) {
		list = append(list, custom(i))
	}
	return list
}

func subscriptions(list []sample) []pipeline.Subscription {
	subs := make([]pipeline.Subscription, len(list))
	for i, s := range list {
		doc := fmt.Sprintf("name: Rule %d\nfindings: [%s]\ncooldown: 3600\njob: {name: J, parameters: [{name: target, value: \"${ip}\"}]}\n", i, s.key)
		if s.yaml != "" {
			doc += "conditions: " + s.yaml + "\n"
		}
		subs[i] = pipeline.Subscription{ID: fmt.Sprintf("%024x", i), Name: "n", Enabled: true, ProjectID: s.project, Version: 1, Document: doc}
	}
	return subs
}

// values is how many different values the fields have that subscriptions ask for.
const values = 60_000

// stream makes findings as scans of many projects say them: batches of run findings
// that a job sent, each batch about a project picked at random.
func stream(n, run int) []pipeline.Finding {
	r := rand.New(rand.NewPCG(1, 2))
	custom := func(f *pipeline.Finding, key string, fields ...pipeline.Field) {
		f.Type, f.Key, f.Fields = pipeline.CustomFinding, key, fields
	}
	text := func(key, format string, a ...any) pipeline.Field {
		return pipeline.Field{Key: key, Type: pipeline.TextField, Data: fmt.Sprintf(format, a...)}
	}
	list, project := make([]pipeline.Finding, n), ""
	for i := range list {
		f := &list[i]
		if f.ProjectID = project; i%run == 0 {
			project = projectID(r.IntN(benchProjects))
			f.ProjectID = project
		}
		f.IP = fmt.Sprintf("%d.%d.%d.%d", 11+r.IntN(80), r.IntN(256), r.IntN(256), r.IntN(256))
		f.Port, f.Protocol = []int{80, 443, 22, 8080, 1024 + r.IntN(values)}[r.IntN(5)], pipeline.TCP
		switch r.IntN(10) {
		case 0, 1, 2:
			f.Type, f.Key = pipeline.PortFinding, "PortFinding"
		case 3, 4:
			custom(f, "PortServiceFinding", text("serviceName", "%s", []string{"http", "ssh", "https", "smtp"}[r.IntN(4)]), text("serviceProduct", "Product %05d", r.IntN(values)))
		case 5, 6:
			f.Path, f.Domain = "/", fmt.Sprintf("www.customer%d.example", r.IntN(values))
			custom(f, "WebsitePathFinding", text("endpoint", "/app%d/%s", r.IntN(values), []string{"index.html", "style.css", "login", "a/b/c.php", ""}[r.IntN(5)]))
		case 7:
			f.Type, f.Key, f.Port, f.Protocol = pipeline.HostnameIPFinding, "HostnameIpFinding", 0, ""
			f.Domain = fmt.Sprintf("www.customer%d.example", r.IntN(values))
		case 8:
			custom(f, "WebsiteTechnologyFinding", text("technology", "Tech-%d", r.IntN(values)))
		default:
			custom(f, "WebsiteResponseFinding", text("statusCode", "200"), text("title", "Welcome to the Vendor%05d v%d", r.IntN(values), r.IntN(9)), text("server", "nginx"))
		}
	}
	return list
}

// matcher takes findings in blocks and says how long the quickest one took: on a
// machine with other work the mean measures that.
type matcher struct {
	match   func(f *pipeline.Finding) int
	best    time.Duration
	matched int
	met     int // candidates
	seen    int
}

func (m *matcher) block(findings []pipeline.Finding) {
	start := time.Now()
	for i := range findings {
		m.matched += m.match(&findings[i])
	}
	m.seen += len(findings)
	if d := time.Since(start) / time.Duration(len(findings)); m.best == 0 || d < m.best {
		m.best = d
	}
}

func indexed(set *rule.Set, met *int) func(f *pipeline.Finding) int {
	buf := make([]*rule.Rule, 0, 64)
	return func(f *pipeline.Finding) (n int) {
		buf = set.Candidates(f, buf[:0])
		*met += len(buf)
		for _, r := range buf {
			if r.Holds(f) {
				n++
			}
		}
		return n
	}
}

// naive asks every rule: what there is without an index.
func naive(set *rule.Set, subs []pipeline.Subscription) func(f *pipeline.Finding) int {
	var rules []*rule.Rule
	for _, s := range subs {
		r, _ := set.Rule(s.ID)
		rules = append(rules, r)
	}
	return func(f *pipeline.Finding) (n int) {
		for _, r := range rules {
			if (r.ProjectID == "" || r.ProjectID == f.ProjectID) && r.Reacts(f.Key) && r.Holds(f) {
				n++
			}
		}
		return n
	}
}

// BenchmarkMatch is the time one decoded finding takes to find the rules that match
// it, among more and more rules, beside a loop over all of them and beside the same
// rules in an expression library. All take turns on the same findings.
func BenchmarkMatch(b *testing.B) {
	findings, scattered := stream(64*1024, 16), stream(64*1024, 1)
	ms := map[string]*matcher{}
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		subs := subscriptions(samples(n))
		set := rule.NewSet(subs, func(string) bool { return true })
		for _, name := range []string{"rules=", "scattered="} {
			m := &matcher{}
			m.match = indexed(set, &m.met)
			ms[fmt.Sprint(name, n)] = m
		}
		if n <= 1000 {
			ms[fmt.Sprint("loop=", n)] = &matcher{match: naive(set, subs)}
			ms[fmt.Sprint("expr=", n)] = &matcher{match: exprLang(b, n)}
		}
	}
	runtime.GC()
	for i := 0; b.Loop(); i++ {
		at := i * 2048 % len(findings)
		for name, m := range ms {
			if size := 2048; strings.HasPrefix(name, "rules=") {
				m.block(findings[at : at+size])
			} else if strings.HasPrefix(name, "scattered=") {
				m.block(scattered[at : at+size])
			} else if i%16 == 0 {
				m.block(findings[at : at+32])
			}
		}
	}
	ns := func(name string) float64 { return float64(ms[name].best.Nanoseconds()) }
	for name := range ms {
		b.ReportMetric(ns(name), name+"_ns/finding")
	}
	b.ReportMetric(1e9/ns("rules=10"), "rules=10_findings/s")
	b.ReportMetric(ns("rules=10000")/ns("rules=10"), "time_at_10k/time_at_10")
	b.ReportMetric(ns("rules=100000")/ns("rules=10"), "time_at_100k/time_at_10")
	b.ReportMetric(ns("loop=1000")/ns("rules=1000"), "loop/index_at_1k")
	b.ReportMetric(ns("expr=1000")/ns("rules=1000"), "expr-lang/index_at_1k")
	b.ReportMetric(ns("scattered=100000")/ns("scattered=10"), "scattered_time_at_100k/time_at_10")
	for _, n := range []int{10, 10_000, 100_000} {
		m := ms[fmt.Sprint("rules=", n)]
		b.ReportMetric(float64(m.matched)/float64(m.seen), fmt.Sprint("rules=", n, "_matches/finding"))
		b.ReportMetric(float64(m.met)/float64(m.seen), fmt.Sprint("rules=", n, "_candidates/finding"))
	}
	b.ReportMetric(0, "ns/op")
}

// exprEnv is a finding as expr-lang sees it.
type exprEnv struct {
	Key, Project, Protocol, IP, Domain                                 string
	Endpoint, ServiceName, Product, Technology, Title, Issuer, Subject string
	Port                                                               int
}

func exprFinding(f *pipeline.Finding) exprEnv {
	return exprEnv{
		Key: f.Key, Project: f.ProjectID, Protocol: string(f.Protocol), IP: f.IP, Domain: f.Domain, Port: f.Port, Endpoint: f.FieldText("endpoint"),
		ServiceName: f.FieldText("serviceName"), Product: f.FieldText("serviceProduct"), Technology: f.FieldText("technology"), Title: f.FieldText("title"),
	}
}

// exprLang is the same rules in an expression library, given findings that are in
// its form already.
func exprLang(b *testing.B, n int) func(f *pipeline.Finding) int {
	b.Helper()
	var programs []*vm.Program
	for _, s := range samples(n) {
		text := fmt.Sprintf("Key == %q && (%s)", s.key, s.expr)
		if s.project != "" {
			text = fmt.Sprintf("Project == %q && %s", s.project, text)
		}
		p, err := expr.Compile(text, expr.Env(exprEnv{}), expr.AsBool())
		if err != nil {
			b.Fatal(err)
		}
		programs = append(programs, p)
	}
	var machine vm.VM
	return func(f *pipeline.Finding) (n int) {
		env := exprFinding(f)
		for _, p := range programs {
			if out, err := machine.Run(p, &env); err == nil && out == true {
				n++
			}
		}
		return n
	}
}

// BenchmarkCompile is how long it takes to make a set, and to take in one change.
func BenchmarkCompile(b *testing.B) {
	job := func(string) bool { return true }
	subs := subscriptions(samples(100_000))
	b.Run("rules=100000", func(b *testing.B) {
		var before, after runtime.MemStats
		var set *rule.Set
		runtime.GC()
		runtime.ReadMemStats(&before)
		for b.Loop() {
			set = rule.NewSet(subs, job)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(set.Len()), "B/rule")
	})
	b.Run("change-in=100000", func(b *testing.B) {
		set := rule.NewSet(subs, job)
		changed := append([]pipeline.Subscription{}, subs...)
		for i := 0; b.Loop(); i++ {
			s := &changed[(11+2*i)%len(changed)]
			s.Version++
			s.Document = strings.Replace(s.Document, "cooldown: 3600", "cooldown: 60", 1)
			set = set.Update(changed, job)
		}
	})
}

func TestMatchingAllocatesNothing(t *testing.T) {
	findings := stream(512, 16)
	set := rule.NewSet(subscriptions(samples(2000)), func(string) bool { return true })
	if len(set.Broken()) > 0 {
		t.Fatal(set.Broken()[0])
	}
	buf := make([]*rule.Rule, 0, 64)
	n := testing.AllocsPerRun(20, func() {
		for i := range findings {
			buf = set.Candidates(&findings[i], buf[:0])
			for _, r := range buf {
				r.Holds(&findings[i])
			}
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for %d findings", n, len(findings))
	}
}
