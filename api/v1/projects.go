package v1

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// projectInput is what a person may set; nil leaves it as it is.
type projectInput struct {
	Name      *string         `json:"name"`
	Notes     *string         `json:"notes"`
	Resolvers *[]string       `json:"resolvers"`
	Internal  *[]string       `json:"internal"`
	Scope     *pipeline.Scope `json:"scope"`
	Version   *int64          `json:"version"` // the one the change is based on; PATCH only
}

func (in *projectInput) apply(p *pipeline.Project) error {
	if in.Name != nil {
		p.Name = *in.Name
	}
	if in.Notes != nil {
		p.Notes = *in.Notes
	}
	if in.Resolvers != nil {
		p.Resolvers = *in.Resolvers
	}
	if in.Scope != nil {
		p.Scope = *in.Scope
	}
	if in.Internal == nil {
		return nil
	}
	p.Internal = nil
	for i, s := range *in.Internal {
		n, err := network(s)
		if err != nil {
			return pipeline.Errorf(pipeline.CodeInvalid, "internal[%d]: %w", i, err)
		}
		p.Internal = append(p.Internal, n)
	}
	return nil
}

// network reads a network, or an address as the network that is it alone.
func network(s string) (netip.Prefix, error) {
	if a, err := normal.Addr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return normal.Prefix(s)
}

func (a *API) listProjects(w http.ResponseWriter, r *http.Request) {
	projects, err := a.Control.Projects(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	if may := visible(r); may != nil {
		projects = slices.DeleteFunc(projects, func(p pipeline.Project) bool { return !slices.Contains(may, p.ID) })
	}
	list(w, projects)
}

func (a *API) createProject(w http.ResponseWriter, r *http.Request) {
	var in projectInput
	p := pipeline.Project{ID: newID(r)}
	err := decode(w, r, &in)
	if err == nil {
		err = in.apply(&p)
	}
	if err == nil {
		p, _, err = a.Control.CreateProject(r.Context(), p)
	}
	if err == nil {
		err = a.Auth.Own(r.Context(), caller(r), p.ID)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/projects/"+p.ID, p.Version, p)
}

// project returns the project a route is about.
func (a *API) project(r *http.Request) (pipeline.Project, error) {
	s := chi.URLParam(r, "projectId")
	if err := id("projectId", s); err != nil {
		return pipeline.Project{}, err
	}
	return a.Control.Project(r.Context(), s)
}

func (a *API) getProject(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, p.Version, p)
}

func (a *API) updateProject(w http.ResponseWriter, r *http.Request) {
	var in projectInput
	p, err := a.project(r)
	if err == nil {
		err = match(r, p.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	if err == nil && in.Version != nil && *in.Version != p.Version {
		err = pipeline.Errorf(pipeline.CodeConflict, "the project was changed meanwhile: it has version %d, the change is based on %d", p.Version, *in.Version)
	}
	if err == nil {
		err = in.apply(&p)
	}
	if err == nil {
		p, _, err = a.Control.UpdateProject(r.Context(), p)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, p.Version, p)
}

func (a *API) deleteProject(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	if err == nil {
		err = match(r, p.Version)
	}
	if err == nil {
		err = a.Control.DeleteProject(r.Context(), p.ID)
	}
	if err == nil {
		err = a.Store.DeleteProject(r.Context(), p.ID)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
