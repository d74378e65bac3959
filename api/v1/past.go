package v1

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

// pastKinds are the resources whose past can be asked for, as paths call them.
var pastKinds = map[string]pipeline.Kind{
	"domains": pipeline.KindDomain, "hosts": pipeline.KindHost, "ip-ranges": pipeline.KindRange, "ports": pipeline.KindPort, "websites": pipeline.KindWebsite,
}

// asOf answers with the resources of a project as they were at a time.
func (a *API) asOf(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	kind, ok := pastKinds[chi.URLParam(r, "kind")]
	if err == nil && !ok {
		err = pipeline.Errorf(pipeline.CodeNotFound, "there are no %s", chi.URLParam(r, "kind"))
	}
	v, bad := query(r, "time", "limit", "cursor")
	if err == nil {
		err = bad
	}
	q := pipeline.PastQuery{ProjectID: p.ID, Kind: kind, Cursor: v.Get("cursor")}
	if err == nil {
		q.At, err = moment("time", v)
	}
	if err == nil && q.At.IsZero() {
		err = pipeline.Errorf(pipeline.CodeInvalid, "time is missing: as of when, such as 2026-11-25T10:00:00Z?")
	}
	if err == nil {
		q.Limit, err = limit(v)
	}
	var out pipeline.PastPage
	if err == nil {
		out, err = a.Store.AsOf(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}
