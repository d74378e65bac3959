package v1

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
)

// meView is the caller and what they may do, for a client that shows only that.
type meView struct {
	auth.User
	Scopes     []string            `json:"scopes"`             // everywhere
	InProjects map[string][]string `json:"projects,omitempty"` // and by project
	Key        *auth.Key           `json:"apiKey,omitempty"`
	TOTP       bool                `json:"secondFactor"`
	Local      bool                `json:"hasPassword"`
}

func (a *API) me(w http.ResponseWriter, r *http.Request) {
	c := caller(r)
	v := meView{User: c.User, Scopes: compact(c.Everywhere), InProjects: map[string][]string{}, Key: c.Key, TOTP: c.TOTP != "", Local: c.Password != ""}
	for id, scopes := range c.InProjects {
		v.InProjects[id] = compact(scopes)
	}
	reply(w, http.StatusOK, v)
}

func compact(scopes []string) []string {
	out := slices.Compact(slices.Sorted(slices.Values(scopes)))
	if out == nil {
		return []string{}
	}
	return out
}

func (a *API) updateMe(w http.ResponseWriter, r *http.Request) {
	var in struct{ Name string }
	err := decode(w, r, &in)
	var u auth.User
	if err == nil {
		u, err = a.Auth.SetName(r.Context(), caller(r), in.Name)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, u)
}

// done answers that there is nothing to say, or what went wrong.
func (a *API) done(w http.ResponseWriter, err error) {
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) setPassword(w http.ResponseWriter, r *http.Request) {
	var in struct{ Password, NewPassword string }
	err := decode(w, r, &in)
	if err == nil {
		err = a.Auth.SetPassword(r.Context(), caller(r), in.Password, in.NewPassword)
	}
	a.done(w, err)
}

func (a *API) beginTOTP(w http.ResponseWriter, r *http.Request) {
	secret, url, err := a.Auth.BeginTOTP(caller(r))
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]string{"secret": secret, "url": url})
}

func (a *API) confirmTOTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Password, Secret, Code string }
	err := decode(w, r, &in)
	if err == nil {
		err = a.Auth.ConfirmTOTP(r.Context(), caller(r), in.Password, in.Secret, in.Code)
	}
	a.done(w, err)
}

func (a *API) removeTOTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Password string }
	err := decode(w, r, &in)
	if err == nil {
		err = a.Auth.RemoveTOTP(r.Context(), caller(r), in.Password)
	}
	a.done(w, err)
}

func (a *API) listSessions(w http.ResponseWriter, r *http.Request) {
	a.sessionsOf(w, r, caller(r).ID)
}

func (a *API) sessionsOf(w http.ResponseWriter, r *http.Request, userID string) {
	sessions, err := a.Auth.Sessions(r.Context(), caller(r), userID)
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, sessions)
}

func (a *API) endSession(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.EndSession(r.Context(), caller(r).ID, chi.URLParam(r, "id")))
}

func (a *API) endSessions(w http.ResponseWriter, r *http.Request) {
	except := ""
	if s := caller(r).Session; s != nil {
		except = s.ID
	}
	a.done(w, a.Auth.EndSessions(r.Context(), caller(r).ID, except))
}
