package v1

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// MaxStopped is how many executions one request stops by name.
const MaxStopped = 100_000

// selectInput names executions: by ids, by what a list shows, or all of a project.
type selectInput struct {
	ProjectID string     `json:"projectId"`
	IDs       []string   `json:"ids"`
	Select    *selection `json:"select"`
}

// stopExecution asks for the end of one execution and waits a moment for it.
func (a *API) stopExecution(w http.ResponseWriter, r *http.Request) {
	e, err := a.execution(r)
	if err == nil && !e.State.Ended() {
		err = a.produceStops(r.Context(), []pipeline.StopRequest{a.stopRequest(r, e.ProjectID, e.ID)})
	}
	if err == nil {
		e, err = a.ended(r.Context(), e)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	status := http.StatusOK
	if !e.State.Ended() {
		status = http.StatusAccepted
	}
	reply(w, status, e)
}

// execution returns the one a route is about, if the caller may do there what the
// operation names.
func (a *API) execution(r *http.Request) (pipeline.Execution, error) {
	e, err := a.Store.Execution(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = allow(r, e.ProjectID)
	}
	if err == nil {
		about(r, e.ProjectID)
	}
	return e, hide(err)
}

// ended waits, within a bound, until an execution has ended.
func (a *API) ended(ctx context.Context, e pipeline.Execution) (pipeline.Execution, error) {
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for pause := 50 * time.Millisecond; !e.State.Ended(); pause = min(2*pause, time.Second) {
		select {
		case <-wait.Done():
			return e, nil
		case <-time.After(pause):
		}
		now, err := a.Store.Execution(ctx, e.ID)
		if err != nil {
			return e, err
		}
		e = now
	}
	return e, nil
}

func (a *API) stopRequest(r *http.Request, projectID, id string) pipeline.StopRequest {
	u := user(r)
	by := u.Email
	if by == "" {
		by = u.Name
	}
	return pipeline.StopRequest{ExecutionID: id, ProjectID: projectID, UserID: u.ID, By: by, At: a.now().UTC().Truncate(time.Millisecond)}
}

func (a *API) produceStops(ctx context.Context, stops []pipeline.StopRequest) error {
	recs := make([]bus.Record, len(stops))
	for i, s := range stops {
		v, err := record.Encode(s)
		if err != nil {
			return err
		}
		recs[i] = bus.Record{Topic: bus.TopicStops, Key: []byte(s.ExecutionID), Value: v, Time: s.At}
	}
	return a.Producer.Produce(ctx, recs)
}

// stopMany stops the open executions among those named. Without ids and select it
// stops everything of a project, or everything there is, including what was asked
// for and is not visible yet.
func (a *API) stopMany(w http.ResponseWriter, r *http.Request) {
	var in selectInput
	err := decode(w, r, &in)
	everything := len(in.IDs) == 0 && in.Select == nil
	if everything {
		in.Select = &selection{}
	}
	var stops []pipeline.StopRequest
	n := 0
	if err == nil {
		err = a.eachChosen(r, &in, "is:open", MaxStopped, func(e *pipeline.Execution) error {
			n++
			stops = append(stops, a.stopRequest(r, e.ProjectID, e.ID))
			return nil
		})
	}
	if err == nil && everything {
		stops = nil
		if projects := visible(r); in.ProjectID != "" || projects == nil {
			stops = []pipeline.StopRequest{a.stopRequest(r, in.ProjectID, "")}
		} else {
			for _, p := range projects {
				stops = append(stops, a.stopRequest(r, p, ""))
			}
		}
	}
	if err == nil && len(stops) > 0 {
		err = a.produceStops(r.Context(), stops)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusAccepted, map[string]int{"executions": n})
}

// eachChosen reads the executions that are named and also fit more.
func (a *API) eachChosen(r *http.Request, in *selectInput, more string, most int, each func(*pipeline.Execution) error) error {
	q := pipeline.ExecutionQuery{ProjectID: in.ProjectID, Visible: visible(r)}
	if in.ProjectID != "" {
		if err := allow(r, in.ProjectID); err != nil {
			return err
		}
		about(r, in.ProjectID)
	}
	text, err := a.chosenText(r, filter.Execution, in.IDs, in.Select)
	if err != nil {
		return err
	}
	if q.Text = more; text != "" {
		q.Text = more + " (" + text + ")"
	}
	n := 0
	return a.Store.EachExecution(r.Context(), q, func(list []pipeline.Execution) error {
		if n += len(list); n > most {
			return pipeline.Errorf(pipeline.CodeTooLarge, "more than %d executions are selected; select fewer at a time", most)
		}
		for i := range list {
			if err := each(&list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// retryExecution asks for the same once more, as a new execution.
func (a *API) retryExecution(w http.ResponseWriter, r *http.Request) {
	e, err := a.execution(r)
	var req pipeline.JobRequest
	if err == nil {
		req, err = a.again(r, &e, newID(r))
	}
	var visible bool
	if err == nil {
		note(r, e.Job)
		visible, err = a.ask(r.Context(), []pipeline.JobRequest{req})
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyLaunched(w, visible, &req)
}

var errOpen = errors.New("it has not ended yet: stop it first, or wait")

// again is the request of an execution that ended, with another id.
func (a *API) again(r *http.Request, e *pipeline.Execution, id string) (pipeline.JobRequest, error) {
	if !e.State.Ended() {
		return pipeline.JobRequest{}, pipeline.Errorf(pipeline.CodeConflict, "%w", errOpen)
	}
	return pipeline.JobRequest{
		ID: id, ProjectID: e.ProjectID, Job: e.Job, Arguments: e.Arguments, Priority: pipeline.PriorityPerson,
		At: a.now().UTC().Truncate(time.Millisecond), Target: e.Target, Control: a.Position(),
		Cause: pipeline.Cause{UserID: user(r).ID, RetryOf: e.ID, RootID: id},
	}, nil
}

// retryMany asks again for those of the named executions that did not succeed.
func (a *API) retryMany(w http.ResponseWriter, r *http.Request) {
	var in selectInput
	err := decode(w, r, &in)
	var reqs []pipeline.JobRequest
	ids := []string{}
	if err == nil {
		base := newID(r)
		err = a.eachChosen(r, &in, "is:ended -state:succeeded", MaxLaunched, func(e *pipeline.Execution) error {
			req, err := a.again(r, e, pipeline.DeriveID("retry", base, e.ID))
			req.Priority++
			reqs, ids = append(reqs, req), append(ids, req.ID)
			return err
		})
	}
	var visible bool
	if err == nil && len(reqs) > 0 {
		visible, err = a.ask(r.Context(), reqs)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	status := http.StatusCreated
	switch {
	case len(reqs) == 0:
		status = http.StatusOK
	case !visible:
		status = http.StatusAccepted
	}
	reply(w, status, map[string]any{"executions": len(ids), "ids": ids})
}
