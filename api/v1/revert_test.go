package v1

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

// A copy becomes again what the original is, as it ships now, and keeps its own name,
// project and switch.
func TestACopyOfABuiltInIsReverted(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	j := pipeline.Job{ID: pipeline.NewID(), Name: "J", Type: pipeline.JobCode, Language: "python", Code: "pass", BuiltIn: true}
	s := pipeline.Subscription{ID: pipeline.NewID(), Name: "S", Enabled: true, BuiltIn: true, Document: "name: S # mine\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n"}
	seed := func() {
		t.Helper()
		if err := w.ctl.SeedBuiltIns(t.Context(), []pipeline.Job{j}, []pipeline.Subscription{s}); err != nil {
			t.Fatal(err)
		}
	}
	seed()
	var sub, second subscriptionView
	c.must("POST", "/subscriptions/"+s.ID+"/duplicate", map[string]any{"name": "Copy"}, &sub)
	c.must("PATCH", "/subscriptions/"+sub.ID, map[string]any{"enabled": true, "document": strings.Replace(sub.Document, "cooldown: 1", "cooldown: 7", 1)}, &sub)
	c.must("POST", "/subscriptions/"+sub.ID+"/duplicate", nil, &second) // a copy of the copy is one of the original
	var job jobView
	c.must("POST", "/jobs/"+j.ID+"/duplicate", map[string]any{"name": "Mine"}, &job)
	c.must("PATCH", "/jobs/"+job.ID, map[string]any{"code": "print(1)", "summary": "Mine."}, &job)
	c.must("PATCH", "/jobs/"+job.ID, strings.Replace(hello, "Hello", "Mine", 1), &job, "Content-Type", "application/yaml")
	if sub.OriginID != s.ID || second.OriginID != s.ID || job.OriginID != j.ID {
		t.Fatalf("origins %q %q of %q, %q of %q", sub.OriginID, second.OriginID, s.ID, job.OriginID, j.ID)
	}

	s.Document, j.Code = strings.Replace(s.Document, "cooldown: 1", "cooldown: 2", 1), "print(2)" // a new release
	seed()
	c.refused(412, "read it again", "POST", "/subscriptions/"+sub.ID+"/revert", nil, "If-Match", `"1"`)
	version := sub.Version
	c.must("POST", "/subscriptions/"+sub.ID+"/revert", nil, &sub, "If-Match", `"2"`)
	if sub.Document != strings.Replace(s.Document, "S #", "Copy #", 1) || sub.Name != "Copy" || !sub.Enabled || sub.Version != version+1 || sub.BuiltIn {
		t.Errorf("subscription %+v", sub)
	}
	c.must("POST", "/subscriptions/"+second.ID+"/revert", nil, &second)
	if second.Document != strings.Replace(s.Document, "S #", second.Name+" #", 1) || second.Enabled {
		t.Errorf("copy of the copy %+v", second)
	}
	version = job.Version
	a := c.must("POST", "/jobs/"+job.ID+"/revert", nil, &job)
	if job.Code != "print(2)" || job.Summary != "" || job.Deadline != "" || len(job.Parameters) != 0 || job.Name != "Mine" || job.BuiltIn || job.Version != version+1 || a.header.Get("ETag") == "" {
		t.Errorf("job %+v", job)
	}
	version = job.Version
	c.must("POST", "/jobs/"+job.ID+"/revert", nil, &job)
	c.must("POST", "/subscriptions/"+sub.ID+"/revert", nil, &sub)
	if job.Version != version || sub.Version != 3 {
		t.Errorf("what is equal changed: %d, %d", job.Version, sub.Version)
	}
}

// An original differs from its document in its switch only.
func TestAnOriginalIsSwitchedAsItsDocumentSays(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	s := pipeline.Subscription{ID: pipeline.NewID(), Name: "S", BuiltIn: true, Document: "name: S\nisEnabled: false\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n"}
	j := pipeline.Job{ID: pipeline.NewID(), Name: "J", Type: pipeline.JobCode, Language: "python", Code: "pass", BuiltIn: true}
	if err := w.ctl.SeedBuiltIns(t.Context(), []pipeline.Job{j}, []pipeline.Subscription{s}); err != nil {
		t.Fatal(err)
	}
	var v subscriptionView
	c.must("PATCH", "/subscriptions/"+s.ID, map[string]any{"enabled": true}, nil)
	c.must("POST", "/subscriptions/"+s.ID+"/revert", nil, &v)
	if v.Enabled || v.Document != s.Document || !v.BuiltIn {
		t.Errorf("%+v", v)
	}
	c.must("POST", "/jobs/"+j.ID+"/revert", nil, nil)
}

func TestWhatHasNoSourceIsNotReverted(t *testing.T) {
	w := newWorld(t, shelf{})
	c, repo := w.operator(), newRepository(t)
	var s, copied subscriptionView
	c.must("POST", "/subscriptions", onPort, &s, "Content-Type", "application/yaml")
	c.refused(409, "no copy of a built-in", "POST", "/subscriptions/"+s.ID+"/revert", nil)
	c.must("POST", "/subscriptions/"+s.ID+"/duplicate", nil, &copied)
	c.refused(409, "no copy of a built-in", "POST", "/subscriptions/"+copied.ID+"/revert", nil)
	var j jobView
	c.must("POST", "/jobs", hello, &j, "Content-Type", "application/yaml")
	c.refused(409, "no copy of a built-in", "POST", "/jobs/"+j.ID+"/revert", nil)

	// of a git source, until that is gone
	repo.commit(map[string]string{"subscriptions/a.yaml": onPort, "jobs/Probe/template.yaml": jobYAML, "jobs/Probe/main.py": "print(1)"})
	var src sourceView
	c.must("POST", "/sources", map[string]any{"url": "file://" + repo.dir, "interval": 0}, &src)
	var jobs pipeline.Page[jobView]
	c.must("GET", "/jobs", nil, &jobs)
	for _, x := range jobs.Items {
		if x.SourceID == src.ID {
			c.must("POST", "/jobs/"+x.ID+"/duplicate", nil, &j)
		}
	}
	c.must("PATCH", "/jobs/"+j.ID, map[string]any{"code": "pass"}, nil)
	repo.commit(map[string]string{"jobs/Probe/main.py": "print(3)"})
	c.must("POST", "/sources/"+src.ID+"/sync", nil, nil)
	c.must("POST", "/jobs/"+j.ID+"/revert", nil, &j)
	if j.Code != "print(3)" || j.SourceID != "" || j.SourceFile != "" || j.OriginID == "" {
		t.Errorf("%+v", j)
	}
	c.must("DELETE", "/sources/"+src.ID, nil, nil)
	c.refused(http.StatusConflict, "is gone", "POST", "/jobs/"+j.ID+"/revert", nil)
}
