package launcher_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// TestAJobThatSaidItFailedHasFailed whatever its process made of that, unless
// somebody else ended the process.
func TestAJobThatSaidItFailedHasFailed(t *testing.T) {
	one := 1
	for name, tc := range map[string]struct {
		process launcher.Result
		attempt int // that the report is about
		unheard error
		want    string
	}{
		"exit code 0":     {launcher.Result{State: pipeline.StateSucceeded, ExitCode: new(int)}, 1, nil, "failed reported #1"},
		"exit code 1":     {launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, ExitCode: &one}, 1, nil, "failed reported #1"},
		"a signal":        {launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonSignal}, 1, nil, "failed reported #1"},
		"too late":        {launcher.Result{State: pipeline.StateTimedOut, Reason: pipeline.ReasonDeadline}, 1, nil, "timed_out deadline #1"},
		"out of memory":   {launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonOutOfMemory}, 1, nil, "failed out_of_memory #1"},
		"another attempt": {launcher.Result{State: pipeline.StateSucceeded}, 2, nil, "succeeded #1"},
		"no answer":       {launcher.Result{State: pipeline.StateSucceeded}, 1, errors.New("no broker"), "succeeded #1"},
	} {
		t.Run(name, func(t *testing.T) {
			var p journal
			var l *launcher.Launcher
			said := stopRecord(t, pipeline.StopRequest{Report: &pipeline.Report{ExecutionID: "a", Attempt: tc.attempt, Detail: "the job said so", At: time.Now()}})
			r := &fakeRunner{run: func(context.Context, launcher.Spec, func(pipeline.Stream, string)) launcher.Result { return tc.process }}
			l = aloneHearing(t, r, &p, func(context.Context) error { // it comes when it is waited for, not before
				if tc.unheard == nil {
					return l.Stop(said)
				}
				return tc.unheard
			})
			bustest.Run(t, "launcher", l.Run)
			done := take(t, l, "a", 0)
			bustest.Eventually(t, "the end", func() bool { return done.Load() == 1 })
			if d := cmp.Diff(p.story(t), []string{"starting #1", "running #1", tc.want}); d != "" {
				t.Errorf("story (-got +want):\n%s", d)
			}
		})
	}
}

// TestAReportStopsNothing neither what it is about nor anything else.
func TestAReportStopsNothing(t *testing.T) {
	var p journal
	end := make(chan struct{})
	r := &fakeRunner{run: func(ctx context.Context, _ launcher.Spec, _ func(pipeline.Stream, string)) launcher.Result {
		select {
		case <-ctx.Done():
			return launcher.Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
		case <-end:
			return launcher.Result{State: pipeline.StateSucceeded}
		}
	}}
	l := aloneHearing(t, r, &p, func(context.Context) error { return nil })
	bustest.Run(t, "launcher", l.Run)
	a, b := take(t, l, "a", 0), take(t, l, "b", 0)
	bustest.Eventually(t, "both run", func() bool { return len(p.story(t)) == 4 })
	if err := l.Stop(stopRecord(t, pipeline.StopRequest{Report: &pipeline.Report{ExecutionID: "a", Attempt: 1, At: time.Now()}})); err != nil {
		t.Fatal(err)
	}
	close(end)
	bustest.Eventually(t, "both ends", func() bool { return a.Load() == 1 && b.Load() == 1 })
	got := map[string]int{}
	for _, s := range p.story(t)[4:] {
		got[s]++
	}
	if d := cmp.Diff(got, map[string]int{"failed reported #1": 1, "succeeded #1": 1}); d != "" {
		t.Errorf("ends (-got +want):\n%s", d)
	}
}
