package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline/trace/tracetest"
)

// TestOneTraceShowsAllThatCameOfARequest seeds one name and finds, as one trace, the
// request, and below each other the jobs it led to and what those found.
func TestOneTraceShowsAllThatCameOfARequest(t *testing.T) {
	collector := tracetest.New(t)
	c, stop := server(t, t.TempDir(), func(cfg *app.Config) { cfg.Tracing.Endpoint, cfg.Tracing.Sample = collector.URL, 1 })
	c.settle(t, seed(t, c))
	stop() // sends the rest
	spans, parents := collector.Spans(), map[string]tracetest.Span{}
	for _, s := range spans {
		parents[s.ID] = s
	}
	found := map[string]bool{}
	for _, s := range spans {
		path := s.Name
		for p, ok := parents[s.Parent]; ok; p, ok = parents[p.Parent] {
			if p.Trace != s.Trace {
				t.Errorf("%s and %s are of different traces", s.Name, p.Name)
			}
			path = p.Name + " > " + path
		}
		if strings.HasPrefix(path, "addDomains") {
			found[path] = true
		}
		if s.Begin > s.End {
			t.Errorf("%s ends before it begins", path)
		}
	}
	resolve := "addDomains > match Resolve"
	ports := resolve + " > execute Resolve > take findings > match Ports"
	service := ports + " > execute Ports > take findings > match Service"
	broken := service + " > execute Service > take findings > match Broken"
	want := map[string]bool{"addDomains": true}
	for path, job := range map[string]string{resolve: "Resolve", ports: "Ports", service: "Service", broken: "Broken"} {
		want[path], want[path+" > wait "+job], want[path+" > execute "+job] = true, true, true
		if job != "Broken" { // it finds nothing
			want[path+" > execute "+job+" > take findings"] = true
		}
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("spans (-want +got):\n%s", d)
	}
}

func TestWithoutACollectorNothingIsFollowed(t *testing.T) {
	cfg := app.DefaultConfig()
	if cfg.Tracing.Endpoint != "" {
		t.Errorf("traces go to %q by default", cfg.Tracing.Endpoint)
	}
	cfg.Tracing.Endpoint, cfg.Tracing.Sample = "collector:4318", 2
	err := cfg.Tracing.Validate()
	for _, want := range []string{"http://otel-collector:4318/v1/traces", "between 0 and 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, does not say %q", err, want)
		}
	}
}
