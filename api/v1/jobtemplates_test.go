package v1

import (
	"slices"
	"testing"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/deploy"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// shipped gives a world the templates of the program.
func shipped(t *testing.T) *world {
	t.Helper()
	list, err := control.LoadTemplates(deploy.Templates())
	if err != nil || len(list) < 4 {
		t.Fatalf("%d templates, %v", len(list), err)
	}
	return newWorldOn(t, shelf{}, func(d *control.Deps) { d.Templates = list }, nil)
}

func TestAJobTemplateIsMadeChangedUsedAndDeleted(t *testing.T) {
	c := shipped(t).operator()
	var made jobView
	c.must("POST", "/job-templates", map[string]any{"name": " Ours ", "type": "code", "language": "python", "code": "pass", "podSize": "S", "deadline": "5m"}, &made)
	if made.Name != "Ours" || made.Version != 1 || made.Deadline != "5m0s" || made.BuiltIn {
		t.Errorf("made %+v", made)
	}
	c.refused(409, "exists already", "POST", "/job-templates", map[string]any{"name": "Ours", "type": "code", "language": "python", "code": "pass"})
	c.refused(409, "ships with", "POST", "/job-templates", map[string]any{"name": "HelloWorldJob", "type": "code", "language": "python", "code": "pass"})
	var page struct{ Items []jobView }
	c.must("GET", "/job-templates", nil, &page)
	var names []string
	for _, j := range page.Items {
		names = append(names, j.Name)
	}
	if !slices.IsSorted(names) || !slices.Contains(names, "Ours") || !slices.Contains(names, "HelloWorldJob") {
		t.Errorf("listed %q", names)
	}
	c.refused(412, "", "PATCH", "/job-templates/"+made.ID, map[string]any{"summary": "x"}, "If-Match", `"7"`)
	c.must("PATCH", "/job-templates/"+made.ID, map[string]any{"summary": "what we begin with"}, &made, "If-Match", `"1"`)
	if made.Version != 2 || made.Code != "pass" || made.Summary != "what we begin with" {
		t.Errorf("changed %+v", made)
	}
	c.must("GET", "/jobs", nil, &page) // a template is no job
	if len(page.Items) != 0 {
		t.Errorf("jobs %+v", page.Items)
	}
	c.must("DELETE", "/job-templates/"+made.ID, nil, nil)
	c.refused(404, "", "GET", "/job-templates/"+made.ID, nil)
	var log struct{ Items []auth.Event }
	c.must("GET", "/audit", nil, &log)
	for _, action := range []string{"createJobTemplate", "updateJobTemplate", "deleteJobTemplate"} {
		if !slices.ContainsFunc(log.Items, func(e auth.Event) bool { return e.Action == action && e.Status < 300 }) {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

func TestABuiltInJobTemplateIsReadOnlyAndAJobBegunWithItIsRight(t *testing.T) {
	c := shipped(t).operator()
	var page struct{ Items []jobView }
	c.must("GET", "/job-templates", nil, &page)
	for _, j := range page.Items {
		c.refused(403, "", "PATCH", "/job-templates/"+j.ID, map[string]any{"summary": "mine"})
		c.refused(403, "", "DELETE", "/job-templates/"+j.ID, nil)
		c.must("GET", "/job-templates/"+j.ID, nil, &j)
		in := map[string]any{"name": "My" + j.Name, "type": j.Type, "language": j.Language, "code": j.Code, "podSize": j.PodSize, "parameters": j.Parameters, "deadline": j.Deadline}
		if j.Type == pipeline.JobContainer {
			in["image"], in["command"] = j.Image, j.Command
		}
		c.must("POST", "/jobs", in, nil)
	}
}

func TestEveryProblemOfAJobTemplateIsReported(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	got := problems(t, c.refused(400, "", "POST", "/job-templates", map[string]any{"name": " ", "type": "code", "language": "yaml", "podSize": "XXXXL"}))
	if len(got) != 4 || got[0].Path != "name" || got[1].Path != "language" || got[2].Path != "code" || got[3].Path != "podSize" {
		t.Errorf("problems %+v", got)
	}
}

type sizePage struct {
	Items   []pipeline.PodSize
	Largest amounts
}

func TestAPodSizeIsAddedChangedBoundedAndDeleted(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	var page sizePage
	c.must("GET", "/pod-sizes", nil, &page)
	if len(page.Items) != 6 || page.Items[0].Name != "XS" || page.Items[5].Name != "XXL" || !page.Items[0].Configured || page.Largest != (amounts{2000, 2048}) {
		t.Errorf("listed %+v", page)
	}
	for body, at := range map[amounts]string{{5, 100}: "milliCpu", {100, 1}: "memoryMiB", {2001, 100}: "milliCpu", {100, 2049}: "memoryMiB"} {
		if got := problems(t, c.refused(400, "", "PUT", "/pod-sizes/Huge", body)); len(got) != 1 || got[0].Path != at {
			t.Errorf("%+v: problems %+v", body, got)
		}
	}
	c.refused(400, "", "PUT", "/pod-sizes/no%20name", amounts{100, 100})
	job := map[string]any{"name": "J", "type": "code", "language": "python", "code": "pass", "podSize": "Scan"}
	if got := problems(t, c.refused(400, "", "POST", "/jobs", job)); len(got) != 1 || got[0].Path != "podSize" {
		t.Errorf("problems %+v", got)
	}
	var s pipeline.PodSize
	c.must("PUT", "/pod-sizes/Scan", amounts{1500, 1800}, &s)
	if s.Version != 1 || s.Configured || s.MemoryMiB != 1800 {
		t.Errorf("added %+v", s)
	}
	c.refused(412, "", "PUT", "/pod-sizes/Scan", amounts{1500, 1900}, "If-Match", `"0"`)
	c.must("PUT", "/pod-sizes/Scan", amounts{1500, 1900}, &s, "If-Match", `"1"`)
	var j jobView
	c.must("POST", "/jobs", job, &j)
	c.refused(409, "J", "DELETE", "/pod-sizes/Scan", nil)
	c.must("DELETE", "/jobs/"+j.ID, nil, nil)
	c.must("DELETE", "/pod-sizes/Scan", nil, nil)
	c.refused(404, "", "GET", "/pod-sizes/Scan", nil)

	c.refused(403, "", "DELETE", "/pod-sizes/M", nil)
	c.must("PUT", "/pod-sizes/M", amounts{300, 300}, &s)
	if !s.Configured || s.Version != 1 {
		t.Errorf("changed %+v", s)
	}
	c.must("DELETE", "/pod-sizes/M", nil, nil)
	c.must("GET", "/pod-sizes/M", nil, &s)
	if s.MilliCPU != 150 || s.MemoryMiB != 150 || s.Version != 0 {
		t.Errorf("after that it is %+v", s)
	}
	changes := w.bus.about(t, record.ChangePodSize)
	if len(changes) != 5 || changes[1].PodSize.MemoryMiB != 1900 || !changes[2].Deleted() || changes[3].PodSize.MilliCPU != 300 || !changes[4].Deleted() {
		t.Errorf("the launcher is told %+v", changes)
	}
}
