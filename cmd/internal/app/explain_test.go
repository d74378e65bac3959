package app_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

type explanation struct {
	Finding       pipeline.StoredFinding
	Subscriptions []pipeline.Explanation
}

// The real chain is run; then for every execution the way back to the root is told,
// and for a finding why it started something, or what stopped it.
func TestWhyAJobRanAndWhyNot(t *testing.T) {
	c, _ := server(t, t.TempDir())
	project := seed(t, c)
	c.settle(t, project)

	var list pipeline.Page[pipeline.Execution]
	c.must(t, "GET", "/api/v1/executions?limit=1000&project="+project, nil, &list)
	deepest := 0
	for _, e := range list.Items {
		var x struct {
			Chain []struct {
				Execution   pipeline.Execution
				Finding     *pipeline.StoredFinding
				Explanation *pipeline.Explanation
			}
		}
		c.must(t, "GET", "/api/v1/executions/"+e.ID+"/explanation", nil, &x)
		deepest = max(deepest, len(x.Chain))
		for i, link := range x.Chain {
			if link.Finding == nil || link.Explanation == nil || link.Explanation.Outcome != "fired" || link.Explanation.ExecutionID != link.Execution.ID {
				t.Fatalf("step %d of the chain of %s: %+v", i, e.ID, link)
			}
			if i > 0 && link.Execution.Cause.ParentID != x.Chain[i-1].Execution.ID {
				t.Errorf("step %d of the chain of %s does not follow from the one before", i, e.ID)
			}
		}
		if last := x.Chain[len(x.Chain)-1]; last.Execution.ID != e.ID || x.Chain[0].Execution.Cause.ParentID != "" {
			t.Errorf("the chain of %s goes from %s to %s", e.ID, x.Chain[0].Execution.ID, last.Execution.ID)
		}
	}
	if deepest < 4 {
		t.Errorf("the deepest chain has %d steps; domain, ports, service, website are 4", deepest)
	}

	cooling := false
	for _, f := range findingsOf(t, c, project, "key:HostnameIpFinding") {
		x := explain(t, c, f.ID)
		for _, s := range x.Subscriptions {
			if s.Reason == "cooling" && s.Stage == "cooldown" && strings.Contains(s.Detail, "may again at") && s.RecordedAt != nil {
				cooling = true
			}
		}
	}
	if !cooling {
		t.Error("of the two domains of one host, neither was told that the host's ports are scanned already")
	}
	if f := findingsOf(t, c, project, "key:PortFinding port:22")[0]; len(explain(t, c, f.ID).Subscriptions) != 1 {
		t.Errorf("%+v", explain(t, c, f.ID))
	}
}

func findingsOf(t *testing.T, c *client, project, q string) []pipeline.StoredFinding {
	t.Helper()
	var p pipeline.Page[pipeline.StoredFinding]
	c.must(t, "GET", "/api/v1/findings?limit=1000&project="+project+"&q="+url.QueryEscape(q), nil, &p)
	if len(p.Items) == 0 {
		t.Fatalf("no findings for %s", q)
	}
	return p.Items
}

func explain(t *testing.T, c *client, id string) explanation {
	t.Helper()
	var x explanation
	c.must(t, "GET", "/api/v1/findings/"+id+"/explanation", nil, &x)
	return x
}

func TestWhatADraftWouldHaveDone(t *testing.T) {
	c, _ := server(t, t.TempDir())
	project := seed(t, c)
	c.settle(t, project)
	draft := "name: Draft\nfindings: [PortFinding]\ncooldown: 3600\njob: {name: Service, parameters: [{name: port, value: '${port}'}]}\nconditions: [{lhs: '${port}', operator: gt, rhs: 1000}]\n"
	var b pipeline.Backtest
	c.must(t, "POST", "/api/v1/subscriptions/backtest", map[string]any{"document": draft, "projectId": project}, &b)
	ports := len(findingsOf(t, c, project, "key:PortFinding"))
	if b.Findings != ports || b.Jobs != 1 || b.Targets != 1 || !b.Complete || b.Stopped["not_met"] != ports/2 {
		t.Errorf("of %d findings: %+v", ports, b)
	}
	if len(b.Samples) != 1 || string(b.Samples[0].Parameters["port"]) != "8080" || len(b.Histogram) != 1 || b.Histogram[0].Jobs != 1 {
		t.Errorf("%+v", b)
	}
	var started pipeline.Page[pipeline.Execution]
	c.must(t, "GET", "/api/v1/executions?project="+project, nil, &started)
	if a := c.settle(t, project); a.Executions[pipeline.StateSucceeded]+a.Executions[pipeline.StateFailed] != int(started.Total) {
		t.Errorf("a backtest started something: %+v", a)
	}
	if s := c.do(t, "POST", "/api/v1/subscriptions/backtest", map[string]any{"document": "name: x\nfindings: [A]\ncooldown: -1\njob: {name: J}\n"}, nil); s != 400 && s != 422 {
		t.Errorf("a draft with a mistake: %d", s)
	}
}
