package v1

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
)

// subscriptionView is a subscription and what its document says in short. Problems
// is why it cannot fire.
type subscriptionView struct {
	pipeline.Subscription
	Trigger  string           `json:"trigger,omitempty"`
	Findings []string         `json:"findings,omitempty"`
	Schedule string           `json:"schedule,omitempty"`
	Job      string           `json:"job,omitempty"`
	Broken   bool             `json:"broken"`
	Problems control.Problems `json:"problems,omitempty"`
}

func (a *API) viewSubscriptions(ctx context.Context, subs []pipeline.Subscription) ([]subscriptionView, error) {
	states, err := a.Control.States(ctx, subs)
	if err != nil {
		return nil, err
	}
	views := make([]subscriptionView, len(subs))
	for i, s := range subs {
		st := states[s.ID]
		views[i] = subscriptionView{
			Subscription: s, Trigger: st.Trigger, Findings: st.Findings, Schedule: st.Schedule, Job: st.Job,
			Broken: len(st.Problems) > 0, Problems: st.Problems,
		}
	}
	return views, nil
}

// replySubscription answers with one subscription, new or not.
func (a *API) replySubscription(w http.ResponseWriter, r *http.Request, status int, s pipeline.Subscription, err error) {
	var views []subscriptionView
	if err == nil {
		views, err = a.viewSubscriptions(r.Context(), []pipeline.Subscription{s})
	}
	switch {
	case err != nil:
		a.fail(w, err)
	case status == http.StatusCreated:
		replyCreated(w, "/subscriptions/"+s.ID, s.Version, views[0])
	default:
		replyTagged(w, status, s.Version, views[0])
	}
}

// subscription returns the one a route is about. One that belongs to every project
// may be read by who reads subscriptions anywhere, and changed by who may change
// them everywhere.
func (a *API) subscription(r *http.Request) (pipeline.Subscription, error) {
	s, err := a.Control.Subscription(r.Context(), chi.URLParam(r, "id"))
	if err == nil && (s.ProjectID != "" || r.Method != http.MethodGet) {
		err = allow(r, s.ProjectID)
	}
	return s, hide(err)
}

func (a *API) listSubscriptions(w http.ResponseWriter, r *http.Request) {
	subs, err := a.visibleSubscriptions(r)
	var views []subscriptionView
	if err == nil {
		views, err = a.viewSubscriptions(r.Context(), subs)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, views)
}

func (a *API) getSubscription(w http.ResponseWriter, r *http.Request) {
	s, err := a.subscription(r)
	a.replySubscription(w, r, http.StatusOK, s, err)
}

// subscriptionInput is what a person may set; nil leaves it as it is.
type subscriptionInput struct {
	Document  *string `json:"document"`
	Enabled   *bool   `json:"enabled"`
	ProjectID *string `json:"projectId"` // on creation only
}

// readSubscription changes s by a body: JSON, or the document alone.
func readSubscription(w http.ResponseWriter, r *http.Request, s *pipeline.Subscription) error {
	text, isYAML, err := yamlBody(w, r)
	if err != nil {
		return err
	}
	if isYAML {
		s.Document = string(text)
		return nil
	}
	var in subscriptionInput
	if err := decode(w, r, &in); err != nil {
		return err
	}
	set(&s.Document, in.Document)
	set(&s.Enabled, in.Enabled)
	set(&s.ProjectID, in.ProjectID)
	return nil
}

func (a *API) createSubscription(w http.ResponseWriter, r *http.Request) {
	s := pipeline.Subscription{ID: newID(r), Enabled: true, ProjectID: r.URL.Query().Get("project")}
	err := readSubscription(w, r, &s)
	if err == nil {
		err = allow(r, s.ProjectID)
	}
	if err == nil {
		s, err = a.Control.CreateSubscription(r.Context(), s)
	}
	a.replySubscription(w, r, http.StatusCreated, s, err)
}

func (a *API) updateSubscription(w http.ResponseWriter, r *http.Request) {
	s, err := a.subscription(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = readSubscription(w, r, &s)
	}
	if err == nil {
		s, err = a.Control.UpdateSubscription(r.Context(), s)
	}
	a.replySubscription(w, r, http.StatusOK, s, err)
}

func (a *API) duplicateSubscription(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name      string  `json:"name"`
		ProjectID *string `json:"projectId"`
	}
	s, err := a.Control.Subscription(r.Context(), chi.URLParam(r, "id"))
	if err == nil && s.ProjectID != "" {
		err = allow(r, s.ProjectID)
	}
	err = hide(err)
	if err == nil {
		err = decodeOptional(w, r, &in)
	}
	project := s.ProjectID
	set(&project, in.ProjectID)
	if err == nil {
		err = allow(r, project)
	}
	if err == nil {
		s, err = a.Control.DuplicateSubscription(r.Context(), s, in.Name, project, newID(r))
	}
	a.replySubscription(w, r, http.StatusCreated, s, err)
}

// revertSubscription makes a copy what its original is now.
func (a *API) revertSubscription(w http.ResponseWriter, r *http.Request) {
	s, err := a.subscription(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		s, err = a.Control.RevertSubscription(r.Context(), s)
	}
	a.replySubscription(w, r, http.StatusOK, s, err)
}

func (a *API) deleteSubscription(w http.ResponseWriter, r *http.Request) {
	s, err := a.subscription(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = a.Control.DeleteSubscription(r.Context(), s)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
