package launcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

func stopRecord(t *testing.T, s pipeline.StopRequest) bus.Record {
	t.Helper()
	v, err := record.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return bus.Record{Topic: bus.TopicStops, Value: v}
}

func TestStopEndsWhatRunsWhatWaitsAndWhatIsYetToCome(t *testing.T) {
	var p journal
	r := &fakeRunner{run: func(ctx context.Context, _ launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), launcher.ErrStopped) {
			return launcher.Result{State: pipeline.StateLost}
		}
		return launcher.Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
	}}
	l := alone(t, r, &p, func(c *launcher.Config) { c.Concurrency = 1 })
	bustest.Run(t, "launcher", l.Run)
	running := take(t, l, "running", 0)
	bustest.Eventually(t, "running", func() bool { return len(p.story(t)) == 2 })
	waiting := take(t, l, "waiting", 0)
	for _, id := range []string{"later", "waiting", "running", "running"} {
		if err := l.Stop(stopRecord(t, pipeline.StopRequest{ExecutionID: id, At: time.Now(), By: "ann@example.org"})); err != nil {
			t.Fatal(err)
		}
	}
	later := take(t, l, "later", 0)
	bustest.Eventually(t, "all ends", func() bool { return running.Load() == 1 && waiting.Load() == 1 && later.Load() == 1 })
	got := map[string]int{}
	for _, s := range p.story(t) {
		got[s]++
	}
	if d := cmp.Diff(got, map[string]int{"starting #1": 1, "running #1": 1, "stopped person #1": 3}); d != "" {
		t.Errorf("events (-got +want):\n%s", d)
	}
	if d := cmp.Diff(r.order(), []string{"running"}); d != "" {
		t.Errorf("ran (-got +want):\n%s", d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e, err := record.Decode[pipeline.ExecutionEvent](p.recs[len(p.recs)-1].Value)
	if err != nil || !strings.HasPrefix(e.Detail, "stopped by ann@example.org at ") {
		t.Errorf("detail %q, %v", e.Detail, err)
	}
}

func TestStopAllOfAProjectLeavesWhatIsAskedForAfterwards(t *testing.T) {
	var p journal
	l := alone(t, &fakeRunner{}, &p, nil)
	if err := l.Stop(stopRecord(t, pipeline.StopRequest{ProjectID: "p", At: time.Now().Add(-time.Hour)})); err != nil {
		t.Fatal(err)
	}
	bustest.Run(t, "launcher", l.Run)
	done := take(t, l, "a", 0)
	bustest.Eventually(t, "the end", func() bool { return done.Load() == 1 })
	if s := p.story(t); s[len(s)-1] != "succeeded #1" {
		t.Errorf("story %v", s)
	}
}

// keeper is a runner whose executions go on without it.
type keeper struct {
	fakeRunner
	held     map[string]int
	released chan string
}

func (k *keeper) Holds(_ context.Context, id string) (int, bool) { n, ok := k.held[id]; return n, ok }
func (k *keeper) Release(_ context.Context, id string)           { k.released <- id }

func TestAnExecutionThatOutlivedItsLauncherGoesOn(t *testing.T) {
	var p journal
	k := &keeper{held: map[string]int{"a": 3}, released: make(chan string, 2)}
	l := alone(t, k, &p, nil)
	for _, id := range []string{"a", "b"} {
		restore(t, l, 0, pipeline.ExecutionEvent{ExecutionID: id, Attempt: 3, State: pipeline.StateRunning})
	}
	bustest.Run(t, "launcher", l.Run)
	a := take(t, l, "a", 0)
	bustest.Eventually(t, "a's end", func() bool { return a.Load() == 1 })
	b := take(t, l, "b", 0)
	bustest.Eventually(t, "b's end", func() bool { return b.Load() == 1 })
	want := []string{"running #3", "succeeded #3", "queued interrupted #4", "starting #4", "running #4", "succeeded #4"}
	if d := cmp.Diff(p.story(t), want); d != "" {
		t.Errorf("story (-got +want):\n%s", d)
	}
	if got := []string{<-k.released, <-k.released}; !cmp.Equal(got, []string{"a", "b"}) {
		t.Errorf("released %v", got)
	}
}

func TestADetachedExecutionHasNoEnd(t *testing.T) {
	var p journal
	k := &keeper{released: make(chan string, 1)}
	k.run = func(ctx context.Context, _ launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		<-ctx.Done()
		return launcher.Result{Detached: true}
	}
	l := alone(t, k, &p, nil)
	stop := bustest.Run(t, "launcher", l.Run)
	done := take(t, l, "a", 0)
	bustest.Eventually(t, "running", func() bool { return len(p.story(t)) == 2 })
	stop()
	if d := cmp.Diff(p.story(t), []string{"starting #1", "running #1"}); d != "" || done.Load() != 0 || len(k.released) != 0 {
		t.Errorf("done %d, released %d, story (-got +want):\n%s", done.Load(), len(k.released), d)
	}
}

type vault map[string]string

func (v vault) Open(s pipeline.Secret) (string, error) {
	if plain, ok := v[s.Name]; ok {
		return plain, nil
	}
	return "", errors.New("sealed with another key")
}

// one runs a single execution of a job and returns its spec, its log and its end.
func one(t *testing.T, job pipeline.Job, args []pipeline.Argument, said ...string) (launcher.Spec, []string, *journal) {
	t.Helper()
	var p journal
	var spec launcher.Spec
	r := &fakeRunner{run: func(_ context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
		spec = s
		for _, text := range said {
			out(pipeline.StreamStdout, text)
		}
		return launcher.Result{State: pipeline.StateSucceeded}
	}}
	cat := fakeCatalog{
		jobs:    map[string]pipeline.Job{job.Name: job},
		secrets: map[string]pipeline.Secret{"key": {Name: "key"}, "broken": {Name: "broken"}, "n": {Name: "n"}},
	}
	l, err := launcher.New(launcher.DefaultConfig(), launcher.Deps{
		Runner: r, Catalog: cat, Producer: &p, Tokens: tokens{}, Secrets: vault{"key": `s3cr"et`, "n": "12345"},
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	bustest.Run(t, "launcher", l.Run)
	v, err := record.Encode(pipeline.JobRequest{ID: "a", ProjectID: "p", Job: job.Name, Arguments: args, At: time.Now(), Cause: pipeline.Cause{RootID: "r", Depth: 2}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	if err := l.Take(t.Context(), bus.Record{Value: v}, func() { close(done) }); err != nil {
		t.Fatal(err)
	}
	<-done
	var lines []string
	for _, rec := range p.recs {
		if rec.Topic == bus.TopicLogs {
			line, err := record.Decode[pipeline.LogLine](rec.Value)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line.Text)
		}
	}
	return spec, lines, &p
}

func TestSecretsAreOpenedForTheJobAloneAndMaskedInTheLog(t *testing.T) {
	job := pipeline.Job{Name: "J", Parameters: []pipeline.Parameter{{Name: "apiKey", Type: "string", Secret: true}, {Name: "port", Type: "number"}, {Name: "keys", Type: "string[]"}}}
	spec, lines, _ := one(t, job, []pipeline.Argument{
		{Name: "apiKey", Value: json.RawMessage(`"${ secrets.key }"`)},
		{Name: "port", Value: json.RawMessage(`"${secrets.n}"`)},
		{Name: "keys", Value: json.RawMessage(`["open", "${Secrets.key}"]`)},
		{Name: "text", Value: json.RawMessage(`"see ${secrets.key}"`)},
	}, `the key is s3cr"et, the port 12345, open`)
	got := map[string]string{}
	for n, v := range spec.Arguments {
		got[n] = string(v)
	}
	want := map[string]string{"apiKey": `"s3cr\"et"`, "port": "12345", "keys": `["open","s3cr\"et"]`, "text": `"see ${secrets.key}"`}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("arguments (-got +want):\n%s", d)
	}
	if d := cmp.Diff(spec.Secret, []string{"apiKey", "keys", "port"}); d != "" {
		t.Errorf("secret arguments (-got +want):\n%s", d)
	}
	all := strings.Join(lines, "\n")
	if strings.Contains(all, "s3cr") || strings.Contains(all, "12345") || !strings.Contains(all, "the key is ••••••, the port ••••••") {
		t.Errorf("log:\n%s", all)
	}
}

func TestSecretsThatCannotBeGivenRefuseTheExecution(t *testing.T) {
	job := pipeline.Job{Name: "J", Parameters: []pipeline.Parameter{{Name: "apiKey", Type: "string", Secret: true}}}
	for value, want := range map[string]string{
		`"${secrets.absent}"`: `neither the project nor all of Stalker has a secret named "absent"`,
		`"${secrets.broken}"`: "sealed with another key",
		`"in the open"`:       "store the value as one and give ${secrets.NAME}",
	} {
		_, _, p := one(t, job, []pipeline.Argument{{Name: "apiKey", Value: json.RawMessage(value)}})
		e, err := record.Decode[pipeline.ExecutionEvent](p.recs[len(p.recs)-1].Value)
		if err != nil || e.Reason != pipeline.ReasonSecret || !strings.Contains(e.Detail, want) || strings.Contains(e.Detail, "in the open") {
			t.Errorf("%s: %s %q, %v", value, e.Reason, e.Detail, err)
		}
	}
}

func TestAContainerSpeaksInJSONLines(t *testing.T) {
	_, lines, p := one(t, pipeline.Job{Name: "C", Type: pipeline.JobContainer}, nil,
		`{"type": "HostnameFinding", "domainName": "a.example.com"}`, "plain text", `{"level": "info"}`, `{"type": "IpFinding", "ip": "not an address"}`, `{"type":`)
	var names []string
	for _, rec := range p.recs {
		if rec.Topic != bus.TopicFindings {
			continue
		}
		f, err := record.DecodeFinding(rec.Value)
		if err != nil {
			t.Fatal(err)
		}
		if f.ExecutionID != "a" || f.JobName != "C" || f.Depth != 3 || f.RootID != "r" || f.Control != 7 || f.Seq != 1 || string(rec.Key) != f.PartitionKey() {
			t.Errorf("finding %+v", f)
		}
		names = append(names, f.Domain)
	}
	if d := cmp.Diff(names, []string{"a.example.com"}); d != "" {
		t.Errorf("findings (-got +want):\n%s", d)
	}
	all := strings.Join(lines, "\n")
	for _, want := range []string{"plain text", `{"level": "info"}`, `{"type":`, "the finding on line 4 was refused: "} {
		if !strings.Contains(all, want) {
			t.Errorf("log lacks %q:\n%s", want, all)
		}
	}
}

func TestAMissingRequiredParameterRefusesTheExecution(t *testing.T) {
	_, _, p := one(t, pipeline.Job{Name: "J", Parameters: []pipeline.Parameter{{Name: "ip", Type: "string", Required: true}, {Name: "port", Required: true, Default: 1}}}, nil)
	e, err := record.Decode[pipeline.ExecutionEvent](p.recs[len(p.recs)-1].Value)
	if err != nil || e.Reason != pipeline.ReasonBadArguments || e.Detail != "parameter ip is missing: the job cannot do without it" {
		t.Errorf("%s %q, %v", e.Reason, e.Detail, err)
	}
}
