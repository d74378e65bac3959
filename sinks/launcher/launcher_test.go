package launcher_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
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

type fakeRunner struct {
	mu  sync.Mutex
	ran []string
	run func(ctx context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result
}

func (r *fakeRunner) Name() string { return "fake" }

func (r *fakeRunner) Run(ctx context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
	r.mu.Lock()
	r.ran = append(r.ran, s.Request.ID)
	r.mu.Unlock()
	s.Started(time.Now())
	if r.run != nil {
		return r.run(ctx, s, out)
	}
	return launcher.Result{State: pipeline.StateSucceeded}
}

func (r *fakeRunner) order() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ran)
}

func untilStopped(ctx context.Context, _ launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
	<-ctx.Done()
	return launcher.Result{State: pipeline.StateStopped}
}

type fakeCatalog struct {
	jobs    map[string]pipeline.Job
	secrets map[string]pipeline.Secret
}

func (fakeCatalog) Position() int64 { return 7 }
func (c fakeCatalog) Secret(_, name string) (pipeline.Secret, bool) {
	s, ok := c.secrets[name]
	return s, ok
}

func (fakeCatalog) WaitFor(context.Context, int64) error { return nil }
func (c fakeCatalog) Job(n string) (pipeline.Job, bool)  { j, ok := c.jobs[n]; return j, ok }
func (fakeCatalog) Project(id string) (pipeline.Project, bool) {
	return pipeline.Project{ID: id}, id != "gone"
}

var jobs = fakeCatalog{jobs: map[string]pipeline.Job{"J": {Name: "J", Parameters: []pipeline.Parameter{
	{Name: "port", Type: "number", Default: 443}, {Name: "names", Type: "string[]"},
}}}}

// start runs a launcher on the bus until stop.
func start(t *testing.T, b *bus.Bus, r launcher.Runner, concurrency int) (stop func()) {
	t.Helper()
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	minter, err := jobtoken.NewMinter(bytes.Repeat([]byte{1}, jobtoken.KeyLen))
	if err != nil {
		t.Fatal(err)
	}
	cfg := launcher.DefaultConfig()
	cfg.Concurrency, cfg.MaxLogLines, cfg.MaxAttempts = concurrency, 5, 3
	l, err := launcher.New(cfg, launcher.Deps{Runner: r, Catalog: jobs, Producer: p, Tokens: minter, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	stopRun := bustest.Run(t, "launcher", l.Run)
	stopQueue := bustest.Run(t, "queue", b.Queue(bus.QueueConfig{Group: bus.GroupLauncher, Topic: bus.TopicJobs, History: bus.TopicExecutions}, l).Run)
	return func() { stopRun(); stopQueue(); p.Close() }
}

func request(t *testing.T, b *bus.Bus, reqs ...pipeline.JobRequest) {
	t.Helper()
	recs := make([]bus.Record, len(reqs))
	for i, r := range reqs {
		if r.ProjectID == "" {
			r.ProjectID = "p"
		}
		if r.Job == "" {
			r.Job = "J"
		}
		v, err := record.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		recs[i] = bus.Record{Topic: bus.TopicJobs, Key: []byte(r.ID), Value: v}
	}
	bustest.Produce(t, b, recs...)
}

// story returns the states an execution went through, "state reason #attempt".
func story(t *testing.T, b *bus.Bus, id string) []string {
	t.Helper()
	var got []string
	for _, r := range bustest.Read(t, b, bus.TopicExecutions) {
		e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if e.ExecutionID == id {
			got = append(got, strings.Join(strings.Fields(fmt.Sprintf("%s %s #%d", e.State, e.Reason, e.Attempt)), " "))
		}
	}
	return got
}

func ended(t *testing.T, b *bus.Bus, id string) func() bool {
	t.Helper()
	return func() bool {
		s := story(t, b, id)
		return len(s) > 0 && pipeline.State(strings.Fields(s[len(s)-1])[0]).Ended()
	}
}

func check(t *testing.T, b *bus.Bus, id string, want ...string) {
	t.Helper()
	if d := cmp.Diff(story(t, b, id), want); d != "" {
		t.Errorf("story of %s (-got +want):\n%s", id, d)
	}
}

func TestExecutionRunsOnceFromRequestToEnd(t *testing.T) {
	b := bustest.New(t)
	var got launcher.Spec
	r := &fakeRunner{run: func(_ context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
		got = s
		for range 8 {
			out(pipeline.StreamStdout, "hello")
		}
		out(pipeline.StreamStderr, "dropped too")
		return launcher.Result{State: pipeline.StateSucceeded, ExitCode: new(int)}
	}}
	request(t, b, pipeline.JobRequest{ID: "a", Arguments: []pipeline.Argument{{Name: "names", Value: json.RawMessage(`["x"]`)}}}, pipeline.JobRequest{ID: "a"})
	stop := start(t, b, r, 2)
	bustest.Eventually(t, "the end", ended(t, b, "a"))
	request(t, b, pipeline.JobRequest{ID: "a"}, pipeline.JobRequest{ID: "b"})
	bustest.Eventually(t, "the other's end", ended(t, b, "b"))
	stop()
	check(t, b, "a", "starting #1", "running #1", "succeeded #1")
	if d := cmp.Diff(r.order(), []string{"a", "b"}); d != "" {
		t.Errorf("executions (-got +want):\n%s", d)
	}
	if string(got.Arguments["port"]) != "443" || got.Deadline != time.Hour {
		t.Errorf("spec %+v", got)
	}
	var texts []string
	for _, r := range bustest.Read(t, b, bus.TopicLogs) {
		l, err := record.Decode[pipeline.LogLine](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if l.ExecutionID == "a" && l.Stream != pipeline.StreamEngine {
			texts = append(texts, l.Text)
		}
		if strings.Contains(l.Text, "4 lines were dropped") {
			texts = append(texts, l.Text)
		}
	}
	if len(texts) < 6 || !strings.Contains(texts[5], "4 lines were dropped") {
		t.Errorf("log %v: want 5 lines and a note", texts)
	}
}

func TestRefusedExecutionsSayWhy(t *testing.T) {
	b := bustest.New(t)
	bad := json.RawMessage(`[{"a":1}]`)
	request(t, b,
		pipeline.JobRequest{ID: "job", Job: "Absent"},
		pipeline.JobRequest{ID: "project", ProjectID: "gone"},
		pipeline.JobRequest{ID: "type", Arguments: []pipeline.Argument{{Name: "names", Value: bad}}},
		pipeline.JobRequest{ID: "name", Arguments: []pipeline.Argument{{Name: "LD_PRELOAD", Value: json.RawMessage(`"x"`)}}})
	r := &fakeRunner{}
	stop := start(t, b, r, 1)
	for id, reason := range map[string]string{"job": "unknown_job", "project": "unknown_project", "type": "bad_arguments", "name": "bad_arguments"} {
		bustest.Eventually(t, id, ended(t, b, id))
		check(t, b, id, "starting #1", "failed "+reason+" #1")
	}
	stop()
	if len(r.order()) != 0 {
		t.Errorf("ran %v", r.order())
	}
}

func TestOrderlyStopLeavesNothingRunningAndLosesNothing(t *testing.T) {
	b := bustest.New(t)
	request(t, b, pipeline.JobRequest{ID: "a"})
	for i := range 4 { // more often than attempts are allowed: an orderly stop is no failure
		r := &fakeRunner{run: untilStopped}
		stop := start(t, b, r, 1)
		bustest.Eventually(t, "running", func() bool { return len(r.order()) == 1 })
		bustest.Eventually(t, "said so", func() bool {
			s := story(t, b, "a")
			return len(s) > 0 && s[len(s)-1] == fmt.Sprintf("running #%d", i+1)
		})
		stop()
		if s := story(t, b, "a"); s[len(s)-1] != fmt.Sprintf("queued shutdown #%d", i+2) {
			t.Fatalf("life %d ended in %v", i, s)
		}
	}
	stop := start(t, b, &fakeRunner{}, 1)
	bustest.Eventually(t, "the end", ended(t, b, "a"))
	stop()
}

func TestExecutionsOfADeadLauncherAreTriedAgainThenGivenUp(t *testing.T) {
	b := bustest.New(t)
	request(t, b, pipeline.JobRequest{ID: "a"}, pipeline.JobRequest{ID: "b"}, pipeline.JobRequest{ID: "c"})
	say := func(id string, attempt int, s pipeline.State) {
		v, err := record.Encode(pipeline.ExecutionEvent{ExecutionID: id, Attempt: attempt, State: s})
		if err != nil {
			t.Fatal(err)
		}
		bustest.Produce(t, b, bus.Record{Topic: bus.TopicExecutions, Key: []byte(id), Value: v})
	}
	say("a", 1, pipeline.StateRunning)
	say("b", 3, pipeline.StateStarting)
	say("c", 1, pipeline.StateSucceeded)
	r := &fakeRunner{}
	stop := start(t, b, r, 1)
	bustest.Eventually(t, "a ends", ended(t, b, "a"))
	bustest.Eventually(t, "b ends", ended(t, b, "b"))
	stop()
	check(t, b, "a", "running #1", "queued interrupted #2", "starting #2", "running #2", "succeeded #2")
	check(t, b, "b", "starting #3", "lost attempts #3")
	check(t, b, "c", "succeeded #1")
	if d := cmp.Diff(r.order(), []string{"a"}); d != "" {
		t.Errorf("executions (-got +want):\n%s", d)
	}
}

func TestPeopleGoFirstAndProjectsTakeTurns(t *testing.T) {
	b := bustest.New(t)
	release := make(chan struct{})
	r := &fakeRunner{run: func(_ context.Context, s launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		if s.Request.ID == "first" {
			<-release
		}
		return launcher.Result{State: pipeline.StateSucceeded}
	}}
	stop := start(t, b, r, 1)
	request(t, b, pipeline.JobRequest{ID: "first"})
	bustest.Eventually(t, "first runs", func() bool { return len(r.order()) == 1 })
	one := func(id, project string, priority int) pipeline.JobRequest {
		return pipeline.JobRequest{ID: id, ProjectID: project, Priority: priority}
	}
	// one partition keeps their order
	var recs []bus.Record
	for _, q := range []pipeline.JobRequest{one("x1", "x", 3), one("x2", "x", 3), one("x3", "x", 3), one("y1", "y", 3), one("me", "z", 1)} {
		q.Job = "J"
		v, _ := record.Encode(q)
		recs = append(recs, bus.Record{Topic: bus.TopicJobs, Pinned: true, Key: []byte(q.ID), Value: v})
	}
	bustest.Produce(t, b, recs...)
	bustest.Eventually(t, "all taken", func() bool {
		lag, err := b.Lag(t.Context(), bus.GroupLauncher, bus.TopicJobs)
		return err == nil && lag[bus.TopicJobs] <= 6
	})
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	bustest.Eventually(t, "all ran", func() bool { return len(r.order()) == 6 })
	stop()
	if d := cmp.Diff(r.order(), []string{"first", "me", "x1", "y1", "x2", "x3"}); d != "" {
		t.Errorf("order (-got +want):\n%s", d)
	}
}

func TestRunnerPanicEndsOneExecution(t *testing.T) {
	b := bustest.New(t)
	request(t, b, pipeline.JobRequest{ID: "a"})
	stop := start(t, b, &fakeRunner{run: func(context.Context, launcher.Spec, func(pipeline.Stream, string)) launcher.Result { panic("boom") }}, 1)
	bustest.Eventually(t, "the end", ended(t, b, "a"))
	stop()
	check(t, b, "a", "starting #1", "running #1", "failed start_failed #1")
}
