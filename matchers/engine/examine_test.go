package engine_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// verdicts handles findings and returns what was recorded of each.
func verdicts(t *testing.T, e *engine.Engine, findings ...pipeline.Finding) map[string][]pipeline.StoredVerdict {
	t.Helper()
	out, err := e.Handle(t.Context(), records(t, findings...))
	if err != nil {
		t.Fatal(err)
	}
	out.Commit()
	got := map[string][]pipeline.StoredVerdict{}
	for _, r := range out.Records {
		if r.Topic != bus.TopicVerdicts {
			continue
		}
		v, err := record.Decode[pipeline.Verdicts](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range v.List {
			got[v.FindingID] = append(got[v.FindingID], pipeline.StoredVerdict{Verdict: x, FindingID: v.FindingID, ProjectID: v.ProjectID, At: v.At})
		}
	}
	return got
}

func TestWhatWasRecordedDecidesWhatIsExplained(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(*engine.Config) {})
	fires, unmet := find(t, openPort, "127.0.70.1", 80, "tcp"), find(t, openPort, "127.0.70.1", 80, "udp")
	again := fires
	again.ID = "another"
	got := verdicts(t, e, fires, unmet, again)
	if len(got) != 2 || got[fires.ID][0].Reason != "fired" || got[fires.ID][0].ExecutionID == "" || got["another"][0].Reason != "cooling" {
		t.Fatalf("recorded %+v", got)
	}
	// elsewhere, where nothing is known of what happened
	api := withConfig(t, c, func(*engine.Config) {})
	for _, tc := range []struct {
		f                        pipeline.Finding
		outcome, stage, cooldown string
		steps                    int
	}{
		{fires, "fired", "fire", "passed", 11},
		{again, "stopped", "cooldown", "stopped", 8},
		{unmet, "stopped", "conditions", "", 4},
	} {
		x := api.Examine(&tc.f, nil, got[tc.f.ID])
		if len(x) != 1 || x[0].Outcome != tc.outcome || x[0].Stage != tc.stage || len(x[0].Steps) != tc.steps {
			t.Errorf("%s: %+v", tc.f.ID, x)
			continue
		}
		for _, s := range x[0].Steps {
			if s.Stage == "cooldown" && s.Verdict != tc.cooldown {
				t.Errorf("%s: %+v", tc.f.ID, s)
			}
		}
	}
	x := api.Examine(&fires, nil, nil)
	if x[0].Outcome != "unrecorded" || x[0].Steps[7].Verdict != "unknown" || x[0].Detail == "" {
		t.Errorf("without a record: %+v", x[0])
	}
	if x := withConfig(t, &fakeCatalog{}, func(*engine.Config) {}).Examine(&fires, nil, got[fires.ID]); len(x) != 1 || x[0].Outcome != "fired" {
		t.Errorf("of a subscription that is gone: %+v", x)
	}
}

func TestOfOneBatchSoManyVerdictsAreRecordedAndNoMore(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxVerdicts = 3 })
	if got := verdicts(t, e, ports(t, "127.0.70.1", 1, 10)...); len(got) != 3 {
		t.Errorf("%d findings have verdicts, want 3", len(got))
	}
}

// A backtest comes to what the matcher did with the same findings.
func TestABacktestDoesWhatTheMatcherDid(t *testing.T) {
	c := &fakeCatalog{subs: []pipeline.Subscription{sub("s", onPort)}}
	e := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerTarget = 4 })
	var list []pipeline.Finding
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		f := find(t, openPort, fmt.Sprintf("127.0.70.%d", 1+i%3), 80+i%7, []string{"tcp", "tcp", "udp"}[i%3])
		f.ID, f.At = strconv.Itoa(i), at.Add(time.Duration(i)*time.Millisecond)
		list = append(list, f)
	}
	jobs, _ := handle(t, e, list...)
	b, err := withConfig(t, c, func(cfg *engine.Config) { cfg.MaxPerTarget = 4 }).NewBacktest(
		pipeline.Subscription{ID: "draft", Document: onPort}, time.Minute, func(string, string) []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := b.Add(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	r := b.Result()
	sum := r.Jobs
	for _, n := range r.Stopped {
		sum += n
	}
	if r.Jobs != jobs || jobs == 0 || sum != 60 || r.Stopped["cooling"]+r.Stopped["too_often"] == 0 || r.Histogram[0].Jobs != jobs {
		t.Errorf("the matcher started %d jobs, the backtest says %+v", jobs, r)
	}
}

func TestABacktestSimulatesCooldowns(t *testing.T) {
	e := withConfig(t, &fakeCatalog{}, func(*engine.Config) {})
	b, err := e.NewBacktest(pipeline.Subscription{ID: "draft", Document: onPort}, time.Second, func(string, string) []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	f := find(t, openPort, "127.0.70.1", 80, "tcp")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for hour := range 24 * 60 { // every hour for sixty days; its cooldown lets it fire at most once in a period
		f.At = start.Add(time.Duration(hour) * time.Hour)
		if err := b.Add(&f); err != nil {
			t.Fatal(err)
		}
	}
	r := b.Result()
	bars := 0
	for _, bar := range r.Histogram {
		bars += bar.Jobs
	}
	if r.Jobs == 0 || r.Jobs+r.Stopped["cooling"] != 24*60 || bars != r.Jobs || len(r.Histogram) > 400 || len(r.Samples) > 20 {
		t.Errorf("%d jobs, %v, %d bars that sum to %d", r.Jobs, r.Stopped, len(r.Histogram), bars)
	}
	if _, err := e.NewBacktest(pipeline.Subscription{Document: "name: n\ntriggerType: cron\ncronExpression: '@daily'\njob: {name: J}\n"}, 0, nil); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("a cron subscription: %v", err)
	}
}
