// Package cooldown decides whether a subscription may fire again for the same key
// and discriminator. The decision is a pure function; the record of what fired is
// kept per partition of the findings topic, with the changes of a batch on top
// until its transaction is committed.
package cooldown

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Reason is the outcome of a decision.
type Reason string

// The reasons.
const (
	Fresh   Reason = "fresh"   // it never fired for this key
	Elapsed Reason = "elapsed" // it fired longer ago than the cooldown
	None    Reason = "none"    // the subscription has no cooldown
	Cooling Reason = "cooling" // it fired and must wait
)

// Fires reports whether the reason lets the subscription fire.
func (r Reason) Fires() bool { return r != Cooling }

// Decide judges from when it last fired (zero: never) and the cooldown.
func Decide(last, now time.Time, cooldown time.Duration) Reason {
	switch {
	case last.IsZero():
		return Fresh
	case cooldown <= 0:
		return None
	case now.Sub(last) >= cooldown:
		return Elapsed
	default:
		return Cooling
	}
}

// Key names a trigger: what fired, for which resource, and for which part of it.
func Key(subscriptionID, correlationKey, discriminator string) string {
	return subscriptionID + "/" + pipeline.DeriveID(correlationKey, discriminator)
}

// Entry says when a trigger fired and until when that matters.
type Entry struct {
	At    time.Time
	Until time.Time
}

// Store remembers the triggers of one partition. It is used from one goroutine.
type Store struct {
	entries map[string]Entry
	overlay map[string]Entry // of the batch in hand
	oldest  time.Time        // no entry ends before this
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{entries: map[string]Entry{}, overlay: map[string]Entry{}} }

// Last returns when the trigger fired, zero if it never did.
func (s *Store) Last(key string) time.Time {
	if e, ok := s.overlay[key]; ok {
		return e.At
	}
	return s.entries[key].At
}

// Spend notes that the trigger fires in the batch in hand.
func (s *Store) Spend(key string, e Entry) { s.overlay[key] = e }

// Restore applies an entry of the changelog; a zero one forgets the trigger.
func (s *Store) Restore(key string, e Entry) {
	if e.At.IsZero() {
		delete(s.entries, key)
		return
	}
	s.put(key, e)
}

func (s *Store) put(key string, e Entry) {
	s.entries[key] = e
	if s.oldest.IsZero() || e.Until.Before(s.oldest) {
		s.oldest = e.Until
	}
}

// Commit makes the batch's triggers permanent.
func (s *Store) Commit() {
	for k, e := range s.overlay {
		s.put(k, e)
	}
	clear(s.overlay)
}

// Rollback forgets them.
func (s *Store) Rollback() { clear(s.overlay) }

// Expired returns at most limit triggers that no longer matter, so that memory and
// changelog stay bounded. They stay until Forget.
func (s *Store) Expired(now time.Time, limit int) []string {
	if len(s.entries) == 0 || now.Before(s.oldest) {
		return nil
	}
	var keys []string
	next := now.Add(time.Hour)
	for k, e := range s.entries {
		if now.Before(e.Until) {
			if e.Until.Before(next) {
				next = e.Until
			}
			continue
		}
		if keys = append(keys, k); len(keys) == limit {
			return keys
		}
	}
	s.oldest = next
	return keys
}

// Forget drops triggers.
func (s *Store) Forget(keys []string) {
	for _, k := range keys {
		delete(s.entries, k)
	}
}

// Len is how many triggers are remembered.
func (s *Store) Len() int { return len(s.entries) }
