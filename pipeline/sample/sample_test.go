package sample_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/sample"
)

func plan() sample.Plan {
	return sample.Plan{
		Project: "5f1e0a9b3c7d2e4f6a8b9c0d", Seed: 7, Resources: 2000, Findings: 12_000,
		Until: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Spread: 24 * time.Hour,
	}
}

func made(t *testing.T, p sample.Plan) (out []bus.Record, done sample.Progress) {
	t.Helper()
	err := p.Each(t.Context(), func(recs []bus.Record, now sample.Progress) error {
		out, done = append(out, recs...), now
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, done
}

func TestTheSamePlanSaysTheSame(t *testing.T) {
	one, done := made(t, plan())
	two, _ := made(t, plan())
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("(-one +two)\n%s", diff)
	}
	other := plan()
	other.Seed = 8
	if three, _ := made(t, other); cmp.Equal(one[0].Value, three[0].Value) {
		t.Error("another seed says the same")
	}
	if done.Findings != len(one) || done.Findings < 12_000 || done.Resources < 2000 || done.Executions <= done.Hosts {
		t.Errorf("%d records are said to be %+v", len(one), done)
	}
}

// TestAPlanIsKept counts what is said by its keys, and looks at when and by whom.
func TestAPlanIsKept(t *testing.T) {
	p := plan()
	p.Executions = true
	recs, done := made(t, p)
	resources, requests, ends := map[string]bool{}, map[string]bool{}, map[string]bool{}
	types := map[pipeline.FindingType]int{}
	for i, r := range recs {
		switch r.Topic {
		case bus.TopicFindings:
			f, err := record.DecodeFinding(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			types[f.Type]++
			if f.Type != pipeline.CustomFinding && f.Type != pipeline.TagFinding && f.Type != pipeline.HostnameIPFinding {
				resources[f.CorrelationKey] = true
			}
			if f.ProjectID != p.Project || f.Source != pipeline.SourceJob || f.At.After(p.Until) || f.At.Before(p.Until.Add(-p.Spread)) || f.ExecutionID == "" {
				t.Fatalf("record %d is %+v", i, f)
			}
		case bus.TopicJobs:
			q, err := record.Decode[pipeline.JobRequest](r.Value)
			if err != nil {
				t.Fatal(err)
			}
			requests[q.ID] = true
		case bus.TopicExecutions:
			e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if e.State == pipeline.StateSucceeded {
				ends[e.ExecutionID] = true
			}
		}
	}
	if len(resources) != done.Resources {
		t.Errorf("%d resources are named, %d were counted", len(resources), done.Resources)
	}
	if len(requests) != done.Executions || !cmp.Equal(requests, ends) {
		t.Errorf("%d executions were asked for, %d ended, %d were counted", len(requests), len(ends), done.Executions)
	}
	for _, typ := range []pipeline.FindingType{pipeline.HostnameFinding, pipeline.IPFinding, pipeline.HostnameIPFinding, pipeline.PortFinding, pipeline.WebsiteFinding, pipeline.TagFinding, pipeline.CustomFinding} {
		if types[typ] == 0 {
			t.Errorf("no %s", typ)
		}
	}
}

func TestAPlanEndsWhenItIsToldTo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	err := plan().Each(ctx, func([]bus.Record, sample.Progress) error { stop(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	full := errors.New("full")
	if err := plan().Each(t.Context(), func([]bus.Record, sample.Progress) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
}
