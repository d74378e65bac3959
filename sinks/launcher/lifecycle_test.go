package launcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// journal is a producer that keeps what it was given, after failing as told.
type journal struct {
	mu   sync.Mutex
	fail int
	recs []bus.Record
}

func (j *journal) Produce(ctx context.Context, recs []bus.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.fail > 0 {
		j.fail--
		return errors.New("broker is away")
	}
	j.recs = append(j.recs, recs...)
	return nil
}

func (j *journal) story(t *testing.T) []string {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var got []string
	for _, r := range j.recs {
		if r.Topic != bus.TopicExecutions {
			continue
		}
		e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join(strings.Fields(fmt.Sprintf("%s %s #%d", e.State, e.Reason, e.Attempt)), " "))
	}
	return got
}

type tokens struct{}

func (tokens) Mint(jobtoken.Claims, time.Duration) (string, error) { return "token", nil }

// alone is a launcher without a queue: the test plays its part.
func alone(t *testing.T, r launcher.Runner, p *journal, change func(*launcher.Config)) *launcher.Launcher {
	t.Helper()
	cfg := launcher.DefaultConfig()
	cfg.Concurrency = 2
	if change != nil {
		change(&cfg)
	}
	return made(t, cfg, launcher.Deps{Runner: r, Producer: p})
}

// aloneHearing is alone, with what jobs report.
func aloneHearing(t *testing.T, r launcher.Runner, p *journal, heard func(context.Context) error) *launcher.Launcher {
	t.Helper()
	cfg := launcher.DefaultConfig()
	cfg.Concurrency = 2
	return made(t, cfg, launcher.Deps{Runner: r, Producer: p, Heard: heard})
}

func made(t *testing.T, cfg launcher.Config, d launcher.Deps) *launcher.Launcher {
	t.Helper()
	d.Catalog, d.Tokens, d.Log, d.Metrics = jobs, tokens{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	l, err := launcher.New(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func take(t *testing.T, l *launcher.Launcher, id string, partition int32) *atomic.Int32 {
	t.Helper()
	v, err := record.Encode(pipeline.JobRequest{ID: id, ProjectID: "p", Job: "J", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	done := new(atomic.Int32)
	if err := l.Take(t.Context(), bus.Record{Topic: bus.TopicJobs, Partition: partition, Value: v}, func() { done.Add(1) }); err != nil {
		t.Fatal(err)
	}
	return done
}

func restore(t *testing.T, l *launcher.Launcher, partition int32, events ...pipeline.ExecutionEvent) {
	t.Helper()
	for _, e := range events {
		v, err := record.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Restore(partition, bus.Record{Value: v}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALostPartitionStopsWhatRunsAndTheRequestIsNotDone(t *testing.T) {
	var p journal
	r := &fakeRunner{run: untilStopped}
	l := alone(t, r, &p, func(c *launcher.Config) { c.Concurrency = 1 })
	bustest.Run(t, "launcher", l.Run)
	running, waiting, other := take(t, l, "running", 1), take(t, l, "waiting", 1), take(t, l, "other", 2)
	bustest.Eventually(t, "running", func() bool { s := p.story(t); return len(s) == 2 && s[1] == "running #1" })
	l.Revoke(1)
	want := []string{"starting #1", "running #1", "queued shutdown #2"}
	if d := cmp.Diff(p.story(t)[:3], want); d != "" {
		t.Errorf("when Revoke returned (-got +want):\n%s", d)
	}
	bustest.Eventually(t, "the other partition's turn", func() bool { return len(r.order()) == 2 })
	if d := cmp.Diff(r.order(), []string{"running", "other"}); d != "" {
		t.Errorf("executions (-got +want):\n%s", d)
	}
	if n := running.Load() + waiting.Load() + other.Load(); n != 0 {
		t.Errorf("%d requests were let go before their end", n)
	}
}

func TestARequestThatComesBackAfterItsPartitionDidIsRunAgain(t *testing.T) {
	var p journal
	var lives atomic.Int32
	r := &fakeRunner{run: func(ctx context.Context, s launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		if lives.Add(1) == 1 {
			return untilStopped(ctx, s, nil)
		}
		return launcher.Result{State: pipeline.StateSucceeded}
	}}
	l := alone(t, r, &p, nil)
	bustest.Run(t, "launcher", l.Run)
	first := take(t, l, "a", 1)
	bustest.Eventually(t, "running", func() bool { return len(p.story(t)) == 2 })
	l.Revoke(1)
	restore(t, l, 1,
		pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 1, State: pipeline.StateRunning},
		pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 2, State: pipeline.StateQueued, Reason: pipeline.ReasonShutdown})
	second := take(t, l, "a", 1)
	bustest.Eventually(t, "the end", func() bool { return second.Load() == 1 })
	s := p.story(t)
	if got, want := s[len(s)-1], "succeeded #2"; got != want || first.Load() != 0 {
		t.Errorf("story %v ends with %q, want %q; the first request was done %d times", s, got, want, first.Load())
	}
}

func TestASuccessDuringTheStopCounts(t *testing.T) {
	var p journal
	r := &fakeRunner{run: func(ctx context.Context, _ launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		<-ctx.Done()
		return launcher.Result{State: pipeline.StateSucceeded}
	}}
	l := alone(t, r, &p, nil)
	stop := bustest.Run(t, "launcher", l.Run)
	done := take(t, l, "a", 0)
	bustest.Eventually(t, "running", func() bool { return len(p.story(t)) == 2 })
	stop()
	if d := cmp.Diff(p.story(t), []string{"starting #1", "running #1", "succeeded #1"}); d != "" || done.Load() != 1 {
		t.Errorf("done %d times, story (-got +want):\n%s", done.Load(), d)
	}
}

func TestEventsWaitForTheBus(t *testing.T) {
	p := journal{fail: 4}
	l := alone(t, &fakeRunner{}, &p, nil)
	bustest.Run(t, "launcher", l.Run)
	done := take(t, l, "a", 0)
	bustest.Eventually(t, "the end", func() bool { return done.Load() == 1 })
	if d := cmp.Diff(p.story(t), []string{"starting #1", "running #1", "succeeded #1"}); d != "" {
		t.Errorf("story (-got +want):\n%s", d)
	}
}

func TestHistoryReadTwiceCountsOnce(t *testing.T) {
	var p journal
	l := alone(t, &fakeRunner{}, &p, func(c *launcher.Config) { c.MaxAttempts = 2 })
	bustest.Run(t, "launcher", l.Run)
	for range 2 { // three attempts began, one of them was stopped in order: two failures
		restore(t, l, 0,
			pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 1, State: pipeline.StateRunning},
			pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 2, State: pipeline.StateQueued, Reason: pipeline.ReasonShutdown},
			pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 2, State: pipeline.StateRunning},
			pipeline.ExecutionEvent{ExecutionID: "a", Attempt: 3, State: pipeline.StateStarting})
	}
	done := take(t, l, "a", 0)
	bustest.Eventually(t, "the end", func() bool { return done.Load() == 1 })
	if d := cmp.Diff(p.story(t), []string{"lost attempts #3"}); d != "" {
		t.Errorf("story (-got +want):\n%s", d)
	}
}

func TestArgumentsReachTheJobInTheirDeclaredTypes(t *testing.T) {
	var p journal
	specs := make(chan launcher.Spec, 1)
	r := &fakeRunner{run: func(_ context.Context, s launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		specs <- s
		return launcher.Result{State: pipeline.StateSucceeded}
	}}
	l := alone(t, r, &p, nil)
	bustest.Run(t, "launcher", l.Run)
	v, err := record.Encode(pipeline.JobRequest{ID: "a", ProjectID: "p", Job: "J", Arguments: []pipeline.Argument{
		{Name: "port", Value: json.RawMessage(`null`)},                 // not given: the default
		{Name: "names", Value: json.RawMessage(`"[\"x\", \"y\"]"`)},    // a list in quotes
		{Name: "extra", Value: json.RawMessage(`{"any":  ["thing"]}`)}, // not declared: as it is
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Take(t.Context(), bus.Record{Value: v}, func() {}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for n, v := range (<-specs).Arguments {
		got[n] = string(v)
	}
	if d := cmp.Diff(got, map[string]string{"port": "443", "names": `["x","y"]`, "extra": `{"any":["thing"]}`}); d != "" {
		t.Errorf("arguments (-got +want):\n%s", d)
	}
}
