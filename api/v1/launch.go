package v1

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// launchInput is what a person asks to be run.
type launchInput struct {
	ProjectID  string              `json:"projectId"`
	Job        string              `json:"job"`
	Arguments  []pipeline.Argument `json:"arguments"`
	Undeclared bool                `json:"undeclared"` // take arguments the job does not declare
	Priority   int                 `json:"priority"`
}

// launching is a request to launch whose project and job were found.
type launching struct {
	launchInput
	project  pipeline.Project
	job      pipeline.Job
	bounds   *pipeline.Bounds
	user     string
	id       string
	at       time.Time
	position int64
}

// launching checks who may launch what, and where.
func (a *API) launching(r *http.Request, in launchInput) (*launching, error) {
	l := &launching{launchInput: in, user: user(r).ID, id: newID(r), at: a.now().UTC().Truncate(time.Millisecond)}
	if err := allow(r, in.ProjectID); err != nil {
		return nil, err
	}
	about(r, in.ProjectID)
	var err error
	if l.project, err = a.Control.Project(r.Context(), in.ProjectID); err != nil {
		return nil, err
	}
	if l.job, err = a.jobNamed(r.Context(), in.Job); err != nil {
		return nil, err
	}
	l.bounds, err = l.project.Bounds()
	l.position = a.Position()
	return l, err
}

func (a *API) jobNamed(ctx context.Context, name string) (pipeline.Job, error) {
	jobs, err := a.Control.Jobs(ctx)
	if err != nil {
		return pipeline.Job{}, err
	}
	var near []string
	for i := range jobs {
		if jobs[i].Name == name || jobs[i].ID == name {
			return jobs[i], nil
		}
		if strings.Contains(strings.ToLower(jobs[i].Name), strings.ToLower(name)) && len(near) < 5 {
			near = append(near, jobs[i].Name)
		}
	}
	message := "no job is named " + pipeline.Head(name, 100)
	if len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return pipeline.Job{}, control.Problems{{Path: "job", Message: message}}
}

// request is what the launcher gets.
func (l *launching) request(id, target string, args []pipeline.Argument) pipeline.JobRequest {
	priority := l.Priority
	if priority == 0 {
		priority = pipeline.PriorityPerson
	}
	return pipeline.JobRequest{
		ID: id, ProjectID: l.project.ID, Job: l.job.Name, Arguments: args, Priority: priority, At: l.at, Target: target, Control: l.position,
		Cause: pipeline.Cause{UserID: l.user, RootID: id},
	}
}

// launch runs a job once.
func (a *API) launch(w http.ResponseWriter, r *http.Request) {
	var in launchInput
	err := decode(w, r, &in)
	var l *launching
	if err == nil {
		l, err = a.launching(r, in)
	}
	var req pipeline.JobRequest
	if err == nil {
		req, err = l.once()
	}
	var visible bool
	if err == nil {
		note(r, l.job.Name)
		visible, err = a.ask(r.Context(), []pipeline.JobRequest{req})
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyLaunched(w, visible, &req)
}

// once is the one request of a launch without resources. What its arguments aim at
// has to be in scope, as for anything else.
func (l *launching) once() (pipeline.JobRequest, error) {
	if p := control.CheckArguments(&l.job, l.Arguments, l.Undeclared); len(p) > 0 {
		return pipeline.JobRequest{}, p
	}
	target := ""
	for i, at := range aims(l.Arguments) {
		if err := l.judge(&pipeline.Target{Locators: at}); err != nil {
			return pipeline.JobRequest{}, err
		}
		key, err := pipeline.CorrelationKey(l.project.ID, at, false)
		if i == 0 && err == nil {
			target = key
		}
	}
	return l.request(l.id, target, l.Arguments), nil
}

func (l *launching) judge(t *pipeline.Target) error {
	v := l.bounds.Judge(t)
	if v.Allowed() {
		return nil
	}
	return pipeline.Errorf(pipeline.CodeForbidden, "%s", v.Sentence(t))
}

// aims returns what the customary arguments of a job aim at, the main one first.
// What is none of them is the job's own business.
func aims(args []pipeline.Argument) []pipeline.Locators {
	values := map[string]json.RawMessage{}
	for _, a := range args {
		values[a.Name] = a.Value
	}
	var out []pipeline.Locators
	ip, errIP := normal.Addr(textOf(values["targetIp"]))
	domain, errDomain := normal.Domain(textOf(values["domainName"]))
	var mask, port int
	_ = json.Unmarshal(values["targetMask"], &mask)
	_ = json.Unmarshal(values["port"], &port)
	at := pipeline.Locators{}
	switch {
	case errIP == nil && mask > 0:
		at.IP, at.Mask = ip.String(), &mask
	case errIP == nil && errDomain == nil && port > 0:
		at = pipeline.Locators{IP: ip.String(), Domain: domain, Port: port, Protocol: pipeline.TCP, Path: textOf(values["path"])}
	case errIP == nil:
		at.IP = ip.String()
	case errDomain == nil:
		at.Domain = domain
	}
	if at != (pipeline.Locators{}) {
		out = append(out, at)
	}
	var names []string
	_ = json.Unmarshal(values["domainNames"], &names)
	for _, n := range names {
		if d, err := normal.Domain(n); err == nil {
			out = append(out, pipeline.Locators{Domain: d})
		}
	}
	return out
}

// textOf is a JSON text without its quotes, "" for anything else.
func textOf(v json.RawMessage) string {
	var s string
	_ = json.Unmarshal(v, &s)
	return s
}

// ask puts requests on the bus, and reports whether the next read shows them.
func (a *API) ask(ctx context.Context, reqs []pipeline.JobRequest) (bool, error) {
	const chunk = 500
	var all []bus.Record
	for len(reqs) > 0 {
		n := min(chunk, len(reqs))
		recs := make([]bus.Record, n)
		for i := range reqs[:n] {
			v, err := record.Encode(reqs[i])
			if err != nil {
				return false, err
			}
			recs[i] = bus.Record{Topic: bus.TopicJobs, Key: []byte(reqs[i].ID), Value: v, Time: reqs[i].At}
		}
		if err := a.Producer.Produce(ctx, recs); err != nil {
			return false, err
		}
		all, reqs = append(all, recs...), reqs[n:]
	}
	return a.visible(ctx, all), nil
}

// asked is how an execution looks that was just asked for.
func asked(q *pipeline.JobRequest) pipeline.Execution {
	e := pipeline.Execution{
		ID: q.ID, ProjectID: q.ProjectID, Job: q.Job, State: pipeline.StateQueued, Arguments: q.Arguments, Cause: q.Cause, Target: q.Target, QueuedAt: q.At,
	}
	if e.Arguments == nil {
		e.Arguments = []pipeline.Argument{}
	}
	return e
}

func replyLaunched(w http.ResponseWriter, visible bool, q *pipeline.JobRequest) {
	w.Header().Set("Location", Path+"/executions/"+q.ID)
	status := http.StatusCreated
	if !visible {
		status = http.StatusAccepted
	}
	reply(w, status, asked(q))
}
