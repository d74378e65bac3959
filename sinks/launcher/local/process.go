package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Run runs one execution as a process group of its own.
func (r *Runner) Run(ctx context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
	if refused := r.refuse(&s.Job); refused != nil {
		return *refused
	}
	python, err := exec.LookPath(r.cfg.Python)
	if err != nil {
		return launcher.Result{
			State: pipeline.StateFailed, Reason: pipeline.ReasonNoInterpreter,
			Detail: fmt.Sprintf("%s is not installed here: install Python 3.11 or newer, or set launcher.local.python", r.cfg.Python),
		}
	}
	dir, err := r.lay(s)
	if err != nil {
		return launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonStart, Detail: err.Error()}
	}
	defer os.RemoveAll(dir)
	timed, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	cmd := r.command(python, dir, s)
	stdout, stderr := newLines(pipeline.StreamStdout, out), newLines(pipeline.StreamStderr, out)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = r.wait(timed, cmd)
	stdout.flush()
	stderr.flush()
	return r.result(ctx, timed, s, cmd, err, filepath.Join(dir, terminationLog))
}

const terminationLog = "termination.json"

// lay makes the working directory.
func (r *Runner) lay(s launcher.Spec) (string, error) {
	dir, err := os.MkdirTemp(r.work, s.Request.ID+"-")
	if err != nil {
		return "", fmt.Errorf("making working directory: %w", err)
	}
	params, err := json.Marshal(s.Arguments)
	if err != nil {
		return dir, fmt.Errorf("writing parameters: %w", err)
	}
	for name, data := range map[string][]byte{"main.py": []byte(s.Job.Code), "params.json": params} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return dir, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return dir, nil
}

func (r *Runner) command(python, dir string, s launcher.Spec) *exec.Cmd {
	cmd := exec.Command(python, "-m", "stalker_sdk.run", "main.py") //nolint:gosec,noctx // the operator names the interpreter; wait stops the whole group, which CommandContext can't
	cmd.Dir = dir
	cmd.Env = r.environment(dir, s)
	// Setpgid: the whole group is stopped. Pdeathsig: the process dies with us, even
	// when we are killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 2 * time.Second // a child that keeps our pipes open does not hold us up
	return cmd
}

// maxEnv is the longest value passed in the environment; the kernel's own limit is
// 128 KiB for one string. Longer ones are in the parameter file only.
const maxEnv = 64 << 10

func (r *Runner) environment(dir string, s launcher.Spec) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8",
		"PYTHONPATH=" + r.sdk, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8:replace",
		"STALKER_GATEWAY=" + r.deps.Gateway, "STALKER_TOKEN=" + s.Token,
		"STALKER_EXECUTION=" + s.Request.ID, "STALKER_PROJECT=" + s.Request.ProjectID,
		"STALKER_RESOLVERS=" + strings.Join(s.Project.Resolvers, ","),
		"STALKER_PARAMS_FILE=" + filepath.Join(dir, "params.json"),
		"STALKER_TERMINATION_LOG=" + filepath.Join(dir, terminationLog),
	}
	for name, raw := range s.Arguments {
		value := string(raw)
		var text string
		if json.Unmarshal(raw, &text) == nil {
			value = text
		}
		if len(value) <= maxEnv && !strings.ContainsRune(value, 0) {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// wait starts the process and returns when it, and what is left of its group, is
// gone. The goroutine stays on its thread: Pdeathsig is sent when the thread that
// started the process ends, not when we do.
func (r *Runner) wait(ctx context.Context, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	group := -cmd.Process.Pid
	r.limit(cmd.Process.Pid)
	gone := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-gone:
			return
		case <-ctx.Done():
		}
		_ = syscall.Kill(group, syscall.SIGTERM) // gone already: fine
		select {
		case <-gone:
		case <-time.After(r.cfg.Grace):
		}
		_ = syscall.Kill(group, syscall.SIGKILL)
	}()
	err := cmd.Wait()
	close(gone)
	<-stopped
	_ = syscall.Kill(group, syscall.SIGKILL) // children it left behind
	return err
}

// limit bounds the process right after it started, before it has done more than
// load its interpreter. Limits are inherited by what it starts.
func (r *Runner) limit(pid int) {
	set := func(what int, n uint64) {
		if n == 0 && what != unix.RLIMIT_CORE {
			return
		}
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: n, Max: n}, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			r.log.Warn("limit could not be set", "limit", what, "value", n, "err", err)
		}
	}
	set(unix.RLIMIT_CORE, 0)
	set(unix.RLIMIT_AS, r.cfg.Memory)
	set(unix.RLIMIT_FSIZE, r.cfg.FileSize)
}

// result says how it ended. The order matters: who stopped it comes before what
// the process made of that.
func (r *Runner) result(ctx, timed context.Context, s launcher.Spec, cmd *exec.Cmd, err error, report string) launcher.Result {
	var exit *exec.ExitError
	if cmd.ProcessState == nil {
		return launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonStart, Detail: err.Error()}
	}
	code := cmd.ProcessState.ExitCode()
	failed := launcher.Result{State: pipeline.StateFailed, ExitCode: &code}
	switch {
	case ctx.Err() != nil && err != nil:
		return launcher.Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
	case timed.Err() != nil && err != nil:
		return launcher.Result{State: pipeline.StateTimedOut, Reason: pipeline.ReasonDeadline, Detail: "it ran longer than " + s.Deadline.String()}
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && code == 0:
		return launcher.Result{State: pipeline.StateSucceeded, ExitCode: &code}
	case errors.As(err, &exit) && !exit.Exited():
		sig := exit.Sys().(syscall.WaitStatus).Signal()
		failed.ExitCode, failed.Reason, failed.Detail = nil, pipeline.ReasonSignal, "killed by "+unix.SignalName(sig)
		return failed
	}
	if said, ok := reported(report); ok {
		failed.Reason, failed.Detail = pipeline.ReasonReported, said
		return failed
	}
	failed.Reason, failed.Detail = pipeline.ReasonExitCode, fmt.Sprintf("exit code %d", code)
	return failed
}

// reported reads what a job said of its own failure.
func reported(file string) (string, bool) {
	f, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer f.Close()
	var said struct{ Status, Message string }
	buf := make([]byte, 16<<10)
	n, _ := f.Read(buf)
	if json.Unmarshal(buf[:n], &said) != nil || said.Status != "failed" {
		return "", false
	}
	return said.Message, true
}
