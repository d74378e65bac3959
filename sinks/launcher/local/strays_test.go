package local_test

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/local"
)

// daemon starts a process in a session of its own, out of reach of its group, says
// its pid and its parent's, and does what comes after.
const daemon = `import os, subprocess, sys, time
c = subprocess.Popen(["sleep", "900"], start_new_session=True)
print(c.pid, os.getpid(), flush=True)
`

// pids waits for the line daemon prints.
func pids(t *testing.T, line func() (string, bool)) (child, job int) {
	t.Helper()
	eventually(t, "the pids", func() bool {
		s, ok := line()
		a, b, _ := strings.Cut(strings.TrimPrefix(s, "stdout: "), " ")
		child, _ = strconv.Atoi(a)
		job, _ = strconv.Atoi(strings.TrimSpace(b))
		return ok && child > 0 && job > 0
	})
	return child, job
}

func (p *printed) first() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) == 0 {
		return "", false
	}
	return p.lines[0], true
}

func TestNothingOutlivesItsExecution(t *testing.T) {
	r, _ := runner(t, nil)
	var p printed
	start := time.Now()
	got := r.Run(t.Context(), spec(daemon, nil), p.line) // it ends at once; its daemon does not
	child, _ := pids(t, p.first)
	if got.State != pipeline.StateSucceeded || !gone(child) {
		t.Errorf("Run() = %+v, daemon gone: %v", got, gone(child))
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %s: the daemon's open pipes held it up", took)
	}
}

// TestMain is also the server that TestNothingOutlivesAKilledServer kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LOCAL_TEST_SERVER"); dir != "" {
		server(dir)
		return
	}
	os.Exit(m.Run())
}

func server(dir string) {
	r, err := local.New(local.DefaultConfig(), local.Deps{Dir: dir, SDK: sdk, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = r.Prepare()
	}
	if err != nil {
		panic(err)
	}
	s := spec(daemon+"time.sleep(900)", nil)
	r.Run(context.Background(), s, func(_ pipeline.Stream, text string) {
		_, _ = os.Stdout.WriteString(text + "\n")
	})
}

func TestNothingOutlivesAKilledServer(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "LOCAL_TEST_SERVER="+dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, job := pids(t, func() (string, bool) { return line, true })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as it should be
	eventually(t, "the job dies with its server", func() bool { return gone(job) })
	if gone(child) {
		t.Fatal("the daemon died by itself: this test proves nothing")
	}
	next, err := local.New(local.DefaultConfig(), local.Deps{Dir: dir, SDK: sdk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Prepare(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the next server ends the daemon", func() bool { return gone(child) })
	if left, _ := os.ReadDir(filepath.Join(dir, "work")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAProcessKilledFromOutsideHasFailed(t *testing.T) {
	r, _ := runner(t, nil)
	var p printed
	result := make(chan launcher.Result, 1)
	go func() {
		result <- r.Run(t.Context(), spec("import os, time\nprint(0, os.getpid())\nprint(1, os.getpid(), flush=True)\ntime.sleep(60)", nil), p.line)
	}()
	var job int
	eventually(t, "its pid", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.lines) == 2 {
			job, _ = strconv.Atoi(strings.TrimPrefix(p.lines[1], "stdout: 1 "))
		}
		return job > 0
	})
	proc, err := os.FindProcess(job)
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := <-result; got.State != pipeline.StateFailed || got.Reason != pipeline.ReasonSignal || !strings.Contains(got.Detail, "SIGKILL") {
		t.Errorf("Run() = %+v", got)
	}
}
