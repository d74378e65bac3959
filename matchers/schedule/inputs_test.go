package schedule_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Conditions are asked for each resource, of a batch for its lists.
func TestConditionsOfScheduledSubscriptions(t *testing.T) {
	for _, tc := range []struct {
		more string
		want map[string]int
	}{
		{"conditions: [{lhs: '${domainName}', operator: startsWith, rhs: d3}]\n", map[string]int{"started": 1, "not_met": 6}},
		{"batch: {enabled: true}\nconditions: [{lhs: '${domainBatch}', operator: or_startsWith, rhs: d3}]\n", map[string]int{"started": 1}},
		{"batch: {enabled: true}\nconditions: [{lhs: '${domainBatch}', operator: startsWith, rhs: d3}]\n", map[string]int{"not_met": 1}},
		{"batch: {enabled: true, size: 2}\nconditions: [{lhs: '${domainBatch}', operator: or_startsWith, rhs: [d3, d6]}]\n", map[string]int{"started": 2, "not_met": 2}},
	} {
		l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", "input: ALL_DOMAINS\n"+tc.more))
		l.page = 2
		l.starts()
		r := l.lead()
		r.pass(time.Hour, time.Hour)
		got := r.outcomes()
		for _, left := range []string{"blocked", "out_of_scope"} {
			if got[left] != 1 {
				t.Errorf("%s: %d resources, want 1", left, got[left])
			}
			delete(got, left)
		}
		delete(got, "too_new")
		if d := cmp.Diff(got, tc.want); d != "" {
			t.Errorf("%s: outcomes (-got +want):\n%s", tc.more, d)
		}
	}
}

// Without an input there is one job for each project, and the cooldown is each one's.
func TestEachProjectHasItsJobAndItsCooldown(t *testing.T) {
	l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", "cooldown: 7200\n"))
	got := map[string]int{}
	l.jobs = func(q *pipeline.JobRequest) { got[q.At.Format("15 ")+q.ProjectID[:1]]++ }
	r := l.lead()
	r.pass(time.Hour, time.Hour)
	l.catalog.more = []string{strings.Repeat("b", 24)} // a project that is new at two
	l.catalog.position++
	r.pass(4*time.Hour, time.Hour)
	if d := cmp.Diff(got, map[string]int{"01 a": 1, "02 b": 1, "03 a": 1, "04 b": 1, "05 a": 1}); d != "" {
		t.Errorf("jobs by hour and project (-got +want):\n%s", d)
	}
	if n := r.outcomes()["cooling"]; n != 4 {
		t.Errorf("%d were cooling, want 4", n)
	}
}

// A reconcile subscription asks for what is missing and then leaves it alone.
func TestReconcileAsksOnceInItsCooldown(t *testing.T) {
	l := newLine(t, "2026-01-10T00:00:00Z", sub("s", "name: n\ntriggerType: reconcile\ninput: ALL_DOMAINS\nexpect: {finding: F, maxAge: 60}\n"+
		"conditions: [{lhs: '${domainName}', operator: not_startsWith, rhs: d5}]\n"+job))
	got := map[string]int{}
	l.jobs = func(q *pipeline.JobRequest) {
		_, name, _ := strings.Cut(q.Target, "domain:")
		got[q.At.Format("02T15 ")+name]++
	}
	l.lead().pass(30*time.Hour, time.Hour)
	want := map[string]int{}
	for _, k := range []int{0, 2, 3, 4, 6} { // d1.test has what is expected, d5.test is not meant
		for _, at := range []string{"10T01", "11T01"} {
			want[fmt.Sprintf("%s d%d.test", at, k)] = 1
		}
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("jobs (-got +want):\n%s", d)
	}
}

// aliases has a website and another name of it.
type aliases struct{ inventory }

func (aliases) Resources(_ context.Context, q schedule.Query) (p schedule.Page, err error) {
	for i, name := range []string{"www.test", "alias.test"} {
		p.Resources = append(p.Resources, schedule.Resource{
			Key: "project:" + q.ProjectID + ";domain:" + name, Locators: pipeline.Locators{Domain: name, Path: "/"}, Merged: i == 1,
		})
	}
	return p, nil
}

func TestMergedResourcesAreLeftOut(t *testing.T) {
	l := newLine(t, "2026-01-10T00:00:00Z", cron("s", "@hourly", "input: ALL_WEBSITES\n"))
	l.stock = aliases{}
	var got []string
	l.jobs = func(q *pipeline.JobRequest) { got = append(got, q.Target) }
	r := l.lead()
	r.pass(time.Hour, time.Hour)
	if len(got) != 1 || !strings.HasSuffix(got[0], "www.test") || r.outcomes()["merged"] != 1 {
		t.Errorf("%v, %v", got, r.outcomes())
	}
}
