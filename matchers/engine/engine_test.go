package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const project = "aaaaaaaaaaaaaaaaaaaaaaaa"

type fakeCatalog struct {
	subs  []pipeline.Subscription
	scope pipeline.Scope
	wait  func(position int64) error
}

func (c *fakeCatalog) WaitFor(_ context.Context, p int64) error {
	if c.wait != nil {
		return c.wait(p)
	}
	return nil
}

func (c *fakeCatalog) Project(id string) (pipeline.Project, bool) {
	return pipeline.Project{ID: id, Scope: c.scope, Internal: []netip.Prefix{netip.MustParsePrefix("127.0.70.0/28")}}, id == project
}

func (*fakeCatalog) Job(n string) (pipeline.Job, bool)        { return pipeline.Job{Name: n}, n != "Gone" }
func (c *fakeCatalog) Subscriptions() []pipeline.Subscription { return c.subs }
func (c *fakeCatalog) Position() int64                        { return int64(len(c.subs)) }

func sub(id, doc string) pipeline.Subscription {
	return pipeline.Subscription{ID: id, Name: id, Enabled: true, Document: doc}
}

const onPort = "name: Banner\nfindings: [PortFinding]\ncooldown: 3600\njob: {name: Banner, parameters: [{name: ports, value: ['${port}']}]}\nconditions: [{lhs: '${protocol}', operator: equals, rhs: tcp}]\n"

func newEngine(t *testing.T, c *fakeCatalog) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.DefaultConfig(), engine.Deps{Catalog: c, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func transactor(b *bus.Bus, e *engine.Engine) *bus.Transactor {
	return b.Transactor(bus.TransactorConfig{Group: bus.GroupMatcher, Topic: bus.TopicFindings, Changelog: bus.TopicState}, e)
}

var seq uint64

func find(t *testing.T, text string, args ...any) pipeline.Finding {
	t.Helper()
	seq++
	f, err := normal.Finding(json.RawMessage(fmt.Sprintf(text, args...)), normal.Origin{
		ProjectID: project, Source: pipeline.SourceJob, ExecutionID: fmt.Sprint("e", seq), RootID: "root", Depth: 2, At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, b *bus.Bus, findings ...pipeline.Finding) {
	t.Helper()
	var recs []bus.Record
	for _, f := range findings {
		v, err := record.EncodeFinding(&f)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v})
	}
	bustest.Produce(t, b, recs...)
}

func settle(t *testing.T, b *bus.Bus) {
	t.Helper()
	bustest.Eventually(t, "all findings matched", func() bool {
		lag, err := b.Lag(t.Context(), bus.GroupMatcher, bus.TopicFindings)
		return err == nil && lag[bus.TopicFindings] == 0
	})
}

func requests(t *testing.T, b *bus.Bus) []string {
	t.Helper()
	var got []string
	for _, r := range bustest.Read(t, b, bus.TopicJobs) {
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSuffix(q.Job+" "+strings.TrimPrefix(q.Target, "project:"+project+";")+" "+q.Cause.SubscriptionID, " "))
	}
	slices.Sort(got)
	return got
}

func websites(t *testing.T, b *bus.Bus) []string {
	t.Helper()
	var got []string
	for _, r := range bustest.Read(t, b, bus.TopicFindings) {
		f, err := record.DecodeFinding(r.Value)
		if err == nil && f.Source == pipeline.SourceDerived {
			got = append(got, fmt.Sprintf("%s %s:%d %v", f.Domain, f.IP, f.Port, *f.SSL))
		}
	}
	slices.Sort(got)
	return got
}

const (
	openPort = `{"type":"PortFinding","ip":"%s","port":%d,"protocol":"%s"}`
	service  = `{"type":"CustomFinding","key":"PortServiceFinding","ip":"127.0.70.1","port":%d,"protocol":"tcp","fields":[{"key":"serviceName","data":"%s"}]}`
	resolved = `{"type":"HostnameIpFinding","domainName":"%s","ip":"127.0.70.1"}`
)

func TestStagesDecide(t *testing.T) {
	for _, tc := range []struct {
		name    string
		finding string
		sub     func(*pipeline.Subscription)
		depth   int
		stage   engine.Stage
		reason  engine.Reason
	}{
		{"fires", fmt.Sprintf(openPort, "127.0.70.1", 80, "tcp"), nil, 2, engine.StageFire, engine.Fired},
		{"fires for a public address", fmt.Sprintf(openPort, "8.8.8.8", 80, "tcp"), nil, 2, engine.StageFire, engine.Fired},
		{"disabled", fmt.Sprintf(openPort, "127.0.70.1", 80, "tcp"), func(s *pipeline.Subscription) { s.Enabled = false }, 2, engine.StageEnabled, engine.Disabled},
		{"loopback not listed", fmt.Sprintf(openPort, "127.0.0.1", 80, "tcp"), nil, 2, engine.StageScope, engine.OutOfScope},
		{"private", fmt.Sprintf(openPort, "172.16.1.1", 80, "tcp"), nil, 2, engine.StageScope, engine.OutOfScope},
		{"private IPv6", fmt.Sprintf(openPort, "fd00::1", 80, "tcp"), nil, 2, engine.StageScope, engine.OutOfScope},
		{"condition", fmt.Sprintf(openPort, "127.0.70.1", 80, "udp"), nil, 2, engine.StageConditions, engine.NotMet},
		{"a chain of 16", fmt.Sprintf(openPort, "127.0.70.1", 80, "tcp"), nil, 15, engine.StageFire, engine.Fired},
		{"too deep", fmt.Sprintf(openPort, "127.0.70.1", 80, "tcp"), nil, 16, engine.StageDepth, engine.TooDeep},
		{"no job", fmt.Sprintf(openPort, "127.0.70.1", 80, "tcp"), func(s *pipeline.Subscription) {
			s.Document = strings.Replace(s.Document, "{name: Banner,", "{name: Gone,", 1)
		}, 2, engine.StageJob, engine.NoJob},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sub("s", onPort)
			if tc.sub != nil {
				tc.sub(&s)
			}
			f := find(t, "%s", tc.finding)
			f.Depth = tc.depth
			got := newEngine(t, &fakeCatalog{subs: []pipeline.Subscription{s}}).Explain(0, &f)
			if len(got) != 1 || got[0].Stage != tc.stage || got[0].Reason != tc.reason {
				t.Errorf("Explain() = %+v, want %s %s", got, tc.stage, tc.reason)
			}
		})
	}
}

func TestARangeIsScannedOnlyWhenAllOfItMayBe(t *testing.T) {
	const onRange = "name: Range\nfindings: [IpRangeFinding]\ncooldown: 0\njob: {name: Scan}\n"
	e := newEngine(t, &fakeCatalog{subs: []pipeline.Subscription{sub("s", onRange)}})
	for text, want := range map[string]engine.Reason{
		`{"type":"IpRangeFinding","ip":"127.0.70.0","mask":29}`: engine.Fired,
		`{"type":"IpRangeFinding","ip":"127.0.70.0","mask":24}`: engine.OutOfScope,
		`{"type":"IpRangeFinding","ip":"8.8.8.0","mask":24}`:    engine.Fired,
		`{"type":"IpRangeFinding","ip":"8.0.0.0","mask":4}`:     engine.OutOfScope,
		`{"type":"IpRangeFinding","ip":"::","mask":0}`:          engine.OutOfScope,
	} {
		f := find(t, "%s", text)
		if got := e.Explain(0, &f); got[0].Reason != want {
			t.Errorf("%s: %s, want %s", text, got[0].Reason, want)
		}
	}
}

func TestAFindingAsksForItsJobOncePerCooldown(t *testing.T) {
	b := bustest.New(t)
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort), sub("broken", "nonsense")}}
	stop := bustest.Run(t, "matcher", transactor(b, newEngine(t, c)).Run)
	first := find(t, openPort, "127.0.70.1", 80, "tcp")
	put(t, b, first, find(t, openPort, "127.0.70.1", 80, "tcp"), find(t, openPort, "127.0.70.1", 81, "tcp"))
	settle(t, b)
	stop()
	// a successor knows what was spent
	stop = bustest.Run(t, "matcher", transactor(b, newEngine(t, c)).Run)
	put(t, b, find(t, openPort, "127.0.70.1", 80, "tcp"), find(t, openPort, "127.0.70.2", 80, "tcp"))
	settle(t, b)
	stop()
	want := []string{"Banner host:127.0.70.1;port:80;protocol:tcp s", "Banner host:127.0.70.1;port:81;protocol:tcp s", "Banner host:127.0.70.2;port:80;protocol:tcp s"}
	if d := cmp.Diff(requests(t, b), want); d != "" {
		t.Errorf("requests (-got +want):\n%s", d)
	}
	for _, r := range bustest.Read(t, b, bus.TopicJobs) {
		q, _ := record.Decode[pipeline.JobRequest](r.Value)
		if q.Cause.FindingID != first.ID {
			continue
		}
		want := pipeline.JobRequest{
			ID: pipeline.DeriveID("execution", "s", "0", first.CorrelationKey, "", first.ID), ProjectID: project, Job: "Banner",
			Arguments: []pipeline.Argument{{Name: "ports", Value: json.RawMessage("[80]")}}, Priority: 3, At: q.At, Target: first.CorrelationKey, Control: 2,
			Cause: pipeline.Cause{SubscriptionID: "s", SubscriptionName: "Banner", FindingID: first.ID, ParentID: first.ExecutionID, RootID: "root", Depth: 2},
		}
		if d := cmp.Diff(q, want); d != "" || string(r.Key) != q.ID {
			t.Errorf("request (-got +want):\n%s", d)
		}
	}
}

// TestAFindingThatComesTwiceIsOnRecordAsFired: a sender that was cut off repeats itself.
func TestAFindingThatComesTwiceIsOnRecordAsFired(t *testing.T) {
	b := bustest.New(t)
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	first, other := find(t, openPort, "127.0.70.1", 80, "tcp"), find(t, openPort, "127.0.70.1", 80, "tcp")
	for range 2 { // in one batch, and of a successor
		stop := bustest.Run(t, "matcher", transactor(b, newEngine(t, c)).Run)
		put(t, b, first, first, other)
		settle(t, b)
		stop()
	}
	got := map[string][]string{}
	for _, r := range bustest.Read(t, b, bus.TopicVerdicts) {
		v, err := record.Decode[pipeline.Verdicts](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range v.List {
			got[v.FindingID] = append(got[v.FindingID], one.Reason)
		}
	}
	if d := cmp.Diff(got, map[string][]string{first.ID: {"fired"}, other.ID: {"cooling", "cooling"}}); d != "" {
		t.Errorf("verdicts (-got +want):\n%s", d)
	}
	if n := len(requests(t, b)); n != 1 {
		t.Errorf("%d jobs were asked for", n)
	}
}

func TestWebsitesAreDerivedInEitherOrder(t *testing.T) {
	for _, order := range []string{"name first", "port first", "port between"} {
		t.Run(order, func(t *testing.T) {
			b := bustest.New(t)
			c := &fakeCatalog{}
			name, other := find(t, resolved, "a.test"), find(t, resolved, "b.test")
			port, ssh := find(t, service, 8080, "http"), find(t, service, 22, "ssh")
			list := map[string][]pipeline.Finding{
				"name first": {name, other, port, ssh}, "port first": {port, ssh, name, other}, "port between": {name, port, ssh, other, name},
			}[order]
			for _, f := range list { // each under a matcher of its own: the state survives
				stop := bustest.Run(t, "matcher", transactor(b, newEngine(t, c)).Run)
				put(t, b, f)
				settle(t, b)
				stop()
			}
			want := []string{" 127.0.70.1:8080 false", "a.test 127.0.70.1:8080 false", "b.test 127.0.70.1:8080 false"}
			if d := cmp.Diff(websites(t, b), want); d != "" {
				t.Errorf("websites (-got +want):\n%s", d)
			}
		})
	}
}

func TestAPortThatSpeaksHTTPNoMoreGivesNoWebsiteToALaterName(t *testing.T) {
	b := bustest.New(t)
	stop := bustest.Run(t, "matcher", transactor(b, newEngine(t, &fakeCatalog{})).Run)
	put(t, b, find(t, service, 8443, "https"), find(t, service, 8443, "ssh"), find(t, resolved, "a.test"))
	settle(t, b)
	stop()
	if d := cmp.Diff(websites(t, b), []string{" 127.0.70.1:8443 true"}); d != "" {
		t.Errorf("websites (-got +want):\n%s", d)
	}
}

func TestDerivedWebsitesTriggerJobsThemselves(t *testing.T) {
	b := bustest.New(t)
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("w", "name: Probe\nfindings: [WebsiteFinding]\ncooldown: 60\njob: {name: Probe}\n")}}
	stop := bustest.Run(t, "matcher", transactor(b, newEngine(t, c)).Run)
	put(t, b, find(t, resolved, "a.test"), find(t, service, 80, "http"))
	settle(t, b)
	stop()
	want := []string{"Probe host:127.0.70.1;port:80;protocol:tcp;domain:;path:/ w", "Probe host:127.0.70.1;port:80;protocol:tcp;domain:a.test;path:/ w"}
	if d := cmp.Diff(requests(t, b), want); d != "" {
		t.Errorf("requests (-got +want):\n%s", d)
	}
}

func TestAnAbortedBatchSpendsAndLearnsNothing(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := newEngine(t, c)
	batch := func(findings ...pipeline.Finding) []bus.Record {
		var recs []bus.Record
		for _, f := range findings {
			v, _ := record.EncodeFinding(&f)
			recs = append(recs, bus.Record{Topic: bus.TopicFindings, Value: v})
		}
		return recs
	}
	recs := batch(find(t, openPort, "127.0.70.1", 80, "tcp"), find(t, service, 80, "http"), find(t, resolved, "a.test"))
	count := func(out bus.Outcome) int { return len(out.Records) }
	first, err := e.Handle(t.Context(), recs)
	if err != nil {
		t.Fatal(err)
	}
	first.Rollback()
	second, err := e.Handle(t.Context(), recs)
	if err != nil {
		t.Fatal(err)
	}
	if count(first) != count(second) || count(first) != 9 {
		t.Errorf("%d records, then %d; want 9 both times: request, its verdict, trigger, counts of root and target, two websites, http, domain", count(first), count(second))
	}
	second.Commit()
	third, err := e.Handle(t.Context(), recs)
	if err != nil || count(third) != 2 {
		t.Errorf("after the commit %d records, %v; want the two websites seen again", count(third), err)
	}
}

func TestABatchWaitsForTheControlPlaneItWasMadeWith(t *testing.T) {
	c := &fakeCatalog{}
	var waited int64
	c.wait = func(p int64) error {
		waited = p
		c.subs = []pipeline.Subscription{sub("s", onPort)} // arrives while waiting
		return nil
	}
	f := find(t, openPort, "127.0.70.1", 80, "tcp")
	f.Control = 42
	v, _ := record.EncodeFinding(&f)
	out, err := newEngine(t, c).Handle(t.Context(), []bus.Record{{Value: v}, {Value: []byte("garbage")}})
	if err != nil || waited != 42 {
		t.Fatalf("waited for %d, %v", waited, err)
	}
	if len(out.Records) != 5 || len(out.Dead) != 1 {
		t.Errorf("%d records, %d dead letters; want 5 (request, verdict, trigger, two counts) and 1", len(out.Records), len(out.Dead))
	}
}
