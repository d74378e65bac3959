package v1

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

type jobTemplates interface {
	JobTemplates(ctx context.Context) ([]pipeline.Job, error)
	JobTemplate(ctx context.Context, id string) (pipeline.Job, error)
	CreateJobTemplate(ctx context.Context, j pipeline.Job) (pipeline.Job, error)
	UpdateJobTemplate(ctx context.Context, j pipeline.Job) (pipeline.Job, error)
	DeleteJobTemplate(ctx context.Context, j pipeline.Job) error
}

func (a *API) jobTemplateRoutes(r chi.Router) {
	r.Get("/job-templates", a.listJobTemplates)
	r.Post("/job-templates", a.createJobTemplate)
	r.Get("/job-templates/{id}", a.getJobTemplate)
	r.Patch("/job-templates/{id}", a.updateJobTemplate)
	r.Delete("/job-templates/{id}", a.deleteJobTemplate)
}

func (a *API) listJobTemplates(w http.ResponseWriter, r *http.Request) {
	all, err := a.Control.JobTemplates(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	views := make([]jobView, len(all))
	for i, j := range all {
		views[i] = viewJob(j)
	}
	list(w, views)
}

func (a *API) jobTemplate(r *http.Request) (pipeline.Job, error) {
	j, err := a.Control.JobTemplate(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		note(r, j.Name)
	}
	return j, err
}

func (a *API) getJobTemplate(w http.ResponseWriter, r *http.Request) {
	j, err := a.jobTemplate(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, j.Version, viewJob(j))
}

func (a *API) createJobTemplate(w http.ResponseWriter, r *http.Request) {
	j := pipeline.Job{ID: newID(r)}
	err := readJob(w, r, &j)
	if err == nil {
		note(r, j.Name)
		j, err = a.Control.CreateJobTemplate(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/job-templates/"+j.ID, j.Version, viewJob(j))
}

func (a *API) updateJobTemplate(w http.ResponseWriter, r *http.Request) {
	j, err := a.jobTemplate(r)
	if err == nil {
		err = match(r, j.Version)
	}
	if err == nil {
		err = readJob(w, r, &j)
	}
	if err == nil {
		j, err = a.Control.UpdateJobTemplate(r.Context(), j)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, j.Version, viewJob(j))
}

func (a *API) deleteJobTemplate(w http.ResponseWriter, r *http.Request) {
	j, err := a.jobTemplate(r)
	if err == nil {
		err = match(r, j.Version)
	}
	if err == nil {
		err = a.Control.DeleteJobTemplate(r.Context(), j)
	}
	a.done(w, err)
}
