package local_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/local"
)

// sdk is the smallest thing that runs a script the way the real one does.
var sdk = fstest.MapFS{
	"stalker_sdk/__init__.py": {},
	"stalker_sdk/run.py":      {Data: []byte("import runpy, sys\nrunpy.run_path(sys.argv[1], run_name='__main__')\n")},
	"stalker_sdk/nuclei.py":   {Data: []byte("import os, sys\nprint(sys.argv[1:], open(sys.argv[1]).read(), open(os.environ['STALKER_NUCLEI_HANDLER']).read())\n")},
}

type printed struct {
	mu    sync.Mutex
	lines []string
}

func (p *printed) line(s pipeline.Stream, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, string(s)+": "+text)
}

func (p *printed) has(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.lines, line)
}

func runner(t *testing.T, change func(*local.Config)) (*local.Runner, string) {
	t.Helper()
	cfg := local.DefaultConfig()
	cfg.Grace = 300 * time.Millisecond
	if change != nil {
		change(&cfg)
	}
	dir := t.TempDir()
	r, err := local.New(cfg, local.Deps{Gateway: "http://127.0.0.1:1/gateway/v1", Dir: dir, SDK: sdk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Prepare(); err != nil {
		t.Fatal(err)
	}
	return r, dir
}

func spec(code string, args map[string]string) launcher.Spec {
	s := launcher.Spec{
		Started: func(time.Time) {},
		Request: pipeline.JobRequest{ID: "aaaaaaaaaaaaaaaaaaaaaaaa", ProjectID: "p"},
		Job:     pipeline.Job{Type: pipeline.JobCode, Language: "python", Code: code},
		Project: pipeline.Project{Resolvers: []string{"127.0.0.1:53", "127.0.0.2:53"}},
		Attempt: 1, Token: "secret", Deadline: 20 * time.Second, Arguments: map[string]json.RawMessage{},
	}
	for k, v := range args {
		s.Arguments[k] = json.RawMessage(v)
	}
	return s
}

func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		name, code string
		want       launcher.Result
	}{
		{"success", "print('hi')", launcher.Result{State: pipeline.StateSucceeded, ExitCode: new(int)}},
		{"exit code", "raise SystemExit(3)", launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: "exit code 3", ExitCode: new(3)}},
		{"exception", "1/0", launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: "exit code 1: ZeroDivisionError: division by zero", ExitCode: new(1)}},
		{"no python", ")", launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: "exit code 1: SyntaxError: unmatched ')'", ExitCode: new(1)}},
		{"killed", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonSignal, Detail: "killed by SIGSEGV"}},
		{
			"says so itself", "import json, os; json.dump({'status': 'failed', 'message': 'no route'}, open(os.environ['STALKER_TERMINATION_LOG'], 'w')); raise SystemExit(1)",
			launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonReported, Detail: "no route", ExitCode: new(1)},
		},
		{
			"says so and exits 0", "import json, os; json.dump({'status': 'failed', 'message': 'half'}, open(os.environ['STALKER_TERMINATION_LOG'], 'w'))",
			launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonReported, Detail: "half", ExitCode: new(0)},
		},
		{
			"a report nobody can read to its end", "import os; os.mkfifo(os.environ['STALKER_TERMINATION_LOG']); raise SystemExit(1)",
			launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: "exit code 1", ExitCode: new(1)},
		},
		{
			"a report that is elsewhere", "import os; open('x', 'w').write('{\"status\":\"failed\"}'); os.symlink('x', os.environ['STALKER_TERMINATION_LOG']); raise SystemExit(1)",
			launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: "exit code 1", ExitCode: new(1)},
		},
		{
			"garbage", "import os, sys; sys.stderr.buffer.write(os.urandom(100_000)); sys.stdout.buffer.write(os.urandom(100_000))",
			launcher.Result{State: pipeline.StateSucceeded, ExitCode: new(0)},
		},
		{
			"a directory that resists", "import os; os.makedirs('a/b'); open('a/b/c', 'w'); os.chmod('a/b', 0); os.chmod('a', 0)",
			launcher.Result{State: pipeline.StateSucceeded, ExitCode: new(0)},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, dir := runner(t, nil)
			got := r.Run(t.Context(), spec(tc.code, nil), new(printed).line)
			if d := cmp.Diff(got, tc.want); d != "" {
				t.Errorf("Run() (-got +want):\n%s", d)
			}
			if left, _ := os.ReadDir(filepath.Join(dir, "work")); len(left) != 0 {
				t.Errorf("working directory left behind: %v", left)
			}
		})
	}
}

func TestDeadlineEndsAProcessThatIgnoresSignals(t *testing.T) {
	r, _ := runner(t, nil)
	s := spec("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up')\ntime.sleep(60)", nil)
	s.Deadline = 500 * time.Millisecond
	var p printed
	start := time.Now()
	got := r.Run(t.Context(), s, p.line)
	if got.State != pipeline.StateTimedOut || got.Reason != pipeline.ReasonDeadline || !strings.Contains(got.Detail, "500ms") {
		t.Errorf("Run() = %+v", got)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestStoppingTakesTheWholeGroup(t *testing.T) {
	r, _ := runner(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var p printed
	result := make(chan launcher.Result, 1)
	go func() {
		result <- r.Run(ctx, spec("import subprocess, time\nc = subprocess.Popen(['sleep', '60'])\nprint(c.pid, flush=True)\ntime.sleep(60)", nil), p.line)
	}()
	pid := 0
	eventually(t, "the child's pid", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.lines) > 0 {
			pid, _ = strconv.Atoi(strings.TrimPrefix(p.lines[0], "stdout: "))
		}
		return pid > 0
	})
	cancel()
	if got := <-result; got.State != pipeline.StateStopped {
		t.Errorf("Run() = %+v", got)
	}
	eventually(t, "the child is gone", func() bool { return gone(pid) })
}

// gone reports whether a process has ended, waited for or not.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func TestAJobSeesItsContractAndNothingElse(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "leak")
	r, dir := runner(t, nil)
	code := `import json, os
p = json.load(open(os.environ["STALKER_PARAMS_FILE"]))
print(json.dumps([os.environ.get("text"), os.environ.get("list"), p, "AWS_SECRET_ACCESS_KEY" in os.environ, "big" in os.environ, len(p["big"])]))
print(json.dumps([os.environ[k] for k in ("STALKER_GATEWAY", "STALKER_TOKEN", "STALKER_EXECUTION", "STALKER_PROJECT", "STALKER_RESOLVERS")]))
print(os.getcwd() == os.environ["HOME"], oct(os.stat(".").st_mode & 0o777))`
	code = strings.Replace(code, `, p, "AWS`, `, {k: v for k, v in p.items() if k != "big"}, "AWS`, 1)
	var p printed
	got := r.Run(t.Context(), spec(code, map[string]string{"text": `"a b"`, "list": `[22,"x"]`, "big": `"` + strings.Repeat("x", 100_000) + `"`}), p.line)
	if got.State != pipeline.StateSucceeded {
		t.Fatalf("Run() = %+v, %v", got, p.lines)
	}
	want := []string{
		`stdout: ["a b", "[22,\"x\"]", {"list": [22, "x"], "text": "a b"}, false, false, 100000]`,
		`stdout: ["http://127.0.0.1:1/gateway/v1", "secret", "aaaaaaaaaaaaaaaaaaaaaaaa", "p", "127.0.0.1:53,127.0.0.2:53"]`,
		`stdout: True 0o700`,
	}
	if d := cmp.Diff(p.lines, want); d != "" {
		t.Errorf("in %s (-got +want):\n%s", dir, d)
	}
}

func TestOutputIsSplitCutAndMadeReadable(t *testing.T) {
	r, _ := runner(t, nil)
	var p printed
	r.Run(t.Context(), spec(`import sys
sys.stdout.buffer.write(b"ok\xff\r\n" + b"x" * 40000 + b"\nlast")
sys.stderr.write("oops\n")`, nil), p.line)
	slices.Sort(p.lines)
	want := []string{"stderr: oops", "stdout: last", "stdout: ok\uFFFD", "stdout: " + strings.Repeat("x", 16<<10) + " … (line cut)"}
	if d := cmp.Diff(p.lines, want); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
}

func TestRefusals(t *testing.T) {
	absent, _ := runner(t, func(c *local.Config) { c.Python = "python-that-is-not-here" })
	got := absent.Run(t.Context(), spec("", nil), new(printed).line)
	if got.Reason != pipeline.ReasonNoInterpreter || !strings.Contains(got.Detail, "install Python") {
		t.Errorf("without an interpreter: %+v", got)
	}
	r, _ := runner(t, nil)
	s := spec("", nil)
	s.Job.Type = pipeline.JobContainer
	if got := r.Run(t.Context(), s, new(printed).line); got.Reason != pipeline.ReasonUnsupported {
		t.Errorf("container job: %+v", got)
	}
}

func TestANucleiJobGetsItsTemplateAndHandler(t *testing.T) {
	r, _ := runner(t, nil)
	s := spec("id: x", nil)
	s.Job.Type, s.Job.Language, s.Job.Handler = pipeline.JobNuclei, "yaml", "handled = 1"
	var p printed
	if got := r.Run(t.Context(), s, p.line); got.State != pipeline.StateSucceeded || !p.has("stdout: ['template.yaml'] id: x handled = 1") {
		t.Errorf("Run() = %+v, %v", got, p.lines)
	}
}

func TestMemoryLimitHolds(t *testing.T) {
	r, _ := runner(t, func(c *local.Config) { c.Memory = 512 << 20 })
	var p printed
	got := r.Run(t.Context(), spec("import time\ntime.sleep(.2)\nx = bytearray(1 << 30)", nil), p.line)
	if got.State != pipeline.StateFailed || !p.has("stderr: MemoryError") {
		t.Errorf("Run() = %+v, %v", got, p.lines)
	}
}

func TestPrepareRemovesLeftovers(t *testing.T) {
	r, dir := runner(t, nil)
	stale := filepath.Join(dir, "work", "stale")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("leftover is still there: %v", err)
	}
}

func TestConfigReportsEverything(t *testing.T) {
	_, err := local.New(local.Config{Grace: -1, Memory: 1}, local.Deps{Log: slog.New(slog.DiscardHandler)})
	for _, want := range []string{"python must be set", "grace is -1ns", "memory is 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v, lacks %q", err, want)
		}
	}
}
