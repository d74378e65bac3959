package v1

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// runs is a store with executions in it, and hosts to launch jobs for.
type runs struct {
	shelf
	executions []pipeline.Execution
	hosts      []pipeline.Host
}

func (s *runs) Execution(_ context.Context, id string) (pipeline.Execution, error) {
	for _, e := range s.executions {
		if e.ID == id {
			return e, nil
		}
	}
	return pipeline.Execution{}, pipeline.Errorf(pipeline.CodeNotFound, "none")
}

// EachExecution knows projects and states, not filters.
func (s *runs) EachExecution(_ context.Context, q pipeline.ExecutionQuery, each func([]pipeline.Execution) error) error {
	for _, e := range s.executions {
		may := q.ProjectID == e.ProjectID || q.ProjectID == "" && (q.Visible == nil || strings.Contains(strings.Join(q.Visible, " "), e.ProjectID))
		if may && e.State.Ended() == strings.HasPrefix(q.Text, "is:ended") {
			if err := each([]pipeline.Execution{e}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *runs) EachHost(_ context.Context, q pipeline.Query, _ bool, each func([]pipeline.Host) error) error {
	var list []pipeline.Host
	for _, h := range s.hosts {
		if q.ProjectID == h.ProjectID {
			list = append(list, h)
		}
	}
	return each(list)
}

func (s *runs) NamesOf(_ context.Context, _ string, ips []string) (map[string][]string, error) {
	return map[string][]string{"203.0.114.9": {"www.acme.example"}}, nil
}

// requested are the requests of a kind that the bus has.
func requested[T any](t *testing.T, w *world, topic string) (out []T) {
	t.Helper()
	w.bus.mu.Lock()
	defer w.bus.mu.Unlock()
	for _, r := range w.bus.recs {
		if r.Topic != topic {
			continue
		}
		v, err := record.Decode[T](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

const probe = `version: 2
name: Probe
type: code
language: python
code: pass
parameters:
  - {name: targetIp, type: string, required: true}
  - {name: ports, type: "number[]", default: [80]}
  - {name: key, type: string, secret: true}
`

func arg(pairs ...any) []map[string]any {
	var out []map[string]any
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, map[string]any{"name": pairs[i], "value": pairs[i+1]})
	}
	return out
}

// two returns a world with two projects and the Probe job.
func two(t *testing.T, s store) (w *world, mine, other pipeline.Project) {
	t.Helper()
	w = newWorld(t, s)
	op := w.operator()
	op.must("POST", "/projects", map[string]any{"name": "Mine", "scope": map[string]any{"out": []string{"203.0.114.66"}}}, &mine)
	op.must("POST", "/projects", map[string]any{"name": "Other"}, &other)
	op.must("POST", "/jobs", probe, nil, "Content-Type", "application/yaml")
	return w, mine, other
}

func (w *world) member(email, projectID string, role auth.Role) *client {
	w.t.Helper()
	c := w.person(email)
	w.operator().must("PUT", "/projects/"+projectID+"/members/user/"+c.id, map[string]any{"role": role}, nil)
	return c
}

func TestALaunchIsCheckedBeforeAnythingRuns(t *testing.T) {
	w, mine, other := two(t, &runs{})
	editor, viewer := w.member("e@example.com", mine.ID, auth.RoleEditor), w.member("v@example.com", mine.ID, auth.RoleViewer)
	ask := func(project, job string, args any) map[string]any {
		return map[string]any{"projectId": project, "job": job, "arguments": args}
	}
	ok := ask(mine.ID, "Probe", arg("targetIp", "203.0.114.1"))
	viewer.refused(403, "automation:job-executions:create", "POST", "/executions", ok)
	editor.refused(404, "no project", "POST", "/executions", ask(other.ID, "Probe", arg("targetIp", "203.0.114.1")))
	(&client{w: w}).refused(401, "", "POST", "/executions", ok)
	for want, args := range map[string]any{
		"targetIp is missing":              arg("ports", []int{1}),
		"prots is no parameter of Probe":   arg("targetIp", "203.0.114.1", "prots", []int{1}),
		"is no number[]":                   arg("targetIp", "203.0.114.1", "ports", "many"),
		"given twice":                      arg("targetIp", "203.0.114.1", "targetIp", "203.0.114.2"),
		"reserved":                         arg("targetIp", "203.0.114.1", "PATH", "x"),
		"key is a secret: store the value": arg("targetIp", "203.0.114.1", "key", "hunter2"),
	} {
		editor.refused(400, want, "POST", "/executions", ask(mine.ID, "Probe", args))
	}
	editor.refused(400, "did you mean Probe", "POST", "/executions", ask(mine.ID, "prob", arg("targetIp", "203.0.114.1")))
	editor.refused(403, "lists 203.0.114.66/32 as out of scope", "POST", "/executions", ask(mine.ID, "Probe", arg("targetIp", "203.0.114.66")))
	editor.refused(403, "special-purpose", "POST", "/executions", ask(mine.ID, "Probe", arg("targetIp", "169.254.169.254")))
	if got := requested[pipeline.JobRequest](t, w, bus.TopicJobs); len(got) != 0 {
		t.Fatalf("asked for %+v", got)
	}
	var first, again pipeline.Execution
	editor.must("POST", "/executions", ask(mine.ID, "Probe", arg("targetIp", "203.0.114.1", "key", "${secrets.api}")), &first, "Idempotency-Key", "k")
	editor.must("POST", "/executions", ask(mine.ID, "Probe", arg("targetIp", "203.0.114.1", "key", "${secrets.api}")), &again, "Idempotency-Key", "k")
	got := requested[pipeline.JobRequest](t, w, bus.TopicJobs)
	if len(got) != 2 || got[0].ID != got[1].ID || first.ID != again.ID || got[0].Priority != pipeline.PriorityPerson ||
		got[0].Cause.UserID != editor.id || got[0].Target != "project:"+mine.ID+";host:203.0.114.1" || got[0].Control == 0 {
		t.Errorf("asked for %+v", got)
	}
}

func TestABatchLeavesOutWhatMayNotBeAimedAt(t *testing.T) {
	s := &runs{}
	w, mine, other := two(t, s)
	host := func(project, ip string, blocked bool) pipeline.Host {
		return pipeline.Host{IP: ip, Seen: pipeline.Seen{ProjectID: project, CorrelationKey: "project:" + project + ";host:" + ip, Blocked: blocked}}
	}
	s.hosts = []pipeline.Host{
		host(mine.ID, "203.0.114.1", false), host(mine.ID, "203.0.114.2", true), host(mine.ID, "203.0.114.66", false),
		host(mine.ID, "10.0.0.1", false), host(mine.ID, "203.0.114.9", false), host(other.ID, "203.0.114.7", false),
	}
	editor := w.member("e@example.com", mine.ID, auth.RoleEditor)
	ask := map[string]any{"projectId": mine.ID, "job": "Probe", "kind": "hosts", "select": map[string]any{"q": ""}}
	var out launched
	editor.must("POST", "/executions/batch", ask, &out)
	got := requested[pipeline.JobRequest](t, w, bus.TopicJobs)
	if out.Executions != 2 || out.Skipped != (skipped{Blocked: 1, OutOfScope: 2}) || len(got) != 2 || got[1].Target != "project:"+mine.ID+";host:203.0.114.9" ||
		string(got[0].Arguments[0].Value) != `"203.0.114.1"` || got[0].Priority <= pipeline.PriorityPerson {
		t.Errorf("%+v asked for %+v", out, got)
	}
	ask["arguments"] = arg("targetIp", "${domainName}")
	editor.refused(400, "${domainName} means nothing here; what does is ${ip}", "POST", "/executions/batch", ask)
	ask["arguments"] = arg("targetIp", "${ip}", "key", "clear text")
	editor.refused(400, "key is a secret", "POST", "/executions/batch", ask)
	ask["projectId"] = other.ID
	editor.refused(404, "no project", "POST", "/executions/batch", ask)
	ask["projectId"], ask["ids"] = mine.ID, []string{hostID}
	editor.refused(400, "not by both", "POST", "/executions/batch", ask)
}

func TestStopAndRetryReachOnlyWhatOneMayStop(t *testing.T) {
	s := &runs{}
	w, mine, other := two(t, s)
	run := func(project string, state pipeline.State) string {
		id := pipeline.NewID()
		s.executions = append(s.executions, pipeline.Execution{
			ID: id, ProjectID: project, Job: "Probe", State: state, QueuedAt: time.Now(), Arguments: []pipeline.Argument{}, Cause: pipeline.Cause{RootID: id},
		})
		return id
	}
	open, theirs := run(mine.ID, pipeline.StateRunning), run(other.ID, pipeline.StateRunning)
	failed := run(mine.ID, pipeline.StateFailed)
	run(other.ID, pipeline.StateFailed)
	editor, viewer := w.member("e@example.com", mine.ID, auth.RoleEditor), w.member("v@example.com", mine.ID, auth.RoleViewer)
	viewer.refused(403, "automation:job-executions:update", "POST", "/executions/"+open+"/stop", nil)
	viewer.refused(403, "", "POST", "/executions/stop", map[string]any{})
	editor.refused(404, "nothing has this id", "POST", "/executions/"+theirs+"/stop", nil)
	editor.refused(404, "nothing has this id", "POST", "/executions/"+theirs+"/retry", nil)
	editor.refused(404, "no project", "POST", "/executions/stop", map[string]any{"projectId": other.ID})
	var stopped struct{ Executions int }
	editor.must("POST", "/executions/stop", map[string]any{"select": map[string]any{"q": ""}}, &stopped)
	editor.must("POST", "/executions/stop", map[string]any{}, nil)
	w.operator().must("POST", "/executions/stop", map[string]any{}, nil)
	stops := requested[pipeline.StopRequest](t, w, bus.TopicStops)
	if len(stops) != 3 || stops[0].ExecutionID != open || stops[0].By != "e@example.com" || stopped.Executions != 1 ||
		stops[1].ExecutionID != "" || stops[1].ProjectID != mine.ID || stops[2].ProjectID != "" {
		t.Errorf("stops %+v", stops)
	}
	var retried struct{ IDs []string }
	editor.must("POST", "/executions/retry", map[string]any{"select": map[string]any{"q": ""}}, &retried)
	got := requested[pipeline.JobRequest](t, w, bus.TopicJobs)
	if len(got) != 1 || got[0].Cause.RetryOf != failed || got[0].ProjectID != mine.ID || got[0].ID != retried.IDs[0] {
		t.Errorf("retried %+v", got)
	}
}
