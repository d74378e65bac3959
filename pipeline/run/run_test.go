package run_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline/run"
)

type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(s string) { j.mu.Lock(); defer j.mu.Unlock(); j.lines = append(j.lines, s) }

func (j *journal) component(name string) func(context.Context) error {
	return func(ctx context.Context) error { <-ctx.Done(); j.add("stop " + name); return nil }
}

func (j *journal) closer(name string) func() error {
	return func() error { j.add("close " + name); return nil }
}

func group(j *journal) *run.Group {
	g := run.New(slog.New(slog.DiscardHandler))
	g.Close("store", j.closer("store"))
	g.Add("consumer", time.Second, j.component("consumer"))
	g.Close("listener", j.closer("listener"))
	g.Add("http", time.Second, j.component("http"))
	return g
}

var reverse = []string{"stop http", "close listener", "stop consumer", "close store"}

func TestRunStopsInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if err := group(&j).Run(ctx); err != nil {
			t.Errorf("Run() = %v", err)
		}
		if d := cmp.Diff(j.lines, reverse); d != "" {
			t.Errorf("order (-got +want):\n%s", d)
		}
	})
}

func TestTheFirstFailureStopsEverything(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(context.Context) error
		want string
	}{
		{"error", func(context.Context) error { return errors.New("no disk") }, "odd: no disk"},
		{"panic", func(context.Context) error { panic("boom") }, "odd: panic: boom"},
		{"return", func(context.Context) error { return nil }, "odd ended by itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				g := group(&j)
				g.Add("odd", time.Second, tc.run)
				err := g.Run(t.Context())
				if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
					t.Errorf("Run() = %v, want %q", err, tc.want)
				}
				if d := cmp.Diff(j.lines, reverse); d != "" {
					t.Errorf("order (-got +want):\n%s", d)
				}
			})
		})
	}
}

func TestAStuckPartIsNamedAndLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		g := group(&j)
		release := make(chan struct{})
		g.Add("stuck", 5*time.Second, func(context.Context) error { <-release; return nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := g.Run(ctx)
		close(release)
		if err == nil || err.Error() != "stuck did not stop within 5s" {
			t.Errorf("Run() = %v", err)
		}
		if d := cmp.Diff(j.lines, reverse); d != "" {
			t.Errorf("order (-got +want):\n%s", d)
		}
	})
}

func TestUnwindClosesWhatAHalfFailedStartOpened(t *testing.T) {
	var j journal
	if err := group(&j).Unwind(); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(j.lines, []string{"close listener", "close store"}); d != "" {
		t.Errorf("order (-got +want):\n%s", d)
	}
}
