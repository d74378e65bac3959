package projector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// world is what was said, as records, each a second after the one before.
type world struct {
	t    *testing.T
	recs []bus.Record
	run  string // makes the projects of one test differ from those of another in the same store
}

func (w *world) of(project string) string { return project + w.run }

func (w *world) key(k string) string {
	id, rest, _ := strings.Cut(k, ";")
	if k == "" {
		return ""
	}
	return id + w.run + ";" + rest
}

func (w *world) at() time.Time { return begin.Add(time.Duration(len(w.recs)) * time.Second) }

func (w *world) put(topic string, v []byte, err error) *world {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	w.recs = append(w.recs, bus.Record{Topic: topic, Value: v, Offset: int64(len(w.recs))})
	return w
}

func (w *world) say(project string, typ pipeline.FindingType, key string, l pipeline.Locators, fields ...string) *world {
	return w.finding(project, typ, key, l, func(f *pipeline.Finding) {
		for i := 0; i+1 < len(fields); i += 2 {
			f.Fields = append(f.Fields, pipeline.Field{Key: fields[i], Type: pipeline.TextField, Data: fields[i+1]})
		}
	})
}

// finding is one with what a test adds to it.
func (w *world) finding(project string, typ pipeline.FindingType, key string, l pipeline.Locators, more func(*pipeline.Finding)) *world {
	w.t.Helper()
	project = w.of(project)
	f := pipeline.Finding{
		ID: fmt.Sprintf("%s%032x", w.run, len(w.recs)), ProjectID: project, At: w.at(), Source: pipeline.SourceJob, ExecutionID: "e1", Type: typ, Key: key, Locators: l,
	}
	more(&f)
	about := l
	if typ == pipeline.HostnameIPFinding {
		about.Domain = ""
	}
	var err error
	if f.CorrelationKey, err = pipeline.CorrelationKey(project, about, typ == pipeline.WebsiteFinding || l.Path != ""); err != nil {
		w.t.Fatal(err)
	}
	v, err := record.EncodeFinding(&f)
	return w.put(bus.TopicFindings, v, err)
}

func (w *world) mark(m pipeline.Mark) *world {
	m.At, m.UserID = w.at(), "someone"
	if m.ProjectID == "" {
		m.ProjectID = "p1"
	}
	m.ProjectID, m.Target, m.Into = w.of(m.ProjectID), w.key(m.Target), w.key(m.Into)
	v, err := record.Encode(m)
	return w.put(bus.TopicMarks, v, err)
}

func (w *world) host(project, ip string, ports ...int) *world {
	for _, p := range ports {
		w.say(project, pipeline.PortFinding, "PortFinding", pipeline.Locators{IP: ip, Port: p, Protocol: pipeline.TCP})
	}
	return w
}

func (w *world) site(project, ip, domain string, port int) *world {
	return w.say(project, pipeline.WebsiteFinding, "WebsiteFinding", pipeline.Locators{IP: ip, Port: port, Domain: domain, Path: "/"})
}

func (w *world) link(project, domain, ip string) *world {
	return w.say(project, pipeline.HostnameIPFinding, "HostnameIpFinding", pipeline.Locators{IP: ip, Domain: domain})
}

// project hands the records to a projector, in parts.
func project(t *testing.T, s *clickhouse.Store, parts ...[]bus.Record) {
	t.Helper()
	var dead letters
	p := projector.New(deps(s, &dead, prometheus.NewRegistry()))
	for _, part := range parts {
		if err := p.Handle(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	if len(dead.got) > 0 {
		t.Fatalf("dead letters: %v", dead.got[0].Reason)
	}
}

// show is everything a project shows, one line per resource.
func show(t *testing.T, s *clickhouse.Store, project string) []string {
	t.Helper()
	q := pipeline.Query{ProjectID: project, Limit: 1000}
	var out []string
	line := func(x *pipeline.Seen, more ...any) {
		_, key, _ := strings.Cut(x.CorrelationKey, ";")
		text := key
		if len(x.Tags) > 0 {
			text += fmt.Sprint(" tags", x.Tags)
		}
		if x.Blocked {
			text += " blocked"
		}
		if x.BlockedBelow {
			text += " below"
		}
		if x.Note+x.Owner != "" {
			text += " " + x.Note + "/" + x.Owner
		}
		parts := []string{text}
		for _, m := range more {
			if v := fmt.Sprint(m); v != "" && v != "[]" && v != "false" {
				parts = append(parts, v)
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	for _, x := range must[pipeline.Page[pipeline.Domain]](t)(s.Domains(t.Context(), q)).Items {
		line(&x.Seen, x.Hosts)
	}
	for _, x := range must[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), q)).Items {
		line(&x.Seen, x.Domains, fmt.Sprint(x.Ports, " ports"), x.OS)
	}
	for _, x := range must[pipeline.Page[pipeline.IPRange]](t)(s.Ranges(t.Context(), q)).Items {
		line(&x.Seen)
	}
	for _, x := range must[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), q)).Items {
		line(&x.Seen, x.Service, map[bool]string{true: "closed"}[x.Closed.Closed])
	}
	sites := must[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), q)).Items
	into := map[string]string{}
	for _, x := range sites {
		into[x.ID] = "= " + x.URL
	}
	for _, x := range sites {
		line(&x.Seen, map[bool]string{true: "closed"}[x.Closed.Closed], into[x.MergedInto], x.SiteMap, x.Technologies)
	}
	c := must[pipeline.Counts](t)(s.Counts(t.Context(), project))
	if n := c.Domains + c.Hosts + c.Ranges + c.Ports + c.Websites; int(n) != len(out) {
		t.Errorf("counted are %d resources, shown are %d", n, len(out))
	}
	return out
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

const (
	hostA   = "project:p1;host:192.0.2.1"
	hostB   = "project:p1;host:192.0.2.2"
	portA   = hostA + ";port:443;protocol:tcp"
	siteA   = portA + ";domain:a.example;path:/"
	bareA   = portA + ";domain:;path:/"
	siteB   = hostB + ";port:443;protocol:tcp;domain:a.example;path:/"
	domainA = "project:p1;domain:a.example"
)

// small is two hosts of two projects that look alike.
func small(t *testing.T, run string) *world {
	t.Helper()
	w := &world{t: t, run: run}
	for _, p := range []string{"p1", "p2"} {
		w.link(p, "a.example", "192.0.2.1").link(p, "a.example", "192.0.2.2")
		w.host(p, "192.0.2.1", 22, 443).host(p, "192.0.2.2", 443)
		w.site(p, "192.0.2.1", "a.example", 443).site(p, "192.0.2.1", "", 443).site(p, "192.0.2.2", "a.example", 443)
	}
	return w
}

var everythingOfSmall = []string{
	"domain:a.example [192.0.2.1 192.0.2.2]",
	"host:192.0.2.1 [a.example] 2 ports", "host:192.0.2.2 [a.example] 1 ports",
	"host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp", "host:192.0.2.2;port:443;protocol:tcp",
	"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
	"host:192.0.2.1;port:443;protocol:tcp;domain:a.example;path:/", "host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/",
}

// What each decision changes, and that it changes nothing of another project: the
// reference product deletes every port of every project with a host.
func TestMarks(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	type ms = []pipeline.Mark
	for name, tc := range map[string]struct {
		marks ms
		want  []string
	}{
		"nothing": {nil, everythingOfSmall},
		"tag": {
			ms{{Action: pipeline.MarkTag, Target: hostA, Tag: "Critical"}, {Action: pipeline.MarkTag, Target: hostA, Tag: "Old"}, {Action: pipeline.MarkUntag, Target: hostA, Tag: "Old"}},
			replaced("host:192.0.2.1 [", "host:192.0.2.1 tags[Critical] ["),
		},
		"a tag on a port is on no other": { // the reference takes the first port with that number
			ms{{Action: pipeline.MarkTag, Target: hostB + ";port:443;protocol:tcp", Tag: "X"}},
			replaced("host:192.0.2.2;port:443;protocol:tcp|", "host:192.0.2.2;port:443;protocol:tcp tags[X]"),
		},
		"block":          {ms{{Action: pipeline.MarkBlock, Target: hostA}}, replaced("host:192.0.2.1 [", "host:192.0.2.1 blocked [")},
		"block and not":  {ms{{Action: pipeline.MarkBlock, Target: hostA, Cascade: true}, {Action: pipeline.MarkUnblock, Target: hostA, Cascade: true}}, everythingOfSmall},
		"note and owner": {ms{{Action: pipeline.MarkNote, Target: hostA, Text: "ours"}, {Action: pipeline.MarkOwner, Target: hostA, Text: "bob"}}, replaced("host:192.0.2.1 [", "host:192.0.2.1 ours/bob [")},
		"block with what is below": {ms{{Action: pipeline.MarkBlock, Target: hostA, Cascade: true}}, []string{
			"domain:a.example [192.0.2.1 192.0.2.2]",
			"host:192.0.2.1 blocked below [a.example] 2 ports", "host:192.0.2.2 [a.example] 1 ports",
			"host:192.0.2.1;port:22;protocol:tcp blocked", "host:192.0.2.1;port:443;protocol:tcp blocked", "host:192.0.2.2;port:443;protocol:tcp",
			"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/ blocked",
			"host:192.0.2.1;port:443;protocol:tcp;domain:a.example;path:/ blocked", "host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/",
		}},
		"delete a host": {ms{{Action: pipeline.MarkDelete, Target: hostA}}, []string{
			"domain:a.example [192.0.2.2]", "host:192.0.2.2 [a.example] 1 ports", "host:192.0.2.2;port:443;protocol:tcp",
			"host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/",
		}},
		"delete a domain": {ms{{Action: pipeline.MarkDelete, Target: domainA}}, []string{
			"host:192.0.2.1 2 ports", "host:192.0.2.2 1 ports",
			"host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp", "host:192.0.2.2;port:443;protocol:tcp",
			"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
		}},
		"delete a port": {ms{{Action: pipeline.MarkDelete, Target: portA}}, []string{
			"domain:a.example [192.0.2.1 192.0.2.2]",
			"host:192.0.2.1 [a.example] 1 ports", "host:192.0.2.2 [a.example] 1 ports",
			"host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.2;port:443;protocol:tcp",
			"host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/",
		}},
		"merge": {
			ms{{Action: pipeline.MarkMerge, Target: siteB, Into: siteA}},
			replaced("host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/", "host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/ = https://a.example/"),
		},
		"merge what others are merged into": {ms{{Action: pipeline.MarkMerge, Target: siteB, Into: siteA}, {Action: pipeline.MarkMerge, Target: siteA, Into: bareA}}, merged("= https://192.0.2.1/")},
		"unmerge":                           {ms{{Action: pipeline.MarkMerge, Target: siteB, Into: siteA}, {Action: pipeline.MarkUnmerge, Target: siteB}}, everythingOfSmall},
		"delete what others are merged into": {
			ms{{Action: pipeline.MarkMerge, Target: siteB, Into: siteA}, {Action: pipeline.MarkDelete, Target: siteA}},
			slices.DeleteFunc(slices.Clone(everythingOfSmall), func(s string) bool { return s == "host:192.0.2.1;port:443;protocol:tcp;domain:a.example;path:/" }),
		},
		"a mark on what is not there": {ms{{Action: pipeline.MarkBlock, Target: "project:p1;host:192.0.2.9"}}, everythingOfSmall},
	} {
		t.Run(name, func(t *testing.T) {
			w := small(t, pipeline.NewID())
			cut := len(w.recs)
			for _, m := range tc.marks {
				w.mark(m)
			}
			parts := [][]bus.Record{w.recs[:cut]}
			for i := cut; i < len(w.recs); i++ {
				parts = append(parts, w.recs[i:i+1])
			}
			project(t, s, parts...)
			same(t, "the project", tc.want, show(t, s, w.of("p1")))
			same(t, "the other project", everythingOfSmall, show(t, s, w.of("p2")))
		})
	}
}

func replaced(old, by string) []string {
	out := slices.Clone(everythingOfSmall)
	for i, s := range out {
		if whole, ok := strings.CutSuffix(old, "|"); ok {
			if s == whole {
				out[i] = by
			}
			continue
		}
		if rest, ok := strings.CutPrefix(s, old); ok {
			out[i] = by + rest
		}
	}
	return out
}

func merged(into string) []string {
	out := slices.Clone(everythingOfSmall)
	out[7] += " " + into
	out[8] += " " + into
	return out
}

// In whatever order findings and decisions are projected, how they are batched and
// whether some come twice, the project is the same in the end.
func TestOrderDoesNotMatter(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := mixed(t)
			parts := [][]bus.Record{w.recs}
			if seed > 0 {
				parts = shuffled(w.recs, rand.New(rand.NewPCG(seed, seed)))
			}
			project(t, s, parts...)
			same(t, "the project", mixedOne, show(t, s, w.of("p1")))
			same(t, "the other project", mixedTwo, show(t, s, w.of("p2")))
		})
	}
}

// mixed is findings and decisions in turns.
func mixed(t *testing.T) *world {
	t.Helper()
	w := small(t, pipeline.NewID())
	service := pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}
	w.say("p1", pipeline.CustomFinding, pipeline.KeyPortService, service, "serviceName", "https")
	w.mark(pipeline.Mark{Action: pipeline.MarkTag, Target: hostA, Tag: "Before"})
	w.mark(pipeline.Mark{Action: pipeline.MarkBlock, Target: portA})
	w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: hostA})
	w.host("p1", "192.0.2.1", 443) // it is seen again, without what was decided and known before
	w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: domainA})
	w.site("p1", "192.0.2.2", "a.example", 443)
	w.mark(pipeline.Mark{Action: pipeline.MarkTag, Target: domainA, Tag: "After"})
	w.mark(pipeline.Mark{Action: pipeline.MarkBlock, Target: hostB})
	w.mark(pipeline.Mark{Action: pipeline.MarkDelete, ProjectID: "p2", Target: "project:p2;host:192.0.2.2"})
	return w
}

var (
	mixedOne = []string{
		"domain:a.example tags[After]",
		"host:192.0.2.1 1 ports", "host:192.0.2.2 blocked 1 ports",
		"host:192.0.2.1;port:443;protocol:tcp", "host:192.0.2.2;port:443;protocol:tcp",
		"host:192.0.2.2;port:443;protocol:tcp;domain:a.example;path:/",
	}
	mixedTwo = []string{
		"domain:a.example [192.0.2.1]", "host:192.0.2.1 [a.example] 2 ports",
		"host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp",
		"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/", "host:192.0.2.1;port:443;protocol:tcp;domain:a.example;path:/",
	}
)

// shuffled cuts records into parts in a random order, with some of them twice.
func shuffled(recs []bus.Record, r *rand.Rand) (parts [][]bus.Record) {
	all := slices.Clone(recs)
	for _, i := range r.Perm(len(recs))[:len(recs)/3] {
		all = append(all, recs[i])
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for len(all) > 0 {
		n := min(len(all), 1+r.IntN(12))
		parts, all = append(parts, all[:n]), all[n:]
	}
	return parts
}

// A mark says nothing of when a resource was seen, and changes nothing of it.
func TestAMarkLeavesTheFirstTimeAlone(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	w := &world{t: t, run: pipeline.NewID()}
	w.host("p1", "192.0.2.1", 22).mark(pipeline.Mark{Action: pipeline.MarkBlock, Target: hostA, Cascade: true})
	w.look("p1", "192.0.2.1", "1-1000", 2)
	project(t, s, w.recs)
	hosts := must[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), pipeline.Query{ProjectID: w.of("p1")}))
	ports := must[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), pipeline.Query{ProjectID: w.of("p1")}))
	if len(hosts.Items) != 1 || len(ports.Items) != 1 || !ports.Items[0].Closed.Closed || !hosts.Items[0].Blocked {
		t.Fatalf("%+v, %+v", hosts.Items, ports.Items)
	}
	for _, at := range []time.Time{hosts.Items[0].FirstSeen, ports.Items[0].FirstSeen} {
		if at.Before(begin) || at.After(w.at()) {
			t.Errorf("it was seen first at %s, not after %s", at, begin)
		}
	}
}
