package v1

import (
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
)

func (a *API) listScopes(w http.ResponseWriter, _ *http.Request) {
	var scopes []string
	for _, op := range a.doc.Operations() {
		if op.Scope != "" && op.Scope != "self" {
			scopes = append(scopes, op.Scope)
		}
	}
	list(w, compact(scopes))
}

func (a *API) listGroups(w http.ResponseWriter, r *http.Request) {
	groups, err := a.Auth.Groups(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	list(w, groups)
}

func (a *API) group(r *http.Request) (auth.Group, error) {
	return a.Auth.Group(r.Context(), chi.URLParam(r, "id"))
}

func (a *API) getGroup(w http.ResponseWriter, r *http.Request) {
	g, err := a.group(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, g.Version, g)
}

type groupInput struct {
	Name        *string
	Description *string
	Scopes      *[]string
	External    *[]string
}

func (in *groupInput) apply(g *auth.Group) {
	set(&g.Name, in.Name)
	set(&g.Description, in.Description)
	set(&g.Scopes, in.Scopes)
	set(&g.External, in.External)
}

func (a *API) createGroup(w http.ResponseWriter, r *http.Request) {
	var in groupInput
	g := auth.Group{ID: newID(r)}
	err := decode(w, r, &in)
	in.apply(&g)
	if err == nil {
		g, err = a.Auth.SaveGroup(r.Context(), caller(r), g)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/groups/"+g.ID, g.Version, g)
}

func (a *API) updateGroup(w http.ResponseWriter, r *http.Request) {
	var in groupInput
	g, err := a.group(r)
	if err == nil {
		err = match(r, g.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	in.apply(&g)
	if err == nil {
		g, err = a.Auth.SaveGroup(r.Context(), caller(r), g)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, g.Version, g)
}

func (a *API) deleteGroup(w http.ResponseWriter, r *http.Request) {
	g, err := a.group(r)
	if err == nil {
		err = a.Auth.DeleteGroup(r.Context(), caller(r), g)
	}
	a.done(w, err)
}

func (a *API) setGroupMember(w http.ResponseWriter, r *http.Request) {
	a.done(w, a.Auth.SetMember(r.Context(), caller(r), chi.URLParam(r, "id"), chi.URLParam(r, "userId"), r.Method == http.MethodPut))
}

// memberView is a role and whose it is, by name.
type memberView struct {
	auth.Member
	Name string `json:"name"`
}

func (a *API) listMembers(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	var members []auth.Member
	if err == nil {
		members, err = a.Auth.Members(r.Context(), p.ID)
	}
	var users []auth.User
	if err == nil {
		users, err = a.Auth.Users(r.Context())
	}
	var groups []auth.Group
	if err == nil {
		groups, err = a.Auth.Groups(r.Context())
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	views := make([]memberView, len(members))
	for i, m := range members {
		views[i].Member = m
		if j := slices.IndexFunc(users, func(u auth.User) bool { return u.ID == m.ID }); j >= 0 {
			views[i].Name = users[j].Email
		}
		if j := slices.IndexFunc(groups, func(g auth.Group) bool { return g.ID == m.ID }); j >= 0 {
			views[i].Name = groups[j].Name
		}
	}
	list(w, views)
}

func (a *API) saveMember(w http.ResponseWriter, r *http.Request) {
	var in struct{ Role auth.Role }
	p, err := a.project(r)
	if err == nil {
		err = decode(w, r, &in)
	}
	if err == nil {
		err = a.Auth.SaveMember(r.Context(), caller(r), auth.Member{ProjectID: p.ID, Kind: chi.URLParam(r, "kind"), ID: chi.URLParam(r, "id"), Role: in.Role})
	}
	a.done(w, err)
}

func (a *API) deleteMember(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	if err == nil {
		err = a.Auth.DeleteMember(r.Context(), p.ID, chi.URLParam(r, "kind"), chi.URLParam(r, "id"))
	}
	a.done(w, err)
}
