package projector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
)

// anything says n things of few resources, of every kind there is, and decides about
// them meanwhile.
func anything(t *testing.T, r *rand.Rand, n int) *world {
	t.Helper()
	w := &world{t: t, run: pipeline.NewID()}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for len(w.recs) < n {
		ip, domain, port := pick("192.0.2.1", "2001:db8::1"), pick("a.example", "b.example"), []int{80, 443}[r.IntN(2)]
		at := pipeline.Locators{IP: ip, Port: port, Protocol: pipeline.TCP}
		site := pipeline.Locators{IP: ip, Port: port, Domain: pick("", domain), Path: "/"}
		host := "project:p1;host:" + ip
		onPort := host + ";port:" + strconv.Itoa(port) + ";protocol:tcp"
		onSite := onPort + ";domain:" + site.Domain + ";path:/"
		target := pick(host, "project:p1;domain:"+domain, onPort, onSite)
		tag := pick("X", "Y")
		switch r.IntN(20) {
		case 0, 1:
			w.link("p1", domain, ip)
		case 2:
			w.host("p1", ip, port)
		case 3:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyPortService, at, "serviceName", pick("http", "ssh"), "serviceVersion", pick("", "1", "2"))
		case 4:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyOperatingSystem, pipeline.Locators{IP: ip}, "os", pick("Linux", "BSD"))
		case 5, 6, 7:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsiteTechnology, site, "technology", pick("PHP", "nginx"), "technology", pick("", "jQuery"))
		case 8, 9:
			w.secure("p1", site, r.IntN(2) == 0)
		case 10:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsiteResponse, site, "statusCode", pick("200", "404", ""), "title", pick("", "Hello"), "server", pick("", "s"))
		case 11:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsitePath, site, "endpoint", pick("/x", "/y"), "statusCode", pick("", "200"))
		case 12:
			w.say("p1", pipeline.CustomFinding, pipeline.KeyCertificate, site, "subject", pick("CN=a", "CN=b"), "fingerprint", "00")
		case 13:
			w.tag("p1", site, tag)
		case 14, 15, 16:
			w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: target})
		case 17:
			w.mark(pipeline.Mark{Action: []pipeline.MarkAction{pipeline.MarkTag, pipeline.MarkUntag}[r.IntN(2)], Target: target, Tag: tag})
		case 18:
			w.mark(pipeline.Mark{Action: []pipeline.MarkAction{pipeline.MarkBlock, pipeline.MarkUnblock}[r.IntN(2)], Target: target, Cascade: target != onSite && r.IntN(2) == 0})
		case 19:
			w.look("p1", ip, "1-100", max(0, len(w.recs)-r.IntN(4)))
		}
	}
	return w
}

// secure is a website that is said to speak TLS, or not to.
func (w *world) secure(project string, l pipeline.Locators, ssl bool) {
	w.t.Helper()
	w.finding(project, pipeline.WebsiteFinding, "WebsiteFinding", l, func(f *pipeline.Finding) { f.SSL = &ssl })
}

// tag is a job's word that a website has a tag.
func (w *world) tag(project string, l pipeline.Locators, tag string) {
	w.t.Helper()
	w.finding(project, pipeline.TagFinding, "TagFinding", l, func(f *pipeline.Finding) { f.Tag = tag })
}

// shown is everything that is read of a project, as it is now.
type shown struct {
	Domains  []pipeline.Domain
	Hosts    []pipeline.Host
	Ranges   []pipeline.IPRange
	Ports    []pipeline.Port
	Websites []pipeline.Website
	Tech     []pipeline.Facet
	Past     []pipeline.Past // as its history has it
	Found    map[string][]string
}

func whole(t *testing.T, w *world, s *clickhouse.Store) shown {
	t.Helper()
	q := pipeline.Query{ProjectID: w.of("p1"), Limit: 1000}
	v := shown{
		Domains:  must[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), q)).Items,
		Hosts:    must[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), q)).Items,
		Ranges:   must[pipeline.Page[pipeline.IPRange]](t)(s.Ranges(t.Context(), q)).Items,
		Ports:    must[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), q)).Items,
		Websites: must[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), q)).Items,
		Tech:     must[[]pipeline.Facet](t)(s.Facets(t.Context(), pipeline.FacetQuery{Kind: pipeline.KindWebsite, ProjectID: q.ProjectID, Fields: []string{"technology"}})),
		Past:     must[pipeline.PastPage](t)(s.AsOf(t.Context(), pipeline.PastQuery{ProjectID: q.ProjectID, At: w.at(), Limit: 1000})).Items,
		Found:    map[string][]string{},
	}
	for _, text := range []string{"technology:PHP", "is:https", "tag:X", "-technology:*"} {
		q.Text = text
		for _, x := range must[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), q)).Items {
			v.Found[text] = append(v.Found[text], x.CorrelationKey)
		}
	}
	return v
}

// In whatever order findings and decisions are projected, how they are batched and
// whether some come twice: what is read is the same, what a filter finds and the
// history say what the lists do, and neither store holds anything over the other.
func TestEveryOrderIsTheSame(t *testing.T) {
	plain, mixed := clickhousetest.Open(t), clickhousetest.OpenUnmerged(t)
	seeds := uint64(8)
	if testing.Short() {
		seeds = 3
	}
	var projects []string
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			w := anything(t, r, 30)
			projects = append(projects, w.of("p1"))
			project(t, plain, slices.Collect(slices.Chunk(w.recs, 1))...)
			project(t, mixed, shuffled(w.recs, r)...)
			want, got := whole(t, w, plain), whole(t, w, mixed)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-in order +mixed)\n%s\n%s", diff, w.told())
			}
			agree(t, &want)
		})
	}
	for what, pair := range map[string][2]*clickhouse.Store{"in order": {plain, mixed}, "mixed": {mixed, plain}} {
		diffs, err := pair[0].Compare(t.Context(), pair[1], projects)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range diffs {
			if d.Lost+d.Stale+d.Unknown+d.Duplicated > 0 {
				t.Errorf("the store %s lacks what the other has: %+v", what, d)
			}
		}
	}
}

// agree holds the lists of a project against what filters find and its history says.
func agree(t *testing.T, v *shown) {
	t.Helper()
	attributes, closed := map[string]map[string]string{}, map[string]bool{}
	for _, p := range v.Past {
		attributes[p.CorrelationKey], closed[p.CorrelationKey] = p.Attributes, p.Closed
	}
	holds := func(what string, is bool) {
		t.Helper()
		if !is {
			t.Errorf("%s: lists, filters and history do not agree", what)
		}
	}
	there := len(v.Domains) + len(v.Hosts) + len(v.Ranges) + len(v.Ports) + len(v.Websites)
	holds("how many there are", there == len(v.Past))
	tech := map[string]uint64{}
	for i := range v.Websites {
		x := &v.Websites[i]
		key, a := x.CorrelationKey, attributes[x.CorrelationKey]
		holds(key+" closed", closed[key] == x.Closed.Closed)
		holds(key+" title", a["title"] == x.Title)
		ssl := ""
		if x.SSL != nil {
			ssl = strconv.FormatBool(*x.SSL)
		}
		holds(key+" ssl", a["ssl"] == ssl)
		holds(key+" is:https", slices.Contains(v.Found["is:https"], key) == strings.HasPrefix(x.URL, "https:"))
		for _, name := range []string{"PHP", "nginx", "jQuery"} {
			has := slices.Contains(x.Technologies, name)
			holds(key+" "+name, (a["technology:"+name] == "yes") == has)
			if has {
				tech[name]++
			}
		}
		holds(key+" technology:PHP", slices.Contains(v.Found["technology:PHP"], key) == slices.Contains(x.Technologies, "PHP"))
		holds(key+" without", slices.Contains(v.Found["-technology:*"], key) == (len(x.Technologies) == 0))
		holds(key+" tag:X", slices.Contains(v.Found["tag:X"], key) == slices.Contains(x.Tags, "X"))
		holds(key+" blocked", (a["blocked"] == "yes") == x.Blocked)
	}
	for _, value := range v.Tech[0].Values {
		holds("how often "+value.Value, tech[value.Value] == value.Count)
		delete(tech, value.Value)
	}
	holds("what is counted", len(tech) == 0)
	for i := range v.Ports {
		x := &v.Ports[i]
		holds(x.CorrelationKey+" service", attributes[x.CorrelationKey]["service"] == x.Service)
		holds(x.CorrelationKey+" version", attributes[x.CorrelationKey]["version"] == x.Version)
		holds(x.CorrelationKey+" closed", closed[x.CorrelationKey] == x.Closed.Closed)
	}
	for i := range v.Hosts {
		holds(v.Hosts[i].CorrelationKey+" os", attributes[v.Hosts[i].CorrelationKey]["os"] == v.Hosts[i].OS)
	}
	for i := range v.Domains {
		for _, ip := range []string{"192.0.2.1", "2001:db8::1"} {
			holds(v.Domains[i].CorrelationKey+" "+ip, (attributes[v.Domains[i].CorrelationKey]["address:"+ip] == "yes") == slices.Contains(v.Domains[i].Hosts, ip))
		}
	}
}

// told is what was said, for whoever looks for a fault.
func (w *world) told() string {
	var b strings.Builder
	for i, r := range w.recs {
		fmt.Fprintf(&b, "%3d %s\n", i, r.Value)
	}
	return b.String()
}
