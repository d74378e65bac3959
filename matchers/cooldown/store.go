package cooldown

import (
	"slices"
	"time"
)

// Entry says when a trigger fired, until when that matters, and what spent it: 0 where
// that is not kept.
type Entry struct {
	At    time.Time
	Until time.Time
	By    uint64
}

// Store remembers the triggers of one partition. What a batch spends or expires lies
// on top until Commit or Rollback. It is used from one goroutine.
type Store struct {
	entries map[string]span
	overlay map[string]span // of the batch in hand; a zero span forgets the trigger
	ends    map[int64][]string
	hours   []int64 // the keys of ends, ascending
}

// span is an Entry in milliseconds since 1970.
type span struct {
	at, until int64
	by        uint64
}

func spanOf(e Entry) span { return span{e.At.UnixMilli(), e.Until.UnixMilli(), e.By} }

const hour = int64(time.Hour / time.Millisecond)

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{entries: map[string]span{}, overlay: map[string]span{}, ends: map[int64][]string{}}
}

// SpentBy reports whether it was this that spent the trigger last.
func (s *Store) SpentBy(key string, by uint64) bool {
	e := s.span(key)
	return e != (span{}) && e.by == by
}

func (s *Store) span(key string) span {
	if e, ok := s.overlay[key]; ok {
		return e
	}
	return s.entries[key]
}

// Last returns when the trigger fired, zero if it never did.
func (s *Store) Last(key string) time.Time {
	e := s.span(key)
	if e == (span{}) {
		return time.Time{}
	}
	return time.UnixMilli(e.at).UTC()
}

// Spend notes that the trigger fires in the batch in hand.
func (s *Store) Spend(key string, e Entry) {
	s.overlay[key] = spanOf(e)
}

// Restore applies an entry of the changelog; a zero one forgets the trigger.
func (s *Store) Restore(key string, e Entry) {
	if e.At.IsZero() {
		delete(s.entries, key)
		return
	}
	s.put(key, spanOf(e))
}

func (s *Store) put(key string, e span) {
	s.entries[key] = e
	s.note(key, e)
}

// note files the key under the hour its entry ends in. A key that fired again
// stands under the old hour too, where Expire passes it over.
func (s *Store) note(key string, e span) {
	h := e.until / hour
	if _, ok := s.ends[h]; !ok {
		i, _ := slices.BinarySearch(s.hours, h)
		s.hours = slices.Insert(s.hours, i, h)
	}
	s.ends[h] = append(s.ends[h], key)
}

// Commit makes the batch's changes permanent.
func (s *Store) Commit() {
	for k, e := range s.overlay {
		if e == (span{}) {
			delete(s.entries, k)
		} else {
			s.put(k, e)
		}
	}
	clear(s.overlay)
}

// Rollback forgets them.
func (s *Store) Rollback() {
	for k := range s.overlay {
		if e, ok := s.entries[k]; ok {
			s.note(k, e) // Expire may have taken it out
		}
	}
	clear(s.overlay)
}

// Expire forgets triggers that no longer matter, at most limit and the oldest first,
// and returns their keys, so that memory and changelog stay bounded. Its cost is
// that of the keys it looks at.
func (s *Store) Expire(now time.Time, limit int) (keys []string) {
	at := now.UnixMilli()
	for len(s.hours) > 0 && (s.hours[0]+1)*hour <= at {
		h := s.hours[0]
		for list := s.ends[h]; len(list) > 0; list = s.ends[h] {
			if len(keys) == limit {
				return keys
			}
			k := list[len(list)-1]
			s.ends[h] = list[:len(list)-1]
			e, known := s.entries[k]
			_, changed := s.overlay[k]
			if known && !changed && e.until <= at {
				s.overlay[k] = span{}
				keys = append(keys, k)
			}
		}
		delete(s.ends, h)
		s.hours = s.hours[1:]
	}
	return keys
}

// Pending is how many triggers the batch in hand changes.
func (s *Store) Pending() int { return len(s.overlay) }

// Len is how many triggers are remembered.
func (s *Store) Len() int { return len(s.entries) }
