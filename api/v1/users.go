package v1

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

// userView is a user as those see them who manage users.
type userView struct {
	auth.User
	TOTP     bool `json:"secondFactor"`
	Local    bool `json:"hasPassword"`
	External bool `json:"singleSignOn"`
}

func viewUser(u auth.User) userView {
	return userView{User: u, TOTP: u.TOTP != "", Local: u.Password != "", External: u.Subject != ""}
}

func (a *API) listUsers(w http.ResponseWriter, r *http.Request) {
	users, err := a.Auth.Users(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	views := make([]userView, len(users))
	for i, u := range users {
		views[i] = viewUser(u)
	}
	list(w, views)
}

func (a *API) userOf(r *http.Request) (auth.User, error) {
	return a.Auth.User(r.Context(), chi.URLParam(r, "id"))
}

func (a *API) getUser(w http.ResponseWriter, r *http.Request) {
	u, err := a.userOf(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, u.Version, viewUser(u))
}

// linkView is a link with which somebody sets their password, once.
type linkView struct {
	Token string `json:"token"`
	Path  string `json:"path"` // of the page in the web interface
}

func link(token string) linkView { return linkView{Token: token, Path: "/set-password#" + token} }

func (a *API) createUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email, Name string
		Groups      []string
	}
	if err := decode(w, r, &in); err != nil {
		a.fail(w, err)
		return
	}
	ctx, by := r.Context(), caller(r)
	for _, g := range in.Groups { // before the user exists
		if _, err := a.Auth.Group(ctx, g); err != nil {
			a.fail(w, err)
			return
		}
	}
	u, err := a.Auth.CreateUser(ctx, auth.User{ID: newID(r), Email: in.Email, Name: in.Name, Active: true})
	var token string
	if err == nil {
		token, err = a.invite(ctx, by, u, in.Groups)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/users/"+u.ID, u.Version, struct {
		userView
		Link linkView `json:"link"`
	}{viewUser(u), link(token)})
}

// invite makes the link of a new user first: with groups, the account may soon do
// more than who makes it.
func (a *API) invite(ctx context.Context, by *auth.Caller, u auth.User, groups []string) (string, error) {
	token, err := a.Auth.MakeLink(ctx, by, u.ID)
	for _, g := range groups {
		if err == nil {
			err = a.Auth.SetMember(ctx, by, g, u.ID, true)
		}
	}
	return token, err
}

func (a *API) updateUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email, Name *string
		Active      *bool
	}
	u, err := a.userOf(r)
	if err == nil {
		err = match(r, u.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	set(&u.Email, in.Email)
	set(&u.Name, in.Name)
	set(&u.Active, in.Active)
	if err == nil {
		u, err = a.Auth.UpdateUser(r.Context(), caller(r), u)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, u.Version, viewUser(u))
}

func (a *API) deleteUser(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.DeleteUser(r.Context(), caller(r), chi.URLParam(r, "id")))
}

func (a *API) createLink(w http.ResponseWriter, r *http.Request) {
	token, err := a.Auth.MakeLink(r.Context(), caller(r), chi.URLParam(r, "id"))
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusCreated, link(token))
}

func (a *API) useLink(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token, Password string }
	err := decode(w, r, &in)
	var u auth.User
	if err == nil {
		u, err = a.Auth.UseLink(r.Context(), address(r), in.Token, in.Password)
	}
	if err == nil {
		actor(r, u)
	}
	a.done(w, err)
}

func (a *API) resetTOTP(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.ResetTOTP(r.Context(), caller(r), chi.URLParam(r, "id")))
}

func (a *API) listUserSessions(w http.ResponseWriter, r *http.Request) {
	a.sessionsOf(w, r, chi.URLParam(r, "id"))
}

func (a *API) endUserSessions(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.EndSessions(r.Context(), chi.URLParam(r, "id"), ""))
}

func (a *API) listKeys(w http.ResponseWriter, r *http.Request) {
	c := caller(r)
	owner := c.ID
	if q := r.URL.Query().Get("user"); q != "" && q != owner {
		if !c.May("manage:api-key:read-all", "") {
			a.fail(w, pipeline.Errorf(pipeline.CodeForbidden, "others' keys take the scope manage:api-key:read-all"))
			return
		}
		if owner = q; q == "all" {
			owner = ""
		}
	}
	keys, err := a.Auth.Keys(r.Context(), owner)
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, keys)
}

func (a *API) createKey(w http.ResponseWriter, r *http.Request) {
	var k auth.Key
	if err := decode(w, r, &k); err != nil {
		a.fail(w, err)
		return
	}
	k, token, err := a.Auth.CreateKey(r.Context(), caller(r), k)
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusCreated, struct {
		auth.Key
		Token string `json:"token"`
	}{k, token})
}

func (a *API) deleteKey(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.DeleteKey(r.Context(), caller(r), chi.URLParam(r, "id")))
}
