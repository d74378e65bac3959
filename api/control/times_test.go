package control_test

import (
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/control"
)

func TestScheduledTimesAreThoseTheSchedulerKeeps(t *testing.T) {
	const job = "\njob: {name: HttpProbingJob}\n"
	from := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 4)
	night := "name: n\ntriggerType: cron\ncronExpression: 30 2 * * *\ntimeZone: Europe/Paris" + job
	got := control.ScheduledTimes(night, from, to, 10)
	// on the 29th the clock jumps from 2:00 to 3:00, when it runs
	want := []string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"}
	if len(got.At) != len(want) || got.More || got.Zone != "Europe/Paris" || !got.Next.Equal(got.At[0]) {
		t.Fatalf("%+v", got)
	}
	for i, at := range got.At {
		if s := at.UTC().Format(time.RFC3339); s != want[i] {
			t.Errorf("%d: %s, want %s", i, s, want[i])
		}
	}
	if some := control.ScheduledTimes(night, from, to, 3); len(some.At) != 3 || !some.More {
		t.Errorf("at most three: %+v", some)
	}
	rare := control.ScheduledTimes("name: r\ntriggerType: cron\ncronExpression: '@yearly'"+job, from, to, 10)
	if len(rare.At) != 0 || rare.Next.UTC().Year() != 2027 || rare.Zone != "UTC" {
		t.Errorf("once a year: %+v", rare)
	}
	for name, document := range map[string]string{"by findings": "name: f\nfindings: [IpFinding]\ncooldown: 60" + job, "wrong": "name: ["} {
		if got := control.ScheduledTimes(document, from, to, 10); !got.Next.IsZero() || len(got.At) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
