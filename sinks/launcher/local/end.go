package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// end is what is known when a process is gone.
type end struct {
	err       error // of starting or waiting
	state     *os.ProcessState
	stopped   bool // we were asked to stop it
	late      bool // its deadline had passed
	deadline  time.Duration
	report    *string // what the job said of its own failure
	lastWords string  // last line it wrote to stderr
}

// result says how it ended. The order matters: who stopped it comes before what
// the process made of that.
func (e end) result() launcher.Result {
	if e.state == nil {
		return launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonStart, Detail: e.err.Error()}
	}
	code := e.state.ExitCode()
	succeeded := e.err == nil || errors.Is(e.err, exec.ErrWaitDelay) && code == 0
	failed := launcher.Result{State: pipeline.StateFailed, ExitCode: &code}
	status, _ := e.state.Sys().(syscall.WaitStatus)
	switch {
	case succeeded && e.report == nil:
		return launcher.Result{State: pipeline.StateSucceeded, ExitCode: &code}
	case e.stopped && !succeeded:
		return launcher.Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
	case e.late && !succeeded:
		return launcher.Result{State: pipeline.StateTimedOut, Reason: pipeline.ReasonDeadline, Detail: "it ran longer than " + e.deadline.String()}
	case e.report != nil:
		failed.Reason, failed.Detail = pipeline.ReasonReported, *e.report
	case status.Signaled():
		failed.ExitCode, failed.Reason, failed.Detail = nil, pipeline.ReasonSignal, killedBy(status.Signal())
	default:
		failed.Reason, failed.Detail = pipeline.ReasonExitCode, e.withLastWords(fmt.Sprintf("exit code %d", code))
	}
	return failed
}

func killedBy(sig syscall.Signal) string {
	text := "killed by " + unix.SignalName(sig)
	if sig == syscall.SIGKILL {
		text += ", not by the launcher: perhaps the machine ran out of memory"
	}
	return text
}

// withLastWords adds the last line of stderr, which is what a Python traceback
// ends with.
func (e end) withLastWords(s string) string {
	const most = 300
	words := strings.TrimSpace(e.lastWords)
	if words == "" {
		return s
	}
	return s + ": " + pipeline.Clip(words, most)
}

// reported reads what a job said of its own failure, nil when it said nothing. The
// file is the job's: it is not followed elsewhere and not waited for.
func reported(file string) *string {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil
	}
	var said struct{ Status, Message string }
	if json.Unmarshal(text, &said) != nil || said.Status != "failed" {
		return nil
	}
	return &said.Message
}
