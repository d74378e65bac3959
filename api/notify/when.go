package notify

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// due decides whether somebody is told now what happened between two times.
func due(n *pipeline.Notification, since, until, now time.Time) bool {
	return until.After(since) && until.Sub(since) >= n.Digest && !quiet(n.Quiet, now)
}

// quiet decides whether nobody is to be told anything at a time.
func quiet(q *pipeline.Quiet, now time.Time) bool {
	if q == nil {
		return false
	}
	zone, err := time.LoadLocation(q.Zone)
	from, err2 := time.Parse("15:04", q.From)
	to, err3 := time.Parse("15:04", q.To)
	if err != nil || err2 != nil || err3 != nil {
		return false // checked when it was saved; rather tell too much
	}
	local := now.In(zone)
	at, begin, end := minutes(local), minutes(from), minutes(to)
	if begin < end {
		return begin <= at && at < end
	}
	return at >= begin || at < end
}

func minutes(t time.Time) int { return 60*t.Hour() + t.Minute() }

// pause is how long after the failure of an attempt the next is made.
func pause(attempt int) time.Duration {
	return min(10*time.Second<<min(attempt-1, 12), time.Hour)
}
