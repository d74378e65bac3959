package cooldown_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/cooldown"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestDecide(t *testing.T) {
	for _, tc := range []struct {
		name string
		last time.Time
		wait time.Duration
		want cooldown.Reason
	}{
		{"never fired", time.Time{}, time.Hour, cooldown.Fresh},
		{"never fired, no cooldown", time.Time{}, 0, cooldown.Fresh},
		{"no cooldown", t0, 0, cooldown.None},
		{"too early", t0.Add(-time.Hour + time.Millisecond), time.Hour, cooldown.Cooling},
		{"to the millisecond", t0.Add(-time.Hour), time.Hour, cooldown.Elapsed},
		{"fired in the future: clocks differ", t0.Add(time.Second), time.Hour, cooldown.Cooling},
	} {
		if got := cooldown.Decide(tc.last, t0, tc.wait); got != tc.want || got.Fires() != (tc.want != cooldown.Cooling) {
			t.Errorf("%s: Decide() = %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	if cooldown.Key("s", "a", "bc") == cooldown.Key("s", "ab", "c") || cooldown.Key("s", "a", "") == cooldown.Key("t", "a", "") {
		t.Error("two triggers share a key")
	}
}

func TestABatchCountsForItselfAndIsForgottenWhenAborted(t *testing.T) {
	s := cooldown.NewStore()
	s.Spend("k", cooldown.Entry{At: t0, Until: t0.Add(time.Hour)})
	if s.Last("k") != t0 {
		t.Error("a trigger spent in a batch is not seen by the same batch")
	}
	s.Rollback()
	if !s.Last("k").IsZero() {
		t.Error("a trigger of an aborted batch is still spent")
	}
	s.Spend("k", cooldown.Entry{At: t0, Until: t0.Add(time.Hour)})
	s.Commit()
	s.Rollback()
	if s.Last("k") != t0 {
		t.Error("a committed trigger is gone")
	}
}

func TestExpiredTriggersAreFoundAndForgotten(t *testing.T) {
	s := cooldown.NewStore()
	for k, d := range map[string]time.Duration{"a": time.Minute, "b": time.Hour, "c": 2 * time.Minute} {
		s.Restore(k, cooldown.Entry{At: t0, Until: t0.Add(d)})
	}
	s.Restore("d", cooldown.Entry{At: t0, Until: t0})
	s.Restore("d", cooldown.Entry{})
	if got := s.Expired(t0.Add(30*time.Second), 10); got != nil {
		t.Errorf("too early: %v", got)
	}
	if got := s.Expired(t0.Add(time.Minute), 10); cmp.Diff(got, []string{"a"}) != "" {
		t.Errorf("Expired() = %v, want a", got)
	} else {
		s.Forget(got)
	}
	if got := s.Expired(t0.Add(24*time.Hour), 1); len(got) != 1 {
		t.Errorf("Expired() = %v, want one: the limit", got)
	}
	if s.Len() != 2 {
		t.Errorf("%d left", s.Len())
	}
}
