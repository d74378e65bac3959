package control

import (
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
)

// Times is when the time of a subscription comes.
type Times struct {
	Zone string      // whose times its schedule speaks of
	Next time.Time   // the first of all; zero when there is none, or none is known
	At   []time.Time // those of a while
	More bool        // there are more than were wanted
}

// ScheduledTimes lists when the time of a subscription with this document comes: after
// one time and not after another, at most so many. Whether it is enabled is not asked.
// A document that has no schedule, or is wrong, has no times.
func ScheduledTimes(document string, from, to time.Time, most int) (t Times) {
	d, err := rule.Parse([]byte(document))
	if err != nil || d.Schedule == "" {
		return t
	}
	if t.Zone = d.TimeZone; t.Zone == "" {
		t.Zone = "UTC"
	}
	s, err := rule.ParseSchedule(d.Schedule, d.TimeZone)
	if err != nil {
		return t
	}
	t.Next = s.Next(from)
	for at := t.Next; !at.IsZero() && !at.After(to); at = s.Next(at) {
		if len(t.At) == most {
			t.More = true
			break
		}
		t.At = append(t.At, at)
	}
	return t
}
