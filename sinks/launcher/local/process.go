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
	"sync"
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
			Detail: fmt.Sprintf("%s is not installed here: install Python 3.11 or newer, or set local.python", r.cfg.Python),
		}
	}
	dir, err := r.lay(s)
	if dir != "" {
		defer r.clear(dir)
	}
	if err != nil {
		return launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonStart, Detail: err.Error()}
	}
	timed, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	cmd := r.command(python, dir, s)
	stdout, stderr := newLines(pipeline.StreamStdout, out), newLines(pipeline.StreamStderr, out)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = r.wait(timed, cmd, dir, s.Started)
	stdout.flush()
	stderr.flush()
	return end{
		err: err, state: cmd.ProcessState, stopped: ctx.Err() != nil, late: timed.Err() != nil,
		deadline: s.Deadline, report: reported(filepath.Join(dir, terminationLog)), lastWords: stderr.lastWords(),
	}.result()
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
	files := map[string][]byte{codeFile(&s.Job): []byte(s.Job.Code), "params.json": params}
	if s.Job.Handler != "" {
		files[handlerFile] = []byte(s.Job.Handler)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return dir, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return dir, nil
}

const handlerFile = "handler.py"

func codeFile(j *pipeline.Job) string {
	if j.Type == pipeline.JobNuclei {
		return "template.yaml"
	}
	return "main.py"
}

func (r *Runner) command(python, dir string, s launcher.Spec) *exec.Cmd {
	module := "stalker_sdk.run"
	if s.Job.Type == pipeline.JobNuclei {
		module = "stalker_sdk.nuclei"
	}
	cmd := exec.Command(python, "-m", module, codeFile(&s.Job)) //nolint:noctx,gosec // the operator names the interpreter, and the rest is fixed; wait stops the whole group, which CommandContext can't
	cmd.Dir = dir
	cmd.Env = r.environment(dir, s)
	// Setpgid: the whole group is stopped. Pdeathsig: the process dies with us, even
	// when we are killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 2 * time.Second // a child that keeps our pipes open does not hold us up
	return cmd
}

func (r *Runner) environment(dir string, s launcher.Spec) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8",
		"PYTHONPATH=" + r.sdk, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8:replace",
		"STALKER_GATEWAY=" + r.deps.Gateway, "STALKER_TOKEN=" + s.Token,
		"STALKER_EXECUTION=" + s.Request.ID, "STALKER_PROJECT=" + s.Request.ProjectID,
		"STALKER_RESOLVERS=" + strings.Join(s.Project.Resolvers, ","),
		"STALKER_PARAMS_FILE=" + filepath.Join(dir, "params.json"),
		"STALKER_SECRET_PARAMS=" + strings.Join(s.Secret, ","),
		"STALKER_TERMINATION_LOG=" + filepath.Join(dir, terminationLog),
	}
	if s.Trace != "" {
		env = append(env, "TRACEPARENT="+s.Trace)
	}
	if s.Job.Handler != "" {
		env = append(env, "STALKER_NUCLEI_HANDLER="+filepath.Join(dir, handlerFile))
	}
	for name, raw := range s.Arguments {
		if value, short := launcher.EnvValue(raw); short {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// wait starts the process and returns when it, and everything it left behind, is
// gone. The goroutine stays on its thread: Pdeathsig is sent when the thread that
// started the process ends, not when we do.
func (r *Runner) wait(ctx context.Context, cmd *exec.Cmd, dir string, started func(time.Time)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	pid := cmd.Process.Pid
	started(time.Now())
	r.limit(pid)
	gone := make(chan struct{})
	var stopping sync.WaitGroup
	stopping.Go(func() { r.stopWhenOver(ctx, -pid, gone) })
	awaitExit(pid)
	close(gone)
	stopping.Wait()
	// The process is dead and not yet reaped, so its number, and its group's, cannot
	// belong to anyone else.
	_ = syscall.Kill(-pid, syscall.SIGKILL) // nobody left: fine
	killStrays(dir)
	return cmd.Wait()
}

// stopWhenOver ends the group when ctx ends before the process does.
func (r *Runner) stopWhenOver(ctx context.Context, group int, gone <-chan struct{}) {
	select {
	case <-gone:
		return
	case <-ctx.Done():
	}
	_ = syscall.Kill(group, syscall.SIGTERM) // gone already: fine
	select {
	case <-gone:
	case <-time.After(r.cfg.Grace):
		_ = syscall.Kill(group, syscall.SIGKILL)
	}
}

// awaitExit blocks until the process has exited, and leaves it to be reaped.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return // an error means there is nothing to wait for
		}
	}
}

// limit bounds the process right after it started: prlimit(2) needs neither a
// wrapper program nor code between fork and exec, and comes long before the
// interpreter has read the job. Limits are inherited by what it starts.
func (r *Runner) limit(pid int) {
	set := func(what int, n uint64) {
		if n == 0 && what != unix.RLIMIT_CORE {
			return
		}
		var now unix.Rlimit
		if err := unix.Prlimit(pid, what, nil, &now); err == nil {
			n = min(n, now.Max) // only root may raise it
		}
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: n, Max: n}, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			r.log.Warn("limit could not be set", "limit", what, "value", n, "err", err)
		}
	}
	set(unix.RLIMIT_CORE, 0)
	set(unix.RLIMIT_AS, r.cfg.Memory)
	set(unix.RLIMIT_FSIZE, r.cfg.FileSize)
	set(unix.RLIMIT_NOFILE, r.cfg.OpenFiles)
}
