package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const project = "aaaaaaaaaaaaaaaaaaaaaaaa"

type fakeCatalog struct {
	subs     []pipeline.Subscription
	position int64
	more     []string // other projects
}

// set changes a subscription.
func (c *fakeCatalog) set(sub pipeline.Subscription) {
	c.subs = slices.Clone(c.subs)
	i := slices.IndexFunc(c.subs, func(s pipeline.Subscription) bool { return s.ID == sub.ID })
	c.subs[i] = sub
	c.position++
}

func (c *fakeCatalog) Project(id string) (pipeline.Project, bool) {
	return pipeline.Project{ID: id, Scope: pipeline.Scope{Out: []string{"out.test"}}}, id == project || slices.Contains(c.more, id)
}

func (c *fakeCatalog) Projects() []pipeline.Project {
	p, _ := c.Project(project)
	list := []pipeline.Project{p}
	for _, id := range c.more {
		p, _ := c.Project(id)
		list = append(list, p)
	}
	return list
}
func (*fakeCatalog) Job(n string) (pipeline.Job, bool)        { return pipeline.Job{Name: n}, true }
func (c *fakeCatalog) Subscriptions() []pipeline.Subscription { return c.subs }
func (c *fakeCatalog) Position() int64                        { return 1 + c.position }

// inventory has n domains, d0.test and so on, and some that must be left out.
type inventory struct{ n int }

func (i inventory) Resources(_ context.Context, q schedule.Query) (p schedule.Page, err error) {
	from := 0
	_, _ = fmt.Sscan(q.Cursor, &from)
	names := []string{"out.test", "blocked.test", "new.test"}
	for k := range i.n {
		names = append(names, fmt.Sprintf("d%d.test", k))
	}
	for _, name := range names[from:min(len(names), from+q.Limit)] {
		r := schedule.Resource{Key: "project:" + q.ProjectID + ";domain:" + name, Locators: pipeline.Locators{Domain: name}, Blocked: name == "blocked.test"}
		if name == "new.test" {
			r.FirstSeen = time.Now().Add(time.Hour)
		}
		p.Resources = append(p.Resources, r)
	}
	if from+q.Limit < len(names) {
		p.Next = strconv.Itoa(from + q.Limit)
	}
	return p, nil
}

func (inventory) Fresh(_ context.Context, _, _ string, _ time.Time, targets []string) (map[string]bool, error) {
	have := map[string]bool{}
	for _, t := range targets {
		have[t] = strings.HasSuffix(t, "d1.test")
	}
	return have, nil
}

func (inventory) Open(context.Context, string) (uint64, error) { return 0, nil }

func sub(id, doc string) pipeline.Subscription {
	return pipeline.Subscription{ID: id, Name: id, Enabled: true, Version: 1, Document: doc, UpdatedAt: time.Now().Add(-26 * time.Hour)}
}

func run(t *testing.T, b *bus.Bus, c *fakeCatalog, page int) (stop func()) {
	t.Helper()
	producer, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	cfg := schedule.DefaultConfig()
	cfg.PageSize = page
	s, err := schedule.New(cfg, schedule.Deps{
		Catalog: c, Inventory: inventory{7}, Producer: producer, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	one, two := bustest.Run(t, "transactor", s.Transactor(b).Run), bustest.Run(t, "clock", s.Run)
	return func() { two(); one(); producer.Close() }
}

func requests(t *testing.T, b *bus.Bus) (got []string) {
	t.Helper()
	for _, r := range bustest.Read(t, b, bus.TopicJobs) {
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s", q.Cause.SubscriptionID, strings.TrimPrefix(q.Target, "project:"+project), q.Arguments[0].Value))
	}
	slices.Sort(got)
	return got
}

func domains(id string, skip int) (want []string) {
	for k := range 7 {
		if k != skip {
			want = append(want, fmt.Sprintf("%s ;domain:d%d.test %q", id, k, fmt.Sprintf("d%d.test", k)))
		}
	}
	return want
}

const job = "job: {name: J, parameters: [{name: d, value: '${domainName}'}]}\n"

func TestATickStartsOneJobForEachResourceOnce(t *testing.T) {
	b := bustest.New(t)
	c := &fakeCatalog{subs: []pipeline.Subscription{
		sub("c", "name: n\ntriggerType: cron\ncronExpression: '@daily'\ninput: ALL_DOMAINS\n"+job),
		sub("r", "name: n\ntriggerType: reconcile\ncronExpression: '@daily'\ninput: ALL_DOMAINS\nexpect: {finding: F, maxAge: 60}\n"+job),
		sub("skip", "name: n\ntriggerType: cron\ncronExpression: '@yearly'\nmissed: skip\n"+job),
		sub("event", "name: n\ntriggerType: event\nfindings: [K]\ncooldown: 0\n"+job),
	}}
	want := slices.Concat(domains("c", -1), domains("r", 1))
	stop := run(t, b, c, 3)
	bustest.Eventually(t, "every request", func() bool { return len(requests(t, b)) >= len(want) })
	stop()
	stop = run(t, b, c, 3) // a successor knows that the tick was handled
	lag := func() bool {
		l, err := b.Lag(t.Context(), bus.GroupScheduler, bus.TopicSchedule)
		return err == nil && l[bus.TopicSchedule] == 0
	}
	bustest.Eventually(t, "nothing left", lag)
	stop()
	if d := cmp.Diff(requests(t, b), want); d != "" {
		t.Errorf("requests (-got +want):\n%s", d)
	}
}

func TestABatchHasAlignedLists(t *testing.T) {
	b := bustest.New(t)
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("b",
		"name: n\ntriggerType: cron\ncronExpression: '@daily'\ninput: ALL_DOMAINS\nbatch: {enabled: true, size: 5}\njob: {name: J, parameters: [{name: d, value: '${domainBatch}'}]}\n")}}
	stop := run(t, b, c, 2)
	bustest.Eventually(t, "both batches", func() bool { return len(requests(t, b)) >= 2 })
	stop()
	want := []string{`b  ["d0.test","d1.test","d2.test","d3.test","d4.test"]`, `b  ["d5.test","d6.test"]`}
	if d := cmp.Diff(requests(t, b), want); d != "" {
		t.Errorf("requests (-got +want):\n%s", d)
	}
}

func TestDue(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, tc := range []struct {
		expression, last, now, missed, want string
		run, ok                             bool
	}{
		{"0 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z", rule.MissedOnce, "", false, false},
		{"0 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", rule.MissedOnce, "2026-01-01T01:00:00Z", true, true},
		{"0 * * * *", "2026-01-01T00:00:00Z", "2026-01-05T07:30:00Z", rule.MissedOnce, "2026-01-05T07:00:00Z", true, true},
		{"0 * * * *", "2026-01-01T00:00:00Z", "2026-01-05T07:30:00Z", rule.MissedSkip, "2026-01-05T07:00:00Z", false, true},
		{"* * * * * *", "2000-01-01T00:00:00Z", "2026-01-05T07:30:05Z", rule.MissedSkip, "2026-01-05T07:30:05Z", true, true},
		{"0 0 1 1 *", "2020-06-01T00:00:00Z", "2026-06-01T00:00:00Z", rule.MissedOnce, "2026-01-01T00:00:00Z", true, true},
	} {
		s, err := rule.ParseSchedule(tc.expression, "")
		if err != nil {
			t.Fatal(err)
		}
		got, run, ok := schedule.Due(s, at(tc.last), at(tc.now), tc.missed)
		if ok != tc.ok || run != tc.run || ok && !got.Equal(at(tc.want)) {
			t.Errorf("Due(%s, %s, %s) = %s %v %v", tc.expression, tc.last, tc.now, got, run, ok)
		}
	}
}
