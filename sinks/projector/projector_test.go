package projector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }

var begin = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// findings are what a small scan of n hosts says.
func findings(tb testing.TB, project string, n int) []bus.Record {
	tb.Helper()
	var out []bus.Record
	say := func(typ pipeline.FindingType, key string, l pipeline.Locators, fields ...pipeline.Field) {
		seq := uint64(len(out))
		f := pipeline.Finding{
			ProjectID: project, At: begin.Add(time.Duration(seq) * time.Millisecond), Source: pipeline.SourceJob, ExecutionID: fmt.Sprintf("e%d", seq%4),
			JobName: "Scan", Seq: seq, RootID: "r", Depth: 1, Type: typ, Key: key, Name: "n", Locators: l, Fields: fields,
		}
		f.ID = pipeline.FindingID(f.ExecutionID, seq, []byte(project+string(typ)))
		about := l
		if typ == pipeline.HostnameIPFinding {
			about.Domain = "" // it is about the host
		}
		var err error
		if f.CorrelationKey, err = pipeline.CorrelationKey(project, about, typ == pipeline.WebsiteFinding); err != nil {
			tb.Fatal(err)
		}
		b, err := record.EncodeFinding(&f)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: b})
	}
	text := func(k, v string) pipeline.Field { return pipeline.Field{Key: k, Type: pipeline.TextField, Data: v} }
	for i := range n {
		ip, name := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), fmt.Sprintf("h%d.example.com", i)
		port := pipeline.Locators{IP: ip, Port: 443, Protocol: pipeline.TCP}
		site := pipeline.Locators{IP: ip, Port: 443, Domain: name, Path: "/"}
		say(pipeline.HostnameIPFinding, "HostnameIpFinding", pipeline.Locators{IP: ip, Domain: name})
		say(pipeline.PortFinding, "PortFinding", port, text("protocol", "tcp"))
		say(pipeline.CustomFinding, pipeline.KeyPortService, port, text("serviceName", "https"), text("serviceProduct", "nginx"), text("serviceVersion", "1.2"))
		say(pipeline.WebsiteFinding, "WebsiteFinding", site)
		say(pipeline.CustomFinding, pipeline.KeyWebsiteResponse, site, text("statusCode", "200"), text("title", "Hello "+name), text("server", "nginx"))
		say(pipeline.CustomFinding, pipeline.KeyWebsiteTechnology, site, text("technology", "PHP"))
	}
	return out
}

// execution is what the other topics say of one execution.
func execution(tb testing.TB, project, id string) []bus.Record {
	tb.Helper()
	encode := func(topic string, v any) bus.Record {
		var b []byte
		var err error
		switch v := v.(type) {
		case pipeline.JobRequest:
			b, err = record.Encode(v)
		case pipeline.ExecutionEvent:
			b, err = record.Encode(v)
		case pipeline.LogLine:
			b, err = record.Encode(v)
		}
		if err != nil {
			tb.Fatal(err)
		}
		return bus.Record{Topic: topic, Key: []byte(id), Value: b}
	}
	code := 0
	out := []bus.Record{
		encode(bus.TopicJobs, pipeline.JobRequest{ID: id, ProjectID: project, Job: "Scan", At: begin, Arguments: []pipeline.Argument{{Name: "ip", Value: json.RawMessage(`"10.0.0.1"`)}}, Cause: pipeline.Cause{RootID: "r"}}),
		encode(bus.TopicExecutions, pipeline.ExecutionEvent{ExecutionID: id, ProjectID: project, Attempt: 1, State: pipeline.StateRunning, At: begin.Add(time.Second)}),
		encode(bus.TopicExecutions, pipeline.ExecutionEvent{ExecutionID: id, ProjectID: project, Attempt: 1, State: pipeline.StateSucceeded, ExitCode: &code, At: begin.Add(2 * time.Second)}),
	}
	for i, level := range pipeline.Levels() {
		out = append(out, encode(bus.TopicLogs, pipeline.LogLine{ExecutionID: id, ProjectID: project, Attempt: 1, Stream: pipeline.StreamSDK, Seq: uint64(i + 1), Level: level, Text: string(level), At: begin}))
	}
	return out
}

func deps(s interface {
	Write(ctx context.Context, b *rows.Batch) error
}, dead *letters, reg prometheus.Registerer,
) projector.Deps {
	return projector.Deps{Store: s, Dead: dead, Log: slog.New(slog.DiscardHandler), Metrics: reg}
}

// letters keeps dead letters.
type letters struct{ got []bus.DeadLetter }

func (l *letters) Write(_ context.Context, letters []bus.DeadLetter) error {
	l.got = append(l.got, letters...)
	return nil
}

// storeFunc is a store of one function.
type storeFunc func(ctx context.Context, b *rows.Batch) error

func (f storeFunc) Write(ctx context.Context, b *rows.Batch) error { return f(ctx, b) }

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const hosts = 30

func wantCounts(executions uint64) pipeline.Counts {
	c := pipeline.Counts{Domains: hosts, Hosts: hosts, Ports: hosts, Websites: hosts, Findings: 6 * hosts, Executions: map[pipeline.State]uint64{}}
	for _, s := range pipeline.States() {
		c.Executions[s] = 0
	}
	c.Executions[pipeline.StateSucceeded] = executions
	return c
}

// check compares what the store shows with what was said.
func check(t *testing.T, s *clickhouse.Store) {
	t.Helper()
	if diff := cmp.Diff(wantCounts(4), must[pipeline.Counts](t)(s.Counts(t.Context(), "p1"))); diff != "" {
		t.Errorf("counts (-want +got)\n%s", diff)
	}
	e := must[pipeline.Execution](t)(s.Execution(t.Context(), "e1"))
	if e.Findings != 6*hosts/4 || e.Errors != 1 || e.Warnings != 1 || e.State != pipeline.StateSucceeded || e.Job != "Scan" || !e.StartedAt.Equal(begin.Add(time.Second)) {
		t.Errorf("the execution is %+v", e)
	}
	site := must[pipeline.Page[pipeline.Website]](t)(s.Websites(t.Context(), pipeline.Query{ProjectID: "p1", Text: "h7.example.com"})).Items
	if len(site) != 1 || site[0].Title != "Hello h7.example.com" || site[0].Status != 200 || !cmp.Equal(site[0].Technologies, []string{"PHP"}) {
		t.Errorf("the website is %+v", site)
	}
	host := must[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), pipeline.Query{ProjectID: "p1", Text: "10.0.0.7"})).Items
	if len(host) != 1 || host[0].Ports != 1 || !cmp.Equal(host[0].Domains, []string{"h7.example.com"}) {
		t.Errorf("the host is %+v", host)
	}
	lines := must[pipeline.LogPage](t)(s.Logs(t.Context(), pipeline.LogQuery{ExecutionID: "e1"}))
	var texts []string
	for _, l := range lines.Items {
		texts = append(texts, l.Text)
	}
	if diff := cmp.Diff([]string{"debug", "info", "warning", "error"}, texts); diff != "" {
		t.Errorf("the log (-want +got)\n%s", diff)
	}
}

func everything(tb testing.TB) []bus.Record {
	tb.Helper()
	out := findings(tb, "p1", hosts)
	for _, id := range []string{"e0", "e1", "e2", "e3"} {
		out = append(out, execution(tb, "p1", id)...)
	}
	return out
}

// From the topics into the store, with the store failing now and then after it
// has written: nothing is lost, nothing is there twice.
func TestFromTopicsToStore(t *testing.T) {
	b, s := bustest.New(t), clickhousetest.Open(t)
	producer, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	var calls atomic.Int64
	flaky := storeFunc(func(ctx context.Context, batch *rows.Batch) error {
		n := calls.Add(1)
		if n%3 == 1 {
			return pipeline.Errorf(pipeline.CodeUnavailable, "away before writing")
		}
		err := s.Write(ctx, batch)
		if n%3 == 2 {
			return errors.Join(err, pipeline.Errorf(pipeline.CodeUnavailable, "away before acknowledging"))
		}
		return err
	})
	reg := prometheus.NewRegistry()
	p := projector.New(projector.Deps{Store: flaky, Dead: b.DeadLetters(bus.GroupProjector, producer), Log: slog.New(slog.DiscardHandler), Metrics: reg})
	recs := everything(t)
	poison := bus.Record{Topic: bus.TopicFindings, Key: []byte("p1/10.0.0.7"), Value: []byte("{not json")}
	recs = append(recs[:50:50], append([]bus.Record{poison}, recs[50:]...)...)
	run := func() func() {
		c := b.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics(), MaxRecords: 40}, p)
		return bustest.Run(t, "projector", c.Run)
	}
	stop := run()
	bustest.Produce(t, b, recs[:120]...)
	settle(t, b)
	stop() // and a second process takes over
	bustest.Produce(t, b, recs[120:]...)
	run()
	settle(t, b)
	check(t, s)
	dead := bustest.Read(t, b, bus.TopicDead)
	if len(dead) != 1 || string(dead[0].Value) != "{not json" || dead[0].Headers[bus.HeaderTopic] != bus.TopicFindings || dead[0].Headers[bus.HeaderCode] != string(pipeline.CodeInvalid) {
		t.Errorf("the dead letters are %+v", dead)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP stalker_projector_rejected_total Records that went to the dead letters.
# TYPE stalker_projector_rejected_total counter
stalker_projector_rejected_total{topic="stalker.executions"} 0
stalker_projector_rejected_total{topic="stalker.findings"} 1
stalker_projector_rejected_total{topic="stalker.jobs"} 0
stalker_projector_rejected_total{topic="stalker.logs"} 0
stalker_projector_rejected_total{topic="stalker.marks"} 0
stalker_projector_rejected_total{topic="stalker.verdicts"} 0
`), "stalker_projector_rejected_total"); err != nil {
		t.Error(err)
	}
}

func settle(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ends, err := b.Ends(ctx, projector.Topics()...)
	if err == nil {
		err = b.WaitCommitted(ctx, bus.GroupProjector, ends)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Handed the same records again, alone or together, the store reads the same.
func TestReplay(t *testing.T) {
	s := clickhousetest.OpenUnmerged(t)
	p := projector.New(deps(s, &letters{}, prometheus.NewRegistry()))
	recs := everything(t)
	for i := range recs {
		recs[i].Offset = int64(i)
	}
	for _, part := range [][]bus.Record{recs[100:], recs, recs[:70], recs[50:150]} {
		if err := p.Handle(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	check(t, s)
}

// A store that does not answer fails the batch; dead letters that cannot be
// written do too, since the record would be lost.
func TestFailures(t *testing.T) {
	away := errors.New("away")
	recs := append(findings(t, "p1", 1), bus.Record{Topic: "other", Value: []byte("x")})
	reg := prometheus.NewRegistry()
	p := projector.New(deps(storeFunc(func(context.Context, *rows.Batch) error { return away }), &letters{}, reg))
	if err := p.Handle(t.Context(), recs); !errors.Is(err, away) {
		t.Errorf("the store is away: %v", err)
	}
	ok := storeFunc(func(context.Context, *rows.Batch) error { return nil })
	p = projector.New(projector.Deps{Store: ok, Dead: buriedBy(away), Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err := p.Handle(t.Context(), recs); !errors.Is(err, away) {
		t.Errorf("the dead letters are away: %v", err)
	}
	var l letters
	p = projector.New(deps(ok, &l, prometheus.NewRegistry()))
	if err := p.Handle(t.Context(), recs); err != nil || len(l.got) != 1 || l.got[0].Record.Topic != "other" {
		t.Errorf("a record of another topic: %v, %+v", err, l.got)
	}
	if err := p.Handle(t.Context(), nil); err != nil {
		t.Errorf("an empty batch: %v", err)
	}
}

type buried struct{ err error }

func (b buried) Write(context.Context, []bus.DeadLetter) error { return b.err }

func buriedBy(err error) buried { return buried{err} }
