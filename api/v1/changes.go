package v1

import (
	"net/http"
	"net/url"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// listChanges answers what became of a project's resources, the oldest first.
func (a *API) listChanges(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	var v url.Values
	if err == nil {
		v, err = query(r, "resource", "since", "until", "limit", "cursor")
	}
	q := pipeline.ChangeQuery{ProjectID: p.ID, ResourceID: v.Get("resource"), Cursor: v.Get("cursor")}
	if err == nil {
		q.Since, err = moment("since", v)
	}
	if err == nil {
		q.Until, err = moment("until", v)
	}
	if err == nil {
		q.Limit, err = limit(v)
	}
	var out pipeline.ChangePage
	if err == nil {
		out, err = a.Store.Changes(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}

// diff answers what is not at one time as it was at an earlier one.
func (a *API) diff(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	var v url.Values
	if err == nil {
		v, err = query(r, "from", "to", "limit", "cursor")
	}
	q := pipeline.DiffQuery{ProjectID: p.ID, Cursor: v.Get("cursor")}
	if err == nil {
		q.From, err = moment("from", v)
	}
	if err == nil {
		q.To, err = moment("to", v)
	}
	if err == nil && q.To.IsZero() {
		q.To = a.now()
	}
	if err == nil {
		q.Limit, err = limit(v)
	}
	var out pipeline.ChangePage
	if err == nil {
		out, err = a.Store.Diff(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}

// moment reads a time; one that is not given is zero.
func moment(name string, v url.Values) (time.Time, error) {
	s := v.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return t, pipeline.Errorf(pipeline.CodeInvalid, "%s: %q is no time, write it as 2026-11-25T10:00:00Z", name, s)
	}
	return t, nil
}
