package v1

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
)

const hello = "version: 2\nname: Hello\ntype: code\nlanguage: python\ndeadline: 30m\nparameters:\n  - {name: targetIp, type: string}\ncode: |\n  print(1)\n"

func problems(t *testing.T, a answer) []openapi.InputError {
	t.Helper()
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatal(err)
	}
	return p.Errors
}

func TestAJobIsCreatedChangedCopiedAndDeleted(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	var j jobView
	a := c.must("POST", "/jobs", hello, &j, "Content-Type", "application/yaml")
	if j.Name != "Hello" || j.Deadline != "30m0s" || j.Code != "print(1)\n" || a.header.Get("ETag") != `"1"` || a.header.Get("Location") != "/api/v1/jobs/"+j.ID {
		t.Fatalf("created %+v, %v", j, a.header)
	}
	c.refused(409, "exists already", "POST", "/jobs", hello, "Content-Type", "application/yaml")
	a = c.must("PATCH", "/jobs/"+j.ID, map[string]any{"summary": "Says hello.", "deadline": ""}, &j, "If-Match", `"1"`)
	if j.Summary != "Says hello." || j.Deadline != "" || j.Code != "print(1)\n" || a.header.Get("ETag") != `"2"` {
		t.Errorf("changed %+v", j)
	}
	c.refused(412, "read it again", "PATCH", "/jobs/"+j.ID, map[string]any{"summary": "x"}, "If-Match", `"1"`)
	c.refused(412, "read it again", "DELETE", "/jobs/"+j.ID, nil, "If-Match", `"1"`)
	c.must("PATCH", "/jobs/"+j.ID, strings.Replace(hello, "print(1)", "print(2)", 1), &j, "Content-Type", "application/yaml", "If-Match", `"1", "2"`)
	if j.Code != "print(2)\n" || j.Summary != "" || j.Version != 3 {
		t.Errorf("a template replaces everything: %+v", j)
	}
	var first, second jobView
	c.must("POST", "/jobs/"+j.ID+"/duplicate", nil, &first)
	c.must("POST", "/jobs/"+j.ID+"/duplicate", map[string]any{}, &second)
	if first.Name != "Hello copy" || second.Name != "Hello copy 2" || first.Code != j.Code {
		t.Errorf("copies %q, %q", first.Name, second.Name)
	}
	c.must("DELETE", "/jobs/"+j.ID, nil, nil)
	c.refused(404, "", "GET", "/jobs/"+j.ID, nil)
	c.refused(404, "", "DELETE", "/jobs/"+j.ID, nil)
}

func TestEveryProblemOfAJobIsReportedAtOnce(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	got := problems(t, c.refused(400, "", "POST", "/jobs", map[string]any{
		"name": " ", "type": "code", "language": "yaml", "deadline": "1h", "podSize": "XL",
		"parameters": []map[string]any{{"name": "PATH", "type": "string"}, {"name": "n", "type": "number", "default": "many"}},
	}))
	var places []string
	for _, p := range got {
		places = append(places, p.Path)
	}
	if s := strings.Join(places, " "); s != "name language code parameters[0].name parameters[1].default" {
		t.Errorf("problems at %s", s)
	}
	got = problems(t, c.refused(400, "", "POST", "/jobs", "version: 2\nname: A\ncolour: red\ntype: code\nlanguage: python\ndeadline: soon\nparameters:\n  - {name: 1}\n", "Content-Type", "application/yaml"))
	want := []openapi.InputError{
		{In: "document", Path: "colour", Line: 3, Column: 1},
		{In: "document", Path: "deadline", Line: 6, Column: 11},
		{In: "document", Path: "parameters[0].name", Line: 8, Column: 12},
	}
	if len(got) != len(want) {
		t.Fatalf("problems %+v", got)
	}
	for i, w := range want {
		w.Message = got[i].Message
		if got[i] != w {
			t.Errorf("problem %+v, want %+v", got[i], w)
		}
	}
}

func TestBuiltInsAreReadOnlyAndCanBeCopied(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	doc := "name: S # a comment\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n"
	j := pipeline.Job{ID: pipeline.NewID(), Name: "J", Type: pipeline.JobCode, Language: "python", Code: "pass", BuiltIn: true}
	s := pipeline.Subscription{ID: pipeline.NewID(), Name: "S", Enabled: true, BuiltIn: true, Document: doc}
	if err := w.ctl.SeedBuiltIns(t.Context(), []pipeline.Job{j}, []pipeline.Subscription{s}); err != nil {
		t.Fatal(err)
	}
	c.refused(403, "read-only", "PATCH", "/jobs/"+j.ID, map[string]any{"summary": "mine"})
	c.refused(403, "read-only", "DELETE", "/jobs/"+j.ID, nil)
	c.refused(403, "read-only", "PATCH", "/subscriptions/"+s.ID, map[string]any{"document": doc + "\n"})
	c.refused(403, "disable it", "DELETE", "/subscriptions/"+s.ID, nil)
	var v subscriptionView
	c.must("PATCH", "/subscriptions/"+s.ID, map[string]any{"enabled": false}, &v)
	if v.Enabled || !v.BuiltIn {
		t.Errorf("disabled %+v", v)
	}
	c.must("POST", "/subscriptions/"+s.ID+"/duplicate", nil, &v)
	if v.Name != "S copy" || v.BuiltIn || v.Enabled || v.Document != strings.Replace(doc, "S #", "S copy #", 1) {
		t.Errorf("copy %+v", v)
	}
	var copied jobView
	c.must("POST", "/jobs/"+j.ID+"/duplicate", map[string]any{"name": "Mine"}, &copied)
	if copied.BuiltIn || copied.Name != "Mine" || copied.Code != "pass" {
		t.Errorf("copy %+v", copied)
	}
}

func TestASubscriptionThatCannotFireSaysWhy(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	var v subscriptionView
	doc := "name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: Hello}\n"
	c.must("POST", "/subscriptions", doc, &v, "Content-Type", "application/yaml")
	if !v.Broken || len(v.Problems) != 1 || v.Problems[0].Path != "job.name" || v.Job != "Hello" || v.Trigger != "event" {
		t.Errorf("created %+v", v)
	}
	c.must("POST", "/jobs", hello, nil, "Content-Type", "application/yaml")
	c.must("GET", "/subscriptions/"+v.ID, nil, &v)
	if v.Broken {
		t.Errorf("still broken: %+v", v.Problems)
	}
	got := problems(t, c.refused(400, "", "PATCH", "/subscriptions/"+v.ID, map[string]any{"document": "name: S\nfindings: []\ncooldwn: 1\njob: {name: Hello}\n"}))
	if len(got) < 3 || got[0].In != "document" || got[0].Line == 0 {
		t.Errorf("problems %+v", got)
	}
}

func TestTheSameCreationTwiceMakesOneThing(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	for _, path := range []string{"/projects", "/jobs", "/subscriptions"} {
		body := map[string]any{
			"/projects": map[string]any{"name": "A"}, "/jobs": map[string]any{"name": "A", "type": "code", "language": "python", "code": "pass"},
			"/subscriptions": map[string]any{"document": "name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: A}\n"},
		}[path]
		var first, again, other struct{ ID string }
		c.must("POST", path, body, &first, "Idempotency-Key", "one")
		c.must("POST", path, body, &again, "Idempotency-Key", "one")
		if first.ID != again.ID {
			t.Errorf("%s: the same key made %s and %s", path, first.ID, again.ID)
		}
		if path == "/subscriptions" { // names may repeat here
			c.must("POST", path, body, &other, "Idempotency-Key", "two")
			if first.ID == other.ID {
				t.Errorf("%s: another key found the first", path)
			}
		}
	}
	c.refused(400, "at most 255", "POST", "/projects", map[string]any{"name": "B"}, "Idempotency-Key", strings.Repeat("k", 256))
}
