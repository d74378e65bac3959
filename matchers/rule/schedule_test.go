package rule_test

import (
	"testing"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
)

// Whatever is accepted has a next time, which lies ahead and is a whole second.
func FuzzSchedule(f *testing.F) {
	for _, e := range []string{"0 3 * * *", "*/5 0 2 ? * MON-FRI", "30 2 29 2 *", "@every 90s", "@weekly", "0 0 1-7/2,9 jan ?", "99 * * * *", "* * 2 * * *"} {
		f.Add(e, "Europe/Berlin", int64(1774746000))
		f.Add(e, "", int64(0))
	}
	f.Add("0 2 * * *", "Australia/Lord_Howe", int64(1775314800))
	f.Add("0 12 * * *", "Pacific/Apia", int64(1325239200))
	f.Fuzz(func(t *testing.T, expression, zone string, at int64) {
		s, err := rule.ParseSchedule(expression, zone)
		if (s == nil) == (err == nil) {
			t.Fatalf("ParseSchedule(%q, %q) = %v, %v", expression, zone, s, err)
		}
		if s == nil {
			return
		}
		from := time.Unix(at%(1<<32), 0)
		for range 3 {
			next := s.Next(from)
			if next.IsZero() { // February 29 is up to eight years away, which is given up
				return
			}
			if !next.After(from) || next.Nanosecond() != 0 {
				t.Fatalf("%q in %q: after %s comes %s", expression, zone, from, next)
			}
			from = next
		}
	})
}
