package projector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// look says that ports of a host were looked for, since the record n was made.
func (w *world) look(project, ip, ports string, n int) *world {
	f := pipeline.Finding{
		ID: fmt.Sprintf("%s%032x", w.run, len(w.recs)), ProjectID: w.of(project), At: w.at(), Since: begin.Add(time.Duration(n) * time.Second), Source: pipeline.SourceJob,
		ExecutionID: "e2", Type: pipeline.CustomFinding, Key: pipeline.KeyCoverage, Locators: pipeline.Locators{IP: ip},
		Fields: []pipeline.Field{{Key: "ports", Type: pipeline.TextField, Data: ports}, {Key: "protocol", Type: pipeline.TextField, Data: "tcp"}},
	}
	f.CorrelationKey = "project:" + f.ProjectID + ";host:" + ip
	v, err := record.EncodeFinding(&f)
	return w.put(bus.TopicFindings, v, err)
}

// feed is the history of a project, read page by page.
func feed(t *testing.T, s *clickhouse.Store, project string) (out []string) {
	t.Helper()
	q := pipeline.ChangeQuery{ProjectID: project, Limit: 3}
	for {
		page := must[pipeline.ChangePage](t)(s.Changes(t.Context(), q))
		for _, c := range page.Items {
			out = append(out, line(&c))
		}
		if page.Next == q.Cursor {
			return out
		}
		q.Cursor = page.Next
	}
}

func line(c *pipeline.Change) string {
	_, key, _ := strings.Cut(c.CorrelationKey, ";")
	text := fmt.Sprintf("%s %s", c.What, key)
	if c.Attribute != "" {
		text += fmt.Sprintf(" %s %q→%q", c.Attribute, c.Before, c.After)
	}
	return text
}

// lived is a host that is scanned, changes, loses a port, gets it back, and is
// deleted.
func lived(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, run: pipeline.NewID()}
	service := pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}
	w.host("p1", "192.0.2.1", 22, 443).look("p1", "192.0.2.1", "1-1000", 0)
	w.say("p1", pipeline.CustomFinding, pipeline.KeyPortService, service, "serviceName", "http")
	w.site("p1", "192.0.2.1", "", 443)
	w.host("p1", "192.0.2.1", 22).look("p1", "192.0.2.1", "1-1000", 5)
	w.host("p1", "192.0.2.1", 443).say("p1", pipeline.CustomFinding, pipeline.KeyPortService, service, "serviceName", "https")
	w.mark(pipeline.Mark{Action: pipeline.MarkDelete, Target: hostA})
	return w
}

var life = []string{
	"opened host:192.0.2.1", "opened host:192.0.2.1;port:22;protocol:tcp",
	"opened host:192.0.2.1;port:443;protocol:tcp",
	`set host:192.0.2.1;port:443;protocol:tcp service ""→"http"`,
	"opened host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
	"closed host:192.0.2.1;port:443;protocol:tcp", "closed host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
	"reappeared host:192.0.2.1;port:443;protocol:tcp",
	`changed host:192.0.2.1;port:443;protocol:tcp service "http"→"https"`,
	"deleted host:192.0.2.1", "deleted host:192.0.2.1;port:22;protocol:tcp", "deleted host:192.0.2.1;port:443;protocol:tcp",
	"deleted host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
}

// However the records are cut into batches, and if some come again after a crash
// with a new process, the history is the same, and so is what shows at any time.
func TestHistory(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	for name, cut := range map[string][]int{"one by one": {1, 1}, "in threes": {3, 3}, "with repetition": {4, 2}} {
		t.Run(name, func(t *testing.T) {
			w := lived(t)
			for i := 0; i < len(w.recs); i += cut[1] { // a projector of its own each: nothing is remembered
				project(t, s, w.recs[i:min(i+cut[0], len(w.recs))])
			}
			want := slices.Sorted(slices.Values(life))
			got := feed(t, s, w.of("p1"))
			slices.Sort(got) // of one instant the order is that of ids
			same(t, "the history", want, got)
		})
	}
}

// Closed ports show as such until they are seen again.
func TestClosed(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	w := lived(t)
	project(t, s, w.recs[:7])
	same(t, "closed", []string{
		"host:192.0.2.1 1 ports", "host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp http closed",
		"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/ closed",
	}, show(t, s, w.of("p1")))
	project(t, s, w.recs[7:8])
	same(t, "seen again", []string{
		"host:192.0.2.1 2 ports", "host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp http",
		"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/ closed",
	}, show(t, s, w.of("p1")))
}

// A look and what it saw may be written in either order.
func TestALookOvertakesWhatItSaw(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	w := &world{t: t, run: pipeline.NewID()}
	w.host("p1", "192.0.2.1", 22, 443) // long ago
	w.host("p1", "192.0.2.1", 443).look("p1", "192.0.2.1", "1-1000", 2)
	project(t, s, w.recs[:2], w.recs[3:], w.recs[2:3])
	same(t, "the project", []string{
		"host:192.0.2.1 1 ports", "host:192.0.2.1;port:22;protocol:tcp closed", "host:192.0.2.1;port:443;protocol:tcp",
	}, show(t, s, w.of("p1")))
	same(t, "the history", []string{
		"closed host:192.0.2.1;port:22;protocol:tcp", "opened host:192.0.2.1",
		"opened host:192.0.2.1;port:22;protocol:tcp", "opened host:192.0.2.1;port:443;protocol:tcp",
	}, slices.Sorted(slices.Values(feed(t, s, w.of("p1")))))
}

// What a project was at a time, and what differs between two.
func TestTimeTravel(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	w := lived(t)
	project(t, s, w.recs)
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Second) }
	past := func(n int) (out []string) {
		q := pipeline.PastQuery{ProjectID: w.of("p1"), At: at(n), Limit: 2}
		for {
			page := must[pipeline.PastPage](t)(s.AsOf(t.Context(), q))
			for _, p := range page.Items {
				_, key, _ := strings.Cut(p.CorrelationKey, ";")
				if p.Closed {
					key += " closed"
				}
				if v := p.Attributes["service"]; v != "" {
					key += " " + v
				}
				out = append(out, key)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				slices.Sort(out)
				return out
			}
		}
	}
	same(t, "before", nil, past(-1))
	same(t, "at first", []string{"host:192.0.2.1", "host:192.0.2.1;port:22;protocol:tcp"}, past(0))
	same(t, "when the port was closed", []string{
		"host:192.0.2.1", "host:192.0.2.1;port:22;protocol:tcp", "host:192.0.2.1;port:443;protocol:tcp closed http",
		"host:192.0.2.1;port:443;protocol:tcp;domain:;path:/ closed",
	}, past(6))
	same(t, "after all", nil, past(100))
	diff := func(from, to int) (out []string) {
		page := must[pipeline.ChangePage](t)(s.Diff(t.Context(), pipeline.DiffQuery{ProjectID: w.of("p1"), From: at(from), To: at(to)}))
		for _, c := range page.Items {
			out = append(out, line(&c))
		}
		slices.Sort(out)
		return out
	}
	same(t, "from closed to seen again", []string{`changed host:192.0.2.1;port:443;protocol:tcp service "http"→"https"`, "reappeared host:192.0.2.1;port:443;protocol:tcp"}, diff(6, 8))
	same(t, "what changed and changed back is no difference", []string{
		`changed host:192.0.2.1;port:443;protocol:tcp service "http"→"https"`, "closed host:192.0.2.1;port:443;protocol:tcp;domain:;path:/",
	}, diff(4, 8))
	same(t, "nothing", nil, diff(99, 100))
}

// A partition goes to another projector and comes back: what the first remembers of
// it is old by then.
func TestAPartitionThatComesBack(t *testing.T) {
	s := clickhousetest.Open(t)
	w := &world{t: t, run: pipeline.NewID()}
	at := pipeline.Locators{IP: "192.0.2.1", Port: 443, Protocol: pipeline.TCP}
	for _, name := range []string{"http", "ssh", "http"} {
		w.say("p1", pipeline.CustomFinding, pipeline.KeyPortService, at, "serviceName", name)
	}
	var dead letters
	one, other := projector.New(deps(s, &dead, prometheus.NewRegistry())), projector.New(deps(s, &dead, prometheus.NewRegistry()))
	for i, p := range []*projector.Projector{one, other, one} {
		p.Assigned()
		if err := p.Handle(t.Context(), w.recs[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	port := "host:192.0.2.1;port:443;protocol:tcp"
	same(t, "the history", []string{
		`changed ` + port + ` service "http"→"ssh"`, `changed ` + port + ` service "ssh"→"http"`,
		"opened host:192.0.2.1", "opened " + port, `set ` + port + ` service ""→"http"`,
	}, slices.Sorted(slices.Values(feed(t, s, w.of("p1")))))
}
