package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests of this package run the program itself: this binary, told by its
// environment to be stalker.
const beStalker = "STALKER_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beStalker) == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program prepares a call of the program that knows no server and no data but
// those it is given.
func program(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "STALKER_SERVER=") && !strings.HasPrefix(kv, "STALKER_TOKEN=") && !strings.HasPrefix(kv, "STALKER_CFG_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, beStalker+"=1", "XDG_DATA_HOME="+filepath.Join(t.TempDir(), "no-data"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // not to outlive a test that was killed
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// long is what a whole discovery may take on a slow machine.
const long = 10 * time.Minute

// call runs the program to its end.
func call(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exited.ExitCode()
	} else if err != nil {
		t.Fatalf("%v: %v", cmd.Args[1:], err)
	}
	return out.String(), errs.String(), code
}

// short calls the program for something that ends soon.
func short(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	return call(t, program(ctx, t, args...))
}

// daemon is a running stalker serve.
type daemon struct {
	cmd    *exec.Cmd
	url    string
	gone   chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

// serving starts stalker serve and waits until it says where it is.
func serving(t testing.TB, data string, env ...string) *daemon {
	t.Helper()
	d := spawn(t, data, env...)
	d.ready(t)
	return d
}

var announcement = regexp.MustCompile(`is running at (http://\S+)`)

// spawn starts stalker serve.
func spawn(t testing.TB, data string, env ...string) *daemon {
	t.Helper()
	return launch(t, os.Args[0], data, env...)
}

// launch starts the serve command of a program, which may be of another version.
func launch(t testing.TB, path, data string, env ...string) *daemon {
	t.Helper()
	d := &daemon{gone: make(chan struct{})}
	d.cmd = program(context.WithoutCancel(t.Context()), t, "serve", "--data", data, "--listen", "127.0.0.1:0")
	d.cmd.Path, d.cmd.Args[0] = path, path
	d.cmd.Env = append(d.cmd.Env, "STALKER_CFG_LOG__LEVEL=warn")
	d.cmd.Env = append(d.cmd.Env, env...)
	d.cmd.Stdout, d.cmd.Stderr = d, d
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = d.cmd.Wait(); close(d.gone) }()
	t.Cleanup(func() {
		d.signal(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("what the server said:\n%s", d.said())
		}
	})
	return d
}

// Write keeps what the server says.
func (d *daemon) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stderr.Write(p)
}

func (d *daemon) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stderr.String()
}

func (d *daemon) ready(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if m := announcement.FindStringSubmatch(d.said()); m != nil {
			d.url = m[1]
			return
		}
		select {
		case <-d.gone:
			t.Fatalf("the server ended:\n%s", d.said())
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("the server does not come up:\n%s", d.said())
}

// signal sends a signal and waits for the end.
func (d *daemon) signal(sig os.Signal) {
	_ = d.cmd.Process.Signal(sig) // gone already: fine
	<-d.gone
}

var _ io.Writer = (*daemon)(nil)
