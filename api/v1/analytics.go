package v1

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// analytics reads numbers over time.
type analytics interface {
	Series(ctx context.Context, q pipeline.SeriesQuery) (pipeline.Series, error)
	Trends(ctx context.Context, q pipeline.TrendQuery) (pipeline.Trends, error)
	JobStats(ctx context.Context, q pipeline.JobStatsQuery) ([]pipeline.JobStats, error)
}

func (a *API) analyticsRoutes(r chi.Router) {
	for _, k := range kinds {
		r.Get("/"+k.path+"/series", a.series(k.kind))
	}
	r.Get("/executions/jobs", a.jobStats)
	r.Get("/trends", a.trends)
}

// series answers when the things of a list came.
func (a *API) series(kind pipeline.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := query(r, "project", "q", "field", "limit", "since", "until", "step")
		q := pipeline.SeriesQuery{
			Kind: kind, ProjectID: v.Get("project"), Visible: visible(r), Field: v.Get("field"), Step: pipeline.Step(v.Get("step")),
		}
		if err == nil {
			q.Limit, err = limit(v)
		}
		if err == nil {
			q.Since, q.Until, err = during(v)
		}
		if err == nil {
			q.Text, err = a.filterText(r, kind, v.Get("q"))
		}
		answered(a, w, r, err, q, a.Store.Series)
	}
}

// during reads a stretch of time, of which either end may be missing.
func during(v url.Values) (since, until time.Time, err error) {
	if since, err = moment("since", v); err == nil {
		until, err = moment("until", v)
	}
	return since, until, err
}

func (a *API) trends(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "project", "since")
	q := pipeline.TrendQuery{ProjectID: v.Get("project"), Visible: visible(r)}
	if err == nil {
		q.Since, err = moment("since", v)
	}
	answered(a, w, r, err, q, a.Store.Trends)
}

func (a *API) jobStats(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "project", "q", "since", "limit")
	q := pipeline.JobStatsQuery{ProjectID: v.Get("project"), Visible: visible(r)}
	if err == nil {
		q.Since, err = moment("since", v)
	}
	if err == nil {
		q.Limit, err = limit(v)
	}
	if err == nil {
		q.Text, err = a.filterText(r, filter.Execution, v.Get("q"))
	}
	var out []pipeline.JobStats
	if err == nil {
		out, err = a.Store.JobStats(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, out)
}

// answered asks the store, or answers with what was wrong with asking.
func answered[Q, T any](a *API, w http.ResponseWriter, r *http.Request, err error, q Q, ask func(context.Context, Q) (T, error)) {
	var out T
	if err == nil {
		out, err = ask(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}
