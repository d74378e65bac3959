package app_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// event is a server-sent one.
type event struct{ name, id, data string }

// follow reads a log's events until its end, or until enough says so.
func (c *client) follow(t *testing.T, path, lastID string, enough func(event) bool) (all []event) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || ct != "text/event-stream" {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, ct)
	}
	var e event
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ": ")
		switch key {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name == "" {
				continue // a comment
			}
			all = append(all, e)
			if enough(e) {
				return all
			}
			e = event{}
		}
	}
	return all
}

func lines(t *testing.T, all []event) (texts []string, last string) {
	t.Helper()
	for _, e := range all {
		if e.name != "line" {
			continue
		}
		var l pipeline.LogLine
		if err := json.Unmarshal([]byte(e.data), &l); err != nil {
			t.Fatal(err)
		}
		if l.Stream != pipeline.StreamEngine {
			texts = append(texts, l.Text)
		}
		last = e.id
	}
	return texts, last
}

func never(event) bool { return false }

func args(pairs ...any) []map[string]any {
	var out []map[string]any
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, map[string]any{"name": pairs[i], "value": pairs[i+1]})
	}
	return out
}

func TestAJobIsLaunchedFollowedStoppedAndRetried(t *testing.T) {
	c, _ := server(t, t.TempDir())
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Demo", "internal": []string{"127.0.70.0/24"}}, &p)
	var e pipeline.Execution
	c.must(t, "POST", "/api/v1/executions", map[string]any{"projectId": p.ID, "job": "Slow", "arguments": args("word", "hello", "targetIp", "127.0.70.9")}, &e)
	if e.State != pipeline.StateQueued || e.Target != "project:"+p.ID+";host:127.0.70.9" || e.Cause.RootID != e.ID {
		t.Errorf("launched %+v", e)
	}
	logs := "/api/v1/executions/" + e.ID + "/logs"
	all := c.follow(t, logs+"/stream", "", never)
	texts, _ := lines(t, all)
	if len(texts) != 2 || all[0].name != "state" || all[len(all)-1].name != "end" || !strings.Contains(all[len(all)-1].data, `"succeeded"`) {
		t.Errorf("events %v", all)
	}
	var second string // coming back from any line gives exactly what follows it
	for _, x := range all {
		if x.name == "line" && second == "" {
			second = x.id
		}
	}
	again := c.follow(t, logs+"/stream", second, never)
	if got, want := count(again, "line"), count(all, "line")-1; got != want {
		t.Errorf("%d lines after the first, want %d", got, want)
	}
	var page pipeline.LogPage
	c.must(t, "GET", logs+"?q=CAREFUL&level=info", nil, &page)
	if page.Total != 1 || page.Items[0].Text != "Careful now" || page.Levels[pipeline.LevelWarning] != 1 || page.Levels[pipeline.LevelInfo] != 0 {
		t.Errorf("searched %+v", page)
	}

	var open pipeline.Execution
	c.must(t, "POST", "/api/v1/executions", map[string]any{"projectId": p.ID, "job": "Slow", "arguments": args("word", "forever")}, &open)
	c.follow(t, "/api/v1/executions/"+open.ID+"/logs/stream", "", func(x event) bool { return strings.Contains(x.data, "begun forever") })
	c.must(t, "POST", "/api/v1/executions/"+open.ID+"/stop", nil, &open)
	c.until(t, "/api/v1/executions/"+open.ID, &open, func() bool { return open.State.Ended() })
	if open.State != pipeline.StateStopped || open.Reason != pipeline.ReasonPerson || !strings.HasPrefix(open.Detail, "stopped by ") {
		t.Errorf("stopped %+v", open)
	}
	c.must(t, "POST", "/api/v1/executions/"+open.ID+"/stop", nil, &open) // nothing happens any more
	c.must(t, "POST", "/api/v1/executions/"+open.ID+"/retry", nil, &e)
	if e.Cause.RetryOf != open.ID || e.ID == open.ID || string(e.Arguments[0].Value) != `"forever"` {
		t.Errorf("retried %+v", e)
	}
	var problem struct{ Detail string }
	if s := c.do(t, "POST", "/api/v1/executions/"+e.ID+"/retry", nil, &problem); s != 409 {
		t.Errorf("retry of an open execution: %d %s", s, problem.Detail)
	}
	var stopped struct{ Executions int }
	c.must(t, "POST", "/api/v1/executions/stop", map[string]any{"projectId": p.ID}, &stopped)
	c.until(t, "/api/v1/executions/"+e.ID, &e, func() bool { return e.State.Ended() })
	if stopped.Executions != 1 || e.State != pipeline.StateStopped {
		t.Errorf("stopped %d, %+v", stopped.Executions, e)
	}
	var retried struct {
		Executions int
		IDs        []string
	}
	c.must(t, "POST", "/api/v1/executions/retry", map[string]any{"projectId": p.ID, "select": map[string]any{"q": "job:Slow"}}, &retried)
	if retried.Executions != 2 { // the one that succeeded is left alone
		t.Errorf("retried %+v", retried)
	}
	c.must(t, "POST", "/api/v1/executions/stop", map[string]any{"ids": retried.IDs}, &stopped)
	for _, id := range retried.IDs {
		c.until(t, "/api/v1/executions/"+id, &e, func() bool { return e.State.Ended() })
	}
}

// TestAFailureSaidOverTheNetworkIsTheEnd runs jobs that speak the reference's
// contract: they say that they failed, or that all is well, and exit with 0.
func TestAFailureSaidOverTheNetworkIsTheEnd(t *testing.T) {
	c, _ := server(t, t.TempDir())
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Demo"}, &p)
	c.must(t, "POST", "/api/v1/jobs", map[string]any{
		"name": "Says", "type": "code", "language": "python", "parameters": []map[string]any{{"name": "status", "type": "string"}},
		"code": `import json, os, urllib.request
context = json.dumps({"Id": os.environ["STALKER_EXECUTION"], "ProjectId": os.environ["STALKER_PROJECT"], "Signature": os.environ["STALKER_TOKEN"]})
body = json.dumps({"Status": os.environ["status"], "RedKiteContext": context}).encode()
urllib.request.urlopen(urllib.request.Request(os.environ["STALKER_GATEWAY"] + "/Jobs/Status", body, {"Content-Type": "application/json"}), timeout=60).read()
`,
	}, nil)
	for status, want := range map[string]pipeline.Execution{
		"Failed":  {State: pipeline.StateFailed, Reason: pipeline.ReasonReported, Detail: "the job said so"},
		"Success": {State: pipeline.StateSucceeded}, "Ended": {State: pipeline.StateSucceeded},
	} {
		var e pipeline.Execution
		c.must(t, "POST", "/api/v1/executions", map[string]any{"projectId": p.ID, "job": "Says", "arguments": args("status", status)}, &e)
		c.until(t, "/api/v1/executions/"+e.ID, &e, func() bool { return e.State.Ended() })
		if e.State != want.State || e.Reason != want.Reason || e.Detail != want.Detail || e.ExitCode == nil || *e.ExitCode != 0 {
			t.Errorf("%s: %+v", status, e)
		}
	}
}

func count(all []event, name string) (n int) {
	for _, e := range all {
		if e.name == name {
			n++
		}
	}
	return n
}

// until asks again until ok.
func (c *client) until(t *testing.T, path string, out any, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; {
		c.must(t, "GET", path, nil, out)
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %+v", path, out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestABatchAndTheChainOfAnExecution(t *testing.T) {
	c, _ := server(t, t.TempDir())
	project := seed(t, c)
	c.settle(t, project)
	batch := map[string]any{"projectId": project, "job": "Slow", "kind": "ports", "select": map[string]any{"q": "port:22"}, "arguments": args("word", "${ip}:${port}"), "dryRun": true}
	var out struct {
		Resources, Executions int
		Skipped               struct{ Blocked, OutOfScope, Merged int }
		IDs                   []string
		Examples              []pipeline.Execution
	}
	c.must(t, "POST", "/api/v1/executions/batch", batch, &out)
	if out.Resources != 1 || out.Executions != 1 || len(out.IDs) != 0 {
		t.Fatalf("preview %+v", out)
	}
	got := map[string]string{}
	for _, a := range out.Examples[0].Arguments {
		got[a.Name] = string(a.Value)
	}
	if got["word"] != `"127.0.70.1:22"` || got["targetIp"] != `"127.0.70.1"` || got["port"] != "22" || !strings.HasSuffix(out.Examples[0].Target, ";port:22;protocol:tcp") {
		t.Errorf("arguments %v, target %s", got, out.Examples[0].Target)
	}
	delete(batch, "dryRun")
	c.must(t, "POST", "/api/v1/executions/batch", batch, &out)
	var e pipeline.Execution
	c.until(t, "/api/v1/executions/"+out.IDs[0], &e, func() bool { return e.State.Ended() })
	if e.State != pipeline.StateSucceeded {
		t.Errorf("ran as %+v", e)
	}
	batch["select"], batch["batchSize"], batch["arguments"], batch["dryRun"], batch["undeclared"] = map[string]any{"q": ""}, 10, args("word", "x", "numbers", "${portBatch}"), true, true
	c.must(t, "POST", "/api/v1/executions/batch", batch, &out)
	if out.Resources != 2 || out.Executions != 1 || string(out.Examples[0].Arguments[1].Value) != "[22,8080]" {
		t.Errorf("in lists %+v", out)
	}

	var page pipeline.Page[pipeline.Execution]
	c.must(t, "GET", "/api/v1/executions?q=job:Ports&project="+project, nil, &page)
	var chain struct {
		Ancestors []pipeline.Execution
		Execution pipeline.Execution
		Children  pipeline.Page[pipeline.Execution]
	}
	c.must(t, "GET", "/api/v1/executions/"+page.Items[0].ID+"/chain", nil, &chain)
	if len(chain.Ancestors) != 1 || chain.Ancestors[0].Job != "Resolve" || chain.Children.Total != 2 || chain.Children.Items[0].Job != "Service" {
		t.Errorf("chain %+v", chain)
	}
	c.must(t, "GET", "/api/v1/executions?q=root:"+chain.Execution.Cause.RootID+"+subscription:serv*&project="+project, nil, &page)
	if page.Total != 2 {
		t.Errorf("%d executions of the chain by the subscription", page.Total)
	}
}
