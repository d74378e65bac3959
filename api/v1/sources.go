package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

// sources are the git repositories that jobs and subscriptions are kept from.
type sources interface {
	Sources(ctx context.Context) ([]pipeline.GitSource, error)
	Source(ctx context.Context, id string) (pipeline.GitSource, error)
	CreateSource(ctx context.Context, s pipeline.GitSource, key *string) (pipeline.GitSource, error)
	UpdateSource(ctx context.Context, s pipeline.GitSource, key *string) (pipeline.GitSource, error)
	SyncSource(ctx context.Context, id string) (pipeline.GitSource, error)
	DeleteSource(ctx context.Context, id string) error
}

// sourceView is a source with its interval in seconds.
type sourceView struct {
	pipeline.GitSource
	Interval int64 `json:"interval"`
}

func viewSource(s pipeline.GitSource) sourceView {
	s.Sealed = nil
	if s.Problems == nil {
		s.Problems = []pipeline.FileProblem{}
	}
	return sourceView{s, int64(s.Interval.Seconds())}
}

func (a *API) replySource(w http.ResponseWriter, status int, s pipeline.GitSource, err error) {
	switch {
	case err != nil:
		a.fail(w, err)
	case status == http.StatusCreated:
		replyCreated(w, "/sources/"+s.ID, s.Version, viewSource(s))
	default:
		replyTagged(w, status, s.Version, viewSource(s))
	}
}

func (a *API) listSources(w http.ResponseWriter, r *http.Request) {
	all, err := a.Sources.Sources(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	views := make([]sourceView, len(all))
	for i, s := range all {
		views[i] = viewSource(s)
	}
	list(w, views)
}

func (a *API) getSource(w http.ResponseWriter, r *http.Request) {
	s, err := a.Sources.Source(r.Context(), chi.URLParam(r, "id"))
	a.replySource(w, http.StatusOK, s, err)
}

// sourceInput is what a person may set; nil leaves it as it is.
type sourceInput struct {
	URL      *string `json:"url"`
	Branch   *string `json:"branch"`
	Interval *int64  `json:"interval"` // seconds
	// DeployKey is never read again; "" takes it away.
	DeployKey  *string `json:"deployKey"`
	KnownHosts *string `json:"knownHosts"`
}

func (in *sourceInput) apply(s *pipeline.GitSource) {
	set(&s.URL, in.URL)
	set(&s.Branch, in.Branch)
	set(&s.KnownHosts, in.KnownHosts)
	if in.Interval != nil {
		s.Interval = time.Duration(*in.Interval) * time.Second
	}
}

func (a *API) createSource(w http.ResponseWriter, r *http.Request) {
	s := pipeline.GitSource{ID: newID(r), Interval: time.Hour}
	var in sourceInput
	err := decode(w, r, &in)
	if err == nil {
		in.apply(&s)
		note(r, s.URL)
		s, err = a.Sources.CreateSource(r.Context(), s, in.DeployKey)
	}
	a.replySource(w, http.StatusCreated, s, err)
}

func (a *API) updateSource(w http.ResponseWriter, r *http.Request) {
	var in sourceInput
	s, err := a.Sources.Source(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	if err == nil {
		in.apply(&s)
		note(r, s.URL)
		s, err = a.Sources.UpdateSource(r.Context(), s, in.DeployKey)
	}
	a.replySource(w, http.StatusOK, s, err)
}

func (a *API) syncSource(w http.ResponseWriter, r *http.Request) {
	s, err := a.Sources.SyncSource(r.Context(), chi.URLParam(r, "id"))
	a.replySource(w, http.StatusOK, s, err)
}

func (a *API) deleteSource(w http.ResponseWriter, r *http.Request) {
	s, err := a.Sources.Source(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		note(r, s.URL)
		err = a.Sources.DeleteSource(r.Context(), s.ID)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
