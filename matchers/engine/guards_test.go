package engine_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

func withConfig(t *testing.T, c *fakeCatalog, change func(*engine.Config)) *engine.Engine {
	t.Helper()
	cfg := engine.DefaultConfig()
	change(&cfg)
	e, err := engine.New(cfg, engine.Deps{Catalog: c, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func records(t *testing.T, findings ...pipeline.Finding) []bus.Record {
	t.Helper()
	var recs []bus.Record
	for _, f := range findings {
		v, err := record.EncodeFinding(&f)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, bus.Record{Topic: bus.TopicFindings, Value: v})
	}
	return recs
}

// handle decides about one batch and commits it; it returns how many jobs it asks
// for, and the changelog.
func handle(t *testing.T, e *engine.Engine, findings ...pipeline.Finding) (jobs int, state []bus.Record) {
	t.Helper()
	out, err := e.Handle(t.Context(), records(t, findings...))
	if err != nil {
		t.Fatal(err)
	}
	out.Commit()
	for _, r := range out.Records {
		switch r.Topic {
		case bus.TopicJobs:
			jobs++
		case bus.TopicState:
			state = append(state, r)
		}
	}
	return jobs, state
}

func ports(t *testing.T, ip string, from, n int) (list []pipeline.Finding) {
	t.Helper()
	for i := range n {
		list = append(list, find(t, openPort, ip, from+i, "tcp"))
	}
	return list
}

func reasonOf(e *engine.Engine, f pipeline.Finding) (engine.Reason, string) {
	d := e.Explain(0, &f)
	return d[0].Reason, d[0].Detail
}

func TestARootHasABudget(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerRoot = 5 })
	first, state := handle(t, e, ports(t, "127.0.70.1", 1, 3)...)
	second, more := handle(t, e, ports(t, "127.0.70.2", 1, 4)...)
	if first != 3 || second != 2 {
		t.Fatalf("%d and %d jobs, want 3 and 2", first, second)
	}
	f := find(t, openPort, "127.0.70.3", 1, "tcp")
	if r, detail := reasonOf(e, f); r != engine.OverBudget || detail != "5 executions follow from the root root, 5 may" {
		t.Errorf("%s: %s", r, detail)
	}
	f.RootID = "another"
	if r, _ := reasonOf(e, f); r != engine.Fired {
		t.Errorf("another root: %s", r)
	}
	successor := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerRoot = 5 })
	for _, r := range append(state, more...) {
		if err := successor.Restore(0, r); err != nil {
			t.Fatal(err)
		}
	}
	successor.Restored(0)
	if jobs, _ := handle(t, successor, ports(t, "127.0.70.4", 1, 1)...); jobs != 0 {
		t.Error("a successor forgot what was spent")
	}
}

func TestATargetIsNotAimedAtTooOften(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerTarget, cfg.TargetWindow = 2, time.Hour })
	if jobs, _ := handle(t, e, ports(t, "127.0.70.1", 1, 4)...); jobs != 2 {
		t.Fatalf("%d jobs, want 2", jobs)
	}
	if r, detail := reasonOf(e, find(t, openPort, "127.0.70.1", 9, "tcp")); r != engine.TooOften || !strings.Contains(detail, "127.0.70.1 within 1h0m0s") {
		t.Errorf("%s: %s", r, detail)
	}
	if jobs, _ := handle(t, e, ports(t, "127.0.70.2", 1, 1)...); jobs != 1 {
		t.Error("another host has to wait too")
	}
	quick := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerTarget, cfg.TargetWindow = 2, time.Second })
	if jobs, _ := handle(t, quick, ports(t, "127.0.70.1", 1, 4)...); jobs != 2 {
		t.Fatalf("%d jobs, want 2", jobs)
	}
	bustest.Eventually(t, "the window to pass", func() bool {
		r, _ := reasonOf(quick, find(t, openPort, "127.0.70.1", 9, "tcp"))
		return r == engine.Fired
	})
}

func TestAnAbortedBatchChargesNothing(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerRoot, cfg.MaxPerTarget = 3, 3 })
	list := ports(t, "127.0.70.1", 1, 3)
	for range 4 {
		out, err := e.Handle(t.Context(), records(t, list...))
		if err != nil {
			t.Fatal(err)
		}
		out.Rollback()
	}
	if jobs, _ := handle(t, e, list...); jobs != 3 {
		t.Errorf("%d jobs after aborted batches, want 3", jobs)
	}
}

func TestScopeListsGuardAutomation(t *testing.T) {
	const (
		onName = "name: Resolve\nfindings: [HostnameFinding]\ncooldown: 0\njob: {name: Resolve}\n"
		host   = `{"type":"IpFinding","ip":"%s"}`
		name   = `{"type":"HostnameFinding","domainName":"%s"}`
		link   = `{"type":"HostnameIpFinding","domainName":"%s","ip":"%s"%s}`
		ptr    = `,"fields":[{"key":"recordType","type":"text","data":"PTR"}]`
	)
	onHost := strings.NewReplacer("Resolve", "Scan", "HostnameFinding", "IpFinding").Replace(onName)
	onSite := strings.NewReplacer("Resolve", "Probe", "HostnameFinding", "WebsiteFinding").Replace(onName)
	c := &fakeCatalog{
		subs:  []pipeline.Subscription{sub("n", onName), sub("h", onHost), sub("p", onPort), sub("w", onSite)},
		scope: pipeline.Scope{In: []string{"*.example.com", "8.8.8.0/24"}, Out: []string{"out.example.com", "8.8.8.128/25"}},
	}
	e := withConfig(t, c, func(*engine.Config) {})
	for _, tc := range []struct {
		f    pipeline.Finding
		want engine.Reason
	}{
		{find(t, name, "www.example.com"), engine.Fired},
		{find(t, name, "out.example.com"), engine.OutOfScope},
		{find(t, name, "example.org"), engine.OutOfScope},
		{find(t, host, "8.8.8.8"), engine.Fired},
		{find(t, host, "8.8.8.200"), engine.OutOfScope},
		{find(t, host, "9.9.9.9"), engine.OutOfScope},
	} {
		if r, detail := reasonOf(e, tc.f); r != tc.want {
			t.Errorf("%s%s: %s (%s), want %s", tc.f.Domain, tc.f.IP, r, detail, tc.want)
		}
	}
	// a reverse lookup brings no address into scope, and gives no website; a name that
	// resolves there does
	handle(t, e, find(t, link, "spoofed.example.com", "9.9.9.9", ptr), find(t, strings.Replace(service, "127.0.70.1", "9.9.9.9", 1), 80, "http"))
	if r, detail := reasonOf(e, find(t, openPort, "9.9.9.9", 80, "tcp")); r != engine.OutOfScope || !strings.Contains(detail, "not on the project's list") {
		t.Errorf("after a reverse lookup: %s (%s)", r, detail)
	}
	handle(t, e, find(t, link, "www.example.com", "9.9.9.9", ""))
	if r, _ := reasonOf(e, find(t, openPort, "9.9.9.9", 80, "tcp")); r != engine.Fired {
		t.Errorf("what a name in scope resolves to: %s", r)
	}
	if r, _ := reasonOf(e, find(t, strings.Replace(name, "}", ptr+"}", 1), "ec2.cloud.test")); r != engine.OutOfScope {
		t.Errorf("a reverse name alone: %s", r)
	}
}

func TestGuardsAreCounted(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	reg := prometheus.NewRegistry()
	cfg := engine.DefaultConfig()
	cfg.MaxPerRoot = 1
	e, err := engine.New(cfg, engine.Deps{Catalog: c, Log: slog.New(slog.DiscardHandler), Metrics: reg})
	if err != nil {
		t.Fatal(err)
	}
	handle(t, e, append(ports(t, "127.0.70.1", 1, 2), find(t, openPort, "10.0.0.1", 1, "tcp"))...)
	got := map[string]float64{}
	families, _ := reg.Gather()
	for _, f := range families {
		if f.GetName() != "stalker_matcher_verdicts_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 {
				got[fmt.Sprint(m.GetLabel()[0].GetValue(), " ", m.GetLabel()[1].GetValue())] = v
			}
		}
	}
	if d := cmp.Diff(got, map[string]float64{"over_budget budget": 1, "fired fire": 1, "out_of_scope scope": 1}); d != "" {
		t.Errorf("verdicts (-got +want):\n%s", d)
	}
}
