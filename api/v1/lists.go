package v1

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// resource adds the list and the view of one kind of resource.
func resource[T any](a *API, r chi.Router, kind pipeline.Kind, path string,
	all func(context.Context, pipeline.Query) (pipeline.Page[T], error), one func(context.Context, string) (T, error), owner func(T) string,
) {
	r.Get(path, func(w http.ResponseWriter, r *http.Request) {
		v, err := query(r, "project", "q", "sort", "limit", "cursor")
		var q pipeline.Query
		if err == nil {
			q = pipeline.Query{ProjectID: v.Get("project"), Visible: visible(r), Sort: v.Get("sort"), Cursor: v.Get("cursor")}
			q.Limit, err = limit(v)
		}
		if err == nil {
			q.Text, err = a.filterText(r, kind, v.Get("q"))
		}
		if err == nil && q.ProjectID != "" {
			err = id("project", q.ProjectID)
		}
		page(a, w, r, err, q, all)
	})
	r.Get(path+"/{id}", func(w http.ResponseWriter, r *http.Request) { view(a, w, r, one, owner) })
}

// page answers with one page, or with what was wrong with asking for it.
func page[Q, T any](a *API, w http.ResponseWriter, r *http.Request, err error, q Q, all func(context.Context, Q) (pipeline.Page[T], error)) {
	var p pipeline.Page[T]
	if err == nil {
		p, err = all(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	reply(w, http.StatusOK, p)
}

// view answers with one thing, if the caller may see the project that owns it.
func view[T any](a *API, w http.ResponseWriter, r *http.Request, one func(context.Context, string) (T, error), owner func(T) string) {
	v, err := one(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = allow(r, owner(v))
	}
	if err != nil {
		a.fail(w, hide(err))
		return
	}
	reply(w, http.StatusOK, v)
}

// hide says of a thing in a project that the caller may not see what is said of a
// thing that does not exist.
func hide(err error) error {
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		return pipeline.Errorf(pipeline.CodeNotFound, "nothing has this id")
	}
	return err
}

func (a *API) listFindings(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "project", "target", "key", "execution", "q", "sort", "limit", "cursor")
	var q pipeline.FindingQuery
	if err == nil {
		q = pipeline.FindingQuery{ProjectID: v.Get("project"), Visible: visible(r), Target: v.Get("target"), Key: v.Get("key"), ExecutionID: v.Get("execution"), Sort: v.Get("sort"), Cursor: v.Get("cursor")}
		q.Limit, err = limit(v)
	}
	if err == nil {
		q.Text, err = a.filterText(r, filter.Finding, v.Get("q"))
	}
	if err == nil && q.ProjectID != "" {
		err = id("project", q.ProjectID)
	}
	page(a, w, r, err, q, a.Store.Findings)
}

func (a *API) listExecutions(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "project", "state", "q", "sort", "limit", "cursor")
	var q pipeline.ExecutionQuery
	if err == nil {
		q = pipeline.ExecutionQuery{ProjectID: v.Get("project"), Visible: visible(r), State: pipeline.State(v.Get("state")), Sort: v.Get("sort"), Cursor: v.Get("cursor")}
		q.Limit, err = limit(v)
	}
	if err == nil {
		q.Text, err = a.filterText(r, filter.Execution, v.Get("q"))
	}
	switch {
	case err != nil:
	case q.ProjectID != "" && id("project", q.ProjectID) != nil:
		err = id("project", q.ProjectID)
	case q.State != "" && !slices.Contains(pipeline.States(), q.State):
		err = pipeline.Errorf(pipeline.CodeInvalid, "state: %q is none of %v", q.State, pipeline.States())
	}
	page(a, w, r, err, q, a.Store.Executions)
}

func (a *API) getExecution(w http.ResponseWriter, r *http.Request) {
	view(a, w, r, a.Store.Execution, func(e pipeline.Execution) string { return e.ProjectID })
}
