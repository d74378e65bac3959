package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

func cron(id, expression, more string) pipeline.Subscription {
	return sub(id, fmt.Sprintf("name: n\ntriggerType: cron\ncronExpression: %q\n%sjob: {name: J, parameters: [{name: d, value: 1}]}\n", expression, more))
}

// Every form of expression starts its jobs at the times of its zone, also on the days
// on which the clock there jumps.
func TestTicksComeAtTheTimesOfTheirZone(t *testing.T) {
	for _, tc := range []struct {
		expression, zone, from string
		d, step                time.Duration
		want                   []string
	}{
		{"0 9 * * *", "America/New_York", "2026-01-10T00:00:00Z", 48 * time.Hour, time.Minute, []string{"10T14:00:00", "11T14:00:00"}},
		{"0 9 * * *", "Asia/Kolkata", "2026-01-10T00:00:00Z", 24 * time.Hour, time.Minute, []string{"10T03:30:00"}},
		{"0 9 * * *", "", "2026-01-10T00:00:00Z", 24 * time.Hour, time.Minute, []string{"10T09:00:00"}},
		// in Berlin, March 29 has no 02:30, October 25 has two
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 72 * time.Hour, time.Minute, []string{"28T01:30:00", "29T01:00:00", "30T00:30:00"}},
		{"0 3 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 48 * time.Hour, time.Minute, []string{"28T02:00:00", "29T01:00:00"}},
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 72 * time.Hour, time.Minute, []string{"24T00:30:00", "25T00:30:00", "26T01:30:00"}},
		{"0 1-4 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", 8 * time.Hour, time.Minute, []string{"24T23:00:00", "25T00:00:00", "25T02:00:00", "25T03:00:00"}},
		{"30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4 * time.Hour, time.Minute, []string{"24T23:30:00", "25T00:30:00", "25T01:30:00", "25T02:30:00"}},
		{"30 * * * *", "Europe/Berlin", "2026-03-28T23:45:00Z", 3 * time.Hour, time.Minute, []string{"29T00:30:00", "29T01:30:00", "29T02:30:00"}},
		// six fields, ?, names, descriptors
		{"*/20 * * * * ?", "", "2026-01-10T00:00:01Z", time.Minute, time.Second, []string{"10T00:00:20", "10T00:00:40", "10T00:01:00"}},
		{"30 15 10 ? * SAT", "Asia/Tokyo", "2026-01-08T00:00:00Z", 72 * time.Hour, 10 * time.Second, []string{"10T01:15:30"}},
		{"0 0 ? JAN MON", "", "2026-01-10T00:00:00Z", 72 * time.Hour, time.Minute, []string{"12T00:00:00"}},
		{"@daily", "Pacific/Auckland", "2026-01-10T00:00:00Z", 24 * time.Hour, time.Minute, []string{"10T11:00:00"}},
		{"@hourly", "", "2026-01-10T00:30:00Z", 2 * time.Hour, time.Minute, []string{"10T01:00:00", "10T02:00:00"}},
		{"@every 6h", "Asia/Tokyo", "2026-01-10T01:00:00Z", 24 * time.Hour, time.Minute, []string{"10T06:00:00", "10T12:00:00", "10T18:00:00", "11T00:00:00"}},
	} {
		t.Run(tc.expression+" "+tc.zone+" "+tc.from, func(t *testing.T) {
			more := ""
			if tc.zone != "" {
				more = "timeZone: " + tc.zone + "\n"
			}
			l := newLine(t, tc.from, cron("s", tc.expression, more))
			got := l.starts()
			l.lead().pass(tc.d, tc.step)
			if d := cmp.Diff(*got, tc.want); d != "" {
				t.Errorf("starts (-got +want):\n%s", d)
			}
		})
	}
}

// Of the ticks nobody was there for, one is made up for, or none; who is only a
// little late misses nothing.
func TestTicksAfterAnAbsence(t *testing.T) {
	for _, tc := range []struct {
		name, missed string
		away         time.Duration
		want         []string
		skipped      int
	}{
		{"once makes up for three days by one run", "", 3*24*time.Hour + 10*time.Minute, []string{"13T00:10:00", "13T01:00:00"}, 0},
		{"skip makes up for nothing", "missed: skip\n", 3*24*time.Hour + 10*time.Minute, []string{"13T01:00:00"}, 1},
		{"half a minute late is not missed", "missed: skip\n", time.Hour + 30*time.Second, []string{"10T01:00:30", "10T02:00:30"}, 0},
		{"over a minute late is", "missed: skip\n", time.Hour + 90*time.Second, []string{"10T02:00:30"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "0 * * * *", tc.missed))
			got := l.starts()
			l.now = l.now.Add(tc.away)
			r := l.lead()
			r.beat()
			r.drain()
			r.pass(time.Hour, time.Minute)
			if d := cmp.Diff(*got, tc.want); d != "" {
				t.Errorf("starts (-got +want):\n%s", d)
			}
			if n := r.outcomes()["missed"]; n != tc.skipped {
				t.Errorf("%d ticks were missed, want %d", n, tc.skipped)
			}
		})
	}
}

// What was just written or switched on does not look back.
func TestANewSubscriptionDoesNotLookBack(t *testing.T) {
	l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", ""))
	got := l.starts()
	off := l.catalog.subs[0]
	off.Enabled = false
	l.catalog.set(off)
	r := l.lead()
	r.pass(3*time.Hour+30*time.Minute, 10*time.Minute)
	off.Enabled, off.UpdatedAt, off.Version = true, l.now, 2
	l.catalog.set(off)
	r.pass(time.Hour, 10*time.Minute)
	if d := cmp.Diff(*got, []string{"10T04:00:00"}); d != "" {
		t.Errorf("starts (-got +want):\n%s", d)
	}
}

// A tick is passed over while jobs of the last one run, or its resources are still
// walked through, unless the subscription allows that.
func TestOverlap(t *testing.T) {
	for _, tc := range []struct {
		more string
		want map[string]int
	}{
		{"", map[string]int{"started": 2, "overlapping": 2}},
		{"overlap: true\n", map[string]int{"started": 4}},
	} {
		s := &stock{inventory: inventory{7}}
		l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", tc.more))
		l.starts()
		l.stock = s
		r := l.lead()
		r.pass(time.Hour, time.Hour)
		s.open.Store(1)
		r.pass(2*time.Hour, time.Hour)
		s.open.Store(0)
		r.pass(time.Hour, time.Hour)
		if d := cmp.Diff(r.outcomes(), tc.want); d != "" {
			t.Errorf("%q: outcomes (-got +want):\n%s", tc.more, d)
		}
	}
}

func TestATickIsPassedOverWhileTheLastOneWalks(t *testing.T) {
	l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", "input: ALL_DOMAINS\n"))
	l.page = 3 // of ten resources
	got := l.starts()
	r := l.lead()
	l.now = l.now.Add(time.Hour)
	r.beat()
	for range 2 { // the tick, then its first page
		commit, _ := r.handle(1)
		commit()
	}
	l.now = l.now.Add(time.Hour)
	r.beat()
	r.drain()
	if n := r.outcomes()["overlapping"]; n != 1 || len(*got) != 7 {
		t.Errorf("%d ticks passed over and %d jobs, want 1 and 7: %v", n, len(*got), *got)
	}
	r.pass(time.Hour, time.Hour)
	if len(*got) != 14 {
		t.Errorf("%d jobs after the next tick, want 14", len(*got))
	}
}

// While the store does not answer, neither a tick nor a page of it is lost.
func TestTheStoreMayBeAwayForAWhile(t *testing.T) {
	s := &stock{inventory: inventory{7}}
	l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", "input: ALL_DOMAINS\n"))
	l.page, l.stock = 3, s
	got := l.starts()
	r := l.lead()
	s.down.Store(1)
	r.pass(time.Hour, time.Hour)
	l.now = l.now.Add(time.Hour)
	r.beat()
	commit, _ := r.handle(5)
	commit()
	s.down.Store(1)
	r.drain()
	if len(*got) != 14 {
		t.Errorf("%d jobs, want 14", len(*got))
	}
}
