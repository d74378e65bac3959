package v1

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

// secret returns the one a route is about, as subscription does.
func (a *API) secret(r *http.Request) (pipeline.Secret, error) {
	s, err := a.Control.Secret(r.Context(), chi.URLParam(r, "id"))
	if err == nil && (s.ProjectID != "" || r.Method != http.MethodGet) {
		err = allow(r, s.ProjectID)
	}
	if err == nil {
		about(r, s.ProjectID)
		note(r, s.Name)
	}
	return s, hide(err)
}

// listSecrets answers with names, never with values.
func (a *API) listSecrets(w http.ResponseWriter, r *http.Request) {
	project, may := r.URL.Query().Get("project"), visible(r)
	secrets, err := a.Control.Secrets(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, slices.DeleteFunc(secrets, func(s pipeline.Secret) bool {
		if s.ProjectID == "" {
			return false
		}
		return project != "" && s.ProjectID != project || may != nil && !slices.Contains(may, s.ProjectID)
	}))
}

func (a *API) getSecret(w http.ResponseWriter, r *http.Request) {
	s, err := a.secret(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, s.Version, s)
}

func (a *API) createSecret(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ProjectID string `json:"projectId"`
		Summary   string `json:"summary"`
	}
	err := decode(w, r, &in)
	if err == nil {
		err = allow(r, in.ProjectID)
	}
	var s pipeline.Secret
	if err == nil {
		about(r, in.ProjectID)
		note(r, in.Name)
		s, err = a.Control.CreateSecret(r.Context(), pipeline.Secret{Name: in.Name, ProjectID: in.ProjectID, Summary: in.Summary}, in.Value)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/secrets/"+s.ID, s.Version, s)
}

func (a *API) updateSecret(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Value   *string `json:"value"`
		Summary *string `json:"summary"`
	}
	s, err := a.secret(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	if err == nil {
		set(&s.Summary, in.Summary)
		s, err = a.Control.UpdateSecret(r.Context(), s, in.Value)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, s.Version, s)
}

func (a *API) deleteSecret(w http.ResponseWriter, r *http.Request) {
	s, err := a.secret(r)
	if err == nil {
		err = match(r, s.Version)
	}
	if err == nil {
		err = a.Control.DeleteSecret(r.Context(), s.ID)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) rotateSecrets(w http.ResponseWriter, r *http.Request) {
	n, err := a.Control.RotateSecrets(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]int{"secrets": n})
}
