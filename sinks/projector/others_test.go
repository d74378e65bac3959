package projector_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// lookRange is a look at a range that began when the n-th record was.
func (w *world) lookRange(project, ip string, mask int, ports string, n int) *world {
	return w.finding(project, pipeline.CustomFinding, pipeline.KeyCoverage, pipeline.Locators{IP: ip, Mask: &mask}, func(f *pipeline.Finding) {
		f.Since = begin.Add(time.Duration(n) * time.Second)
		f.Fields = []pipeline.Field{{Key: "ports", Type: pipeline.TextField, Data: ports}, {Key: "protocol", Type: pipeline.TextField, Data: "tcp"}}
	})
}

// One projector handles what is said of a website, another what is decided about it
// or about what it is below: the history is that of one projector that handles all.
func TestAnotherProjectorSweeps(t *testing.T) {
	site := pipeline.Locators{IP: "192.0.2.1", Port: 443, Domain: "a.example", Path: "/"}
	seen := func(w *world) {
		w.site("p1", site.IP, site.Domain, site.Port)
		w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsiteResponse, site, "statusCode", "200", "title", "Hello")
		w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsiteTechnology, site, "technology", "PHP")
	}
	const host = "project:p1;host:192.0.2.1"
	want, got := clickhousetest.Open(t), clickhousetest.Open(t)
	for name, tc := range map[string]struct {
		sweep func(w *world)
		ahead []int // how much of what comes after the sweep was handled before it
	}{
		"domain": {func(w *world) {
			w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: "project:p1;domain:a.example"})
		}, []int{0, 2}},
		"host": {func(w *world) { w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: host}) }, []int{0, 2}},
		"port": {func(w *world) {
			w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: host + ";port:443;protocol:tcp"})
		}, []int{0}},
		"website": {func(w *world) {
			w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: host + ";port:443;protocol:tcp;domain:a.example;path:/"})
		}, []int{0, 2}},
		"look": {func(w *world) { w.lookRange("p1", "192.0.2.0", 24, "1-1000", len(w.recs)) }, []int{0}},
	} {
		for _, ahead := range tc.ahead {
			t.Run(fmt.Sprint(name, " ", ahead), func(t *testing.T) {
				w := &world{t: t, run: pipeline.NewID()}
				var swept []int
				seen(w)
				for range 2 {
					swept = append(swept, len(w.recs))
					tc.sweep(w)
					seen(w)
				}
				shared(t, want, w.recs, swept, 0, true)
				shared(t, got, w.recs, swept, ahead, false)
				expected := slices.Sorted(slices.Values(feed(t, want, w.of("p1"))))
				if n := strings.Count(strings.Join(expected, "\n"), "reappeared"); n < 2 {
					t.Fatalf("what is expected shows %d times that something reappeared:\n%s", n, strings.Join(expected, "\n"))
				}
				if diff := cmp.Diff(expected, slices.Sorted(slices.Values(feed(t, got, w.of("p1"))))); diff != "" {
					t.Errorf("(-one projector +two)\n%s", diff)
				}
			})
		}
	}
}

// shared hands the records to a projector, but those that sweep to another one, when
// it is not alone, each after some of what comes later.
func shared(t *testing.T, s *clickhouse.Store, recs []bus.Record, swept []int, ahead int, alone bool) {
	t.Helper()
	var dead letters
	one, other := projector.New(deps(s, &dead, prometheus.NewRegistry())), projector.New(deps(s, &dead, prometheus.NewRegistry()))
	if alone {
		other = one
	}
	from := 0
	for _, at := range append(swept, len(recs)) {
		end := min(at+1+ahead, len(recs))
		handle(t, one, append(slices.Clone(recs[from:min(at, end)]), recs[min(at+1, end):end]...)...)
		if at < len(recs) {
			handle(t, other, recs[at])
		}
		from = end
	}
	if len(dead.got) > 0 {
		t.Fatal(dead.got[0].Reason)
	}
}

func handle(t *testing.T, p *projector.Projector, recs ...bus.Record) {
	t.Helper()
	if err := p.Handle(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
}

// member is a projector that says when partitions came to it and how much it handled.
type member struct {
	*projector.Projector
	told    atomic.Int64
	handled atomic.Int64
}

func (m *member) Assigned() { m.told.Add(1); m.Projector.Assigned() }

func (m *member) Handle(ctx context.Context, batch []bus.Record) error {
	err := m.Projector.Handle(ctx, batch)
	m.handled.Add(int64(len(batch)))
	return err
}

// Two members of the group share the topics of one bus. A domain is deleted, once and
// again, whose websites are on hosts that both read of: each of them reappears, with
// what is said of it.
func TestTwoProjectorsOnOneStore(t *testing.T) {
	b, s := bustest.New(t), clickhousetest.Open(t)
	var members [2]*member
	for i := range members {
		var dead letters
		m := &member{Projector: projector.New(deps(s, &dead, prometheus.NewRegistry()))}
		members[i] = m
		bustest.Run(t, fmt.Sprint("projector ", i), b.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics(), MaxRecords: 40}, m).Run)
		bustest.Eventually(t, "partitions", func() bool { return m.told.Load() > 0 })
	}
	const hosts, times = 12, 2
	w := &world{t: t, run: pipeline.NewID()}
	send := func(from int) {
		t.Helper()
		recs := slices.Clone(w.recs[from:])
		for i := range recs {
			recs[i].Key = fmt.Appendf(nil, "%s/%d", w.of("p1"), i%hosts) // a host each
		}
		bustest.Produce(t, b, recs...)
		settle(t, b)
	}
	seen := func() {
		t.Helper()
		from := len(w.recs)
		for i := range hosts {
			w.site("p1", fmt.Sprintf("192.0.2.%d", i+1), "a.example", 443)
		}
		for i := range hosts {
			w.say("p1", pipeline.CustomFinding, pipeline.KeyWebsiteResponse, pipeline.Locators{IP: fmt.Sprintf("192.0.2.%d", i+1), Port: 443, Domain: "a.example", Path: "/"}, "title", "Hello")
		}
		send(from)
	}
	seen()
	for range times {
		from := len(w.recs)
		w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: "project:p1;domain:a.example"})
		send(from)
		seen()
		seen()
	}
	events := strings.Join(feed(t, s, w.of("p1")), "\n")
	for i := range hosts {
		key := fmt.Sprintf(" host:192.0.2.%d;port:443;protocol:tcp;domain:a.example;path:/", i+1)
		for what, want := range map[string]int{"opened" + key: 1, "deleted" + key: times, "reappeared" + key: times, "set" + key + ` title ""→"Hello"`: times + 1} {
			if got := strings.Count(events+"\n", what+"\n"); got != want {
				t.Errorf("%q is %d times in the history, should be %d", what, got, want)
			}
		}
	}
	for i, m := range members {
		if m.handled.Load() == 0 {
			t.Errorf("projector %d had nothing to do", i)
		}
	}
}

// What others swept is asked for after each batch that says something was seen. When
// it cannot be known the batch comes again, and when it is too much to look at one by
// one nothing that is remembered is relied on.
func TestTooManySweepsOfOthers(t *testing.T) {
	w := (&world{t: t, run: pipeline.NewID()}).host("p1", "192.0.2.1", 80)
	var written []rows.Change
	s := &hearsay{written: &written}
	p := projector.New(deps(s, &letters{}, prometheus.NewRegistry()))
	again := func() int {
		t.Helper()
		written = nil
		if err := p.Handle(t.Context(), w.recs); err != nil {
			t.Fatal(err)
		}
		return len(written)
	}
	if n := again(); n != 2 { // host and port
		t.Fatalf("%d changes at first", n)
	}
	if n := again(); n != 0 {
		t.Fatalf("%d changes when all is known", n)
	}
	s.many = true
	if n := again(); n != 2 {
		t.Errorf("%d changes when too much was swept", n)
	}
	s.err = pipeline.Errorf(pipeline.CodeUnavailable, "away")
	if err := p.Handle(t.Context(), w.recs); pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Errorf("%v when what others swept cannot be known", err)
	}
}

// hearsay is a store that others write to.
type hearsay struct {
	written *[]rows.Change
	many    bool
	err     error
}

func (h *hearsay) Write(_ context.Context, b *rows.Batch) error {
	*h.written = append(*h.written, b.Changes...)
	return nil
}

func (h *hearsay) Others(_ context.Context, _ string, _ time.Time, limit int) ([]rows.Sweep, error) {
	if h.many {
		return make([]rows.Sweep, limit), h.err
	}
	return nil, h.err
}

func (h *hearsay) Concerned(context.Context, []rows.Sweep, map[string]bool) ([]string, error) {
	return nil, h.err
}
