package cooldown_test

import (
	"math/rand/v2"
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

func TestExpiredTriggersAreForgottenOnceWhenCommitted(t *testing.T) {
	s := cooldown.NewStore()
	for k, d := range map[string]time.Duration{"a": time.Minute, "b": 3 * time.Hour, "c": 2 * time.Hour} {
		s.Restore(k, cooldown.Entry{At: t0, Until: t0.Add(d)})
	}
	s.Restore("d", cooldown.Entry{At: t0, Until: t0})
	s.Restore("d", cooldown.Entry{})
	if got := s.Expire(t0.Add(30*time.Second), 10); got != nil {
		t.Errorf("too early: %v", got)
	}
	later := t0.Add(time.Hour)
	for range 2 { // aborted, then seen again
		if got := s.Expire(later, 10); cmp.Diff(got, []string{"a"}) != "" || s.Expire(later, 10) != nil {
			t.Errorf("Expire() = %v, want a, once", got)
		}
		if !s.Last("a").IsZero() {
			t.Error("an expired trigger is still there")
		}
		s.Rollback()
	}
	if s.Last("a") != t0 || s.Len() != 3 {
		t.Error("an aborted expiry lost a trigger")
	}
	if got := s.Expire(t0.Add(24*time.Hour), 2); cmp.Diff(got, []string{"a", "c"}) != "" {
		t.Errorf("Expire() = %v, want the two that ended first", got)
	}
	s.Commit()
	if got := s.Expire(t0.Add(24*time.Hour), 2); cmp.Diff(got, []string{"b"}) != "" {
		t.Errorf("Expire() = %v, want what was left", got)
	}
	s.Commit()
	if s.Len() != 0 {
		t.Errorf("%d left", s.Len())
	}
}

func TestATriggerThatFiresAgainLivesOn(t *testing.T) {
	s := cooldown.NewStore()
	s.Restore("k", cooldown.Entry{At: t0, Until: t0.Add(time.Minute)})
	now := t0.Add(2 * time.Hour)
	s.Spend("k", cooldown.Entry{At: now, Until: now.Add(time.Hour)})
	if got := s.Expire(now, 10); got != nil {
		t.Errorf("Expire() = %v while the batch spends it", got)
	}
	s.Rollback()
	if got := s.Expire(now, 10); len(got) != 1 {
		t.Errorf("Expire() = %v, want the old entry after the rollback", got)
	}
	s.Rollback()
	s.Spend("k", cooldown.Entry{At: now, Until: now.Add(time.Hour)})
	s.Commit()
	if got := s.Expire(now.Add(time.Minute), 10); got != nil || s.Last("k") != now {
		t.Errorf("Expire() = %v, last %v", got, s.Last("k"))
	}
	if got := s.Expire(now.Add(3*time.Hour), 10); len(got) != 1 {
		t.Errorf("Expire() = %v in the end", got)
	}
}

// A store is compared with the simplest thing that could be right.
func TestStoreAgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s, model, batch := cooldown.NewStore(), map[string]cooldown.Entry{}, map[string]*cooldown.Entry{}
	now := t0
	for step := range 20_000 {
		k := string(rune('a' + rng.IntN(20)))
		switch rng.IntN(6) {
		case 0, 1:
			e := cooldown.Entry{At: now, Until: now.Add(time.Duration(rng.IntN(300)) * time.Minute)}
			s.Spend(k, e)
			batch[k] = &e
		case 2:
			for _, gone := range s.Expire(now, 3) {
				if e := model[gone]; e.At.IsZero() || now.Before(e.Until) || batch[gone] != nil {
					t.Fatalf("step %d: %s expired, the model has %+v", step, gone, e)
				}
				batch[gone] = nil
			}
		case 3:
			for k, e := range batch {
				if delete(model, k); e != nil {
					model[k] = *e
				}
			}
			s.Commit()
			clear(batch)
		case 4:
			s.Rollback()
			clear(batch)
		default:
			now = now.Add(time.Duration(rng.IntN(20)) * time.Minute)
		}
		want := model[k].At
		if e, ok := batch[k]; ok {
			if want = (time.Time{}); e != nil {
				want = e.At
			}
		}
		if got := s.Last(k); !got.Equal(want) {
			t.Fatalf("step %d: Last(%s) = %v, want %v", step, k, got, want)
		}
	}
	s.Rollback()
	for s.Expire(now.Add(1000*time.Hour), 7) != nil {
	}
	if s.Commit(); s.Len() != 0 {
		t.Errorf("%d triggers never expire", s.Len())
	}
}
