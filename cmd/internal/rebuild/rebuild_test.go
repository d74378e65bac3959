package rebuild_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/cmd/internal/rebuild"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
)

func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }

var begin = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func encoded(t *testing.T, topic, key string, v []byte, err error) bus.Record {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return bus.Record{Topic: topic, Key: []byte(key), Value: v}
}

func projectRecord(t *testing.T, id string, there bool) bus.Record {
	t.Helper()
	c := record.Change{Kind: record.ChangeProject, ID: id}
	if there {
		c.Project = &pipeline.Project{ID: id, Name: id}
	}
	v, err := record.Encode(c)
	return encoded(t, bus.TopicControl, c.Key(), v, err)
}

// port is what is said of one host: a name, a port and what runs there.
func port(t *testing.T, project string, i int) []bus.Record {
	t.Helper()
	var out []bus.Record
	ip := fmt.Sprintf("192.0.2.%d", i)
	for n, f := range []pipeline.Finding{
		{Type: pipeline.HostnameIPFinding, Key: "HostnameIpFinding", Locators: pipeline.Locators{IP: ip, Domain: fmt.Sprintf("h%d.example", i)}},
		{Type: pipeline.PortFinding, Key: "PortFinding", Locators: pipeline.Locators{IP: ip, Port: 443, Protocol: pipeline.TCP}},
		{
			Type: pipeline.CustomFinding, Key: pipeline.KeyPortService, Locators: pipeline.Locators{IP: ip, Port: 443, Protocol: pipeline.TCP},
			Fields: []pipeline.Field{{Key: "serviceName", Type: pipeline.TextField, Data: "https"}},
		},
	} {
		f.ID, f.ProjectID, f.ExecutionID, f.Source = fmt.Sprintf("%s-%d-%d", project, i, n), project, "e1", pipeline.SourceJob
		f.At = begin.Add(time.Duration(10*i+n) * time.Second)
		at := f.Locators
		if n == 0 {
			at.Domain = ""
		}
		key, err := pipeline.CorrelationKey(project, at, false)
		if err != nil {
			t.Fatal(err)
		}
		f.CorrelationKey = key
		v, err := record.EncodeFinding(&f)
		out = append(out, encoded(t, bus.TopicFindings, project+"/"+ip, v, err))
	}
	return out
}

func mark(t *testing.T, m pipeline.Mark) bus.Record {
	t.Helper()
	v, err := record.Encode(m)
	return encoded(t, bus.TopicMarks, m.Target, v, err)
}

// scene is a bus with records, and the store a projector made of them.
type scene struct {
	bus      *bus.Bus
	store    *clickhouse.Store
	conn     driver.Conn
	consumer *bus.Consumer
	progress bytes.Buffer
}

func (s *scene) deps() rebuild.Deps {
	return rebuild.Deps{Bus: s.bus, Store: s.store, Progress: &s.progress}
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{bus: bustest.New(t)}
	s.store, s.conn = clickhousetest.OpenWithConn(t)
	recs := []bus.Record{projectRecord(t, "p1", true), projectRecord(t, "p2", true), projectRecord(t, "gone", true), projectRecord(t, "gone", false)}
	for i := range 20 {
		recs = append(recs, port(t, []string{"p1", "p2", "gone"}[i%3], i)...)
	}
	recs = append(recs,
		mark(t, pipeline.Mark{ProjectID: "p1", Action: pipeline.MarkTag, Target: "project:p1;host:192.0.2.0", Tag: "mine", At: begin.Add(time.Hour), UserID: "u"}),
		mark(t, pipeline.Mark{ProjectID: "p1", Action: pipeline.MarkDelete, Target: "project:p1;host:192.0.2.3", At: begin.Add(time.Hour), UserID: "u"}),
		bus.Record{Topic: bus.TopicFindings, Key: []byte("x"), Value: []byte("poison")})
	bustest.Produce(t, s.bus, recs...)
	dead, err := s.bus.Producer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dead.Close)
	p := projector.New(projector.Deps{
		Store: s.store, Dead: s.bus.DeadLetters(bus.GroupProjector, dead), Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	s.consumer = s.bus.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics()}, p)
	s.project(t)
	if err := s.store.DeleteProject(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	return s
}

// project lets a projector run until it has passed everything.
func (s *scene) project(t *testing.T) {
	t.Helper()
	stop := bustest.Run(t, "projector", s.consumer.Run)
	bustest.Eventually(t, "all is projected", func() bool {
		lag, err := s.bus.Lag(t.Context(), bus.GroupProjector, projector.Topics()...)
		if err != nil {
			return false
		}
		for _, n := range lag {
			if n > 0 {
				return false
			}
		}
		return true
	})
	stop()
}

func (s *scene) verify(t *testing.T) rebuild.Report {
	t.Helper()
	r, err := rebuild.Verify(t.Context(), s.deps())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *scene) exec(t *testing.T, sql string) {
	t.Helper()
	if err := s.conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// table returns what a report says of one.
func table(r *rebuild.Report, name string) clickhouse.Difference {
	for _, d := range r.Tables {
		if d.Table == name {
			return d
		}
	}
	return clickhouse.Difference{}
}

func TestWhatIsLostIsFoundAndReplayed(t *testing.T) {
	s := newScene(t)
	r := s.verify(t)
	if !r.OK || !r.Whole || r.Lost+r.Duplicated+r.Extra > 0 || r.Projects != 2 || r.Unreadable != 1 || len(r.Unburied) > 0 || r.Behind > 0 {
		t.Fatalf("an undisturbed store: %+v", r)
	}
	if d := table(&r, "hosts"); d.Expected != 14 {
		t.Errorf("hosts: %+v, want those of two projects", d)
	}
	s.exec(t, "DELETE FROM hosts WHERE project_id = 'p1' AND ip = '192.0.2.0'")
	s.exec(t, "DELETE FROM ports WHERE project_id = 'p2'")
	s.exec(t, "DELETE FROM findings WHERE id = 'p1-0-1'")
	s.exec(t, "INSERT INTO domains (project_id, name, id, first_seen, last_seen) VALUES ('p1', 'nobody-said.example', 'x', now64(3), now64(3))")
	r = s.verify(t)
	if r.OK || table(&r, "hosts").Lost != 1 || table(&r, "ports").Lost != 7 || table(&r, "findings").Lost != 1 || r.Lost != 9 || r.Extra != 1 || table(&r, "domains").Unknown != 1 {
		t.Errorf("a damaged store: %+v", r)
	}
	if e := table(&r, "hosts").Examples; len(e) != 1 || !strings.Contains(e[0], "192.0.2.0") {
		t.Errorf("examples %q", e)
	}
	s.exec(t, "DELETE FROM domains WHERE name = 'nobody-said.example'")
	for range 2 { // twice changes nothing
		done, err := rebuild.Replay(t.Context(), s.deps(), rebuild.Options{Topics: projector.Topics()})
		if err != nil || done.Records != 63 || done.Unreadable != 1 || done.Projects != 2 || done.Expired != nil {
			t.Fatalf("Replay() = %+v, %v", done, err)
		}
		if r = s.verify(t); !r.OK {
			t.Errorf("after the replay: %+v", r)
		}
	}
	if n, err := s.store.Counts(t.Context(), "gone"); err != nil || n.Hosts > 0 || n.Findings > 0 {
		t.Errorf("a deleted project came back: %+v, %v", n, err)
	}
	if !strings.Contains(s.progress.String(), "100%  63 records") {
		t.Errorf("progress:\n%s", s.progress.String())
	}
}

func TestAStoreIsFilledFromNothing(t *testing.T) {
	s := newScene(t)
	for _, table := range []string{"hosts", "ports", "domains", "findings", "finding_ids", "changes", "resource_tags", "sweeps", "domain_hosts", "host_domains"} {
		s.exec(t, "TRUNCATE TABLE "+table)
	}
	if done, err := rebuild.Replay(t.Context(), s.deps(), rebuild.Options{Topics: projector.Topics()}); err != nil || done.Records != 63 {
		t.Fatalf("Replay() = %+v, %v", done, err)
	}
	if r := s.verify(t); !r.OK || r.Extra > 0 {
		t.Errorf("%+v", r)
	}
}

// An unreadable record without its dead letter is a loss too.
func TestAMissingDeadLetterIsALoss(t *testing.T) {
	s := newScene(t)
	bustest.Produce(t, s.bus, bus.Record{Topic: bus.TopicFindings, Key: []byte("x"), Value: []byte("more poison")})
	if r := s.verify(t); !r.OK || r.Behind != 1 || r.Whole {
		t.Errorf("what the projector has not come to: %+v", r)
	}
	// a projector that forgets to write the letter
	c := s.bus.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics()}, bus.HandlerFunc(forget))
	s.consumer = c
	s.project(t)
	if r := s.verify(t); r.OK || len(r.Unburied) != 1 || r.Unreadable != 2 {
		t.Errorf("%+v", r)
	}
}

func TestReplayRefusesWhileAProjectorRuns(t *testing.T) {
	s := newScene(t)
	bustest.Run(t, "projector", s.consumer.Run)
	bustest.Eventually(t, "it has joined", func() bool {
		n, err := s.bus.Members(t.Context(), bus.GroupProjector)
		return err == nil && n == 1
	})
	o := rebuild.Options{Topics: projector.Topics()}
	if _, err := rebuild.Replay(t.Context(), s.deps(), o); pipeline.CodeOf(err) != pipeline.CodeConflict || !strings.Contains(err.Error(), "1 consumers of the group stalker.projector are running") {
		t.Errorf("Replay() = %v", err)
	}
	o.Force = true
	if done, err := rebuild.Replay(t.Context(), s.deps(), o); err != nil || done.Records != 63 {
		t.Errorf("with force: %+v, %v", done, err)
	}
	if r := s.verify(t); !r.OK { // a server may run meanwhile
		t.Errorf("%+v", r)
	}
}

func TestReplayFromAPosition(t *testing.T) {
	s := newScene(t)
	ends, err := s.bus.Ends(t.Context(), bus.TopicFindings)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    rebuild.Options
		want int64
		err  string
	}{
		"a topic":           {o: rebuild.Options{Topics: []string{bus.TopicMarks}}, want: 2},
		"a time ago":        {o: rebuild.Options{Topics: projector.Topics(), Since: time.Now().Add(-time.Hour)}, want: 63},
		"now":               {o: rebuild.Options{Topics: projector.Topics(), Since: time.Now().Add(time.Minute)}, want: 0},
		"an offset":         {o: rebuild.Options{Topics: []string{bus.TopicFindings}, At: map[string]map[int32]int64{bus.TopicFindings: {1: ends[bus.TopicFindings][1] - 2}}}, want: 2},
		"no such partition": {o: rebuild.Options{Topics: []string{bus.TopicFindings}, At: map[string]map[int32]int64{bus.TopicFindings: {9: 0}}}, err: "has no partition 9, it has 3"},
		"beyond the end":    {o: rebuild.Options{Topics: []string{bus.TopicFindings}, At: map[string]map[int32]int64{bus.TopicFindings: {1: 9999}}}, err: "holds the offsets 0 to"},
	} {
		t.Run(name, func(t *testing.T) {
			done, err := rebuild.Replay(t.Context(), s.deps(), tc.o)
			if tc.err != "" {
				if pipeline.CodeOf(err) != pipeline.CodeInvalid || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("Replay() = %v", err)
				}
				return
			}
			if err != nil || done.Records != tc.want {
				t.Errorf("Replay() = %+v, %v; want %d", done, err, tc.want)
			}
		})
	}
}

func TestReplayOfNothingKnown(t *testing.T) {
	d := rebuild.Deps{Bus: bustest.New(t), Store: clickhousetest.Open(t), Progress: &bytes.Buffer{}}
	if _, err := rebuild.Replay(t.Context(), d, rebuild.Options{Topics: projector.Topics()}); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("Replay() = %v", err)
	}
}

func TestPositions(t *testing.T) {
	if got, err := rebuild.Topics([]string{"marks", "stalker.marks", "findings"}); err != nil || len(got) != 2 || got[1] != bus.TopicFindings {
		t.Errorf("Topics() = %v, %v", got, err)
	}
	if _, err := rebuild.Topics([]string{"control"}); err == nil {
		t.Error("the control topic makes no rows")
	}
	for in, ok := range map[string]bool{
		"findings/3=1200": true, "stalker.marks/0=0": true,
		"findings": false, "findings=3": false, "findings/3": false, "findings/-1=3": false, "findings/0=-3": false, "cats/0=3": false, "findings/0=3x": false, "": false,
	} {
		if topic, p, offset, err := rebuild.At(in); (err == nil) != ok || ok && (topic == "" || p < 0 || offset < 0) {
			t.Errorf("At(%q) = %s, %d, %d, %v", in, topic, p, offset, err)
		}
	}
}

func forget(context.Context, []bus.Record) error { return nil }
