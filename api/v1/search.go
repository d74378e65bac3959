package v1

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

type searchKind struct {
	kind        pipeline.Kind
	path, scope string
}

// kinds are what is searched: how a kind is called in paths, and what reading it
// takes.
var kinds = []searchKind{
	{pipeline.KindDomain, "domains", "resources:domains:read"},
	{pipeline.KindHost, "hosts", "resources:hosts:read"},
	{pipeline.KindRange, "ip-ranges", "resources:ip-ranges:read"},
	{pipeline.KindPort, "ports", "resources:ports:read"},
	{pipeline.KindWebsite, "websites", "resources:websites:read"},
	{filter.Finding, "findings", "data:findings:read"},
	{filter.Execution, "executions", "automation:job-executions:read"},
}

// searchRoutes are the routes about searching, and those every searched list has.
func (a *API) searchRoutes(r chi.Router) {
	r.Get("/search/terms", a.searchTerms)
	r.Get("/search/check", a.searchCheck)
	r.Get("/search/complete", a.searchComplete)
	for _, k := range kinds {
		r.Get("/"+k.path+"/facets", a.facets(k.kind))
	}
}

// parseFilter reads q as a filter; what is wrong with it is an error with places.
func (a *API) parseFilter(kind pipeline.Kind, q string) (*filter.Filter, error) {
	f, err := filter.Parse(kind, q, a.now())
	if ps, ok := errors.AsType[filter.Problems](err); ok {
		return nil, inputErrors(ps)
	}
	return f, err
}

func inputErrors(ps filter.Problems) openapi.InputErrors {
	out := make(openapi.InputErrors, len(ps))
	for i, p := range ps {
		message := p.Message
		if len(p.Suggestions) > 0 {
			message += "; did you mean " + strings.Join(p.Suggestions, " or ") + "?"
		}
		out[i] = openapi.InputError{In: "query", Path: "q", Line: 1, Column: p.From + 1, Message: message}
	}
	return out
}

// filterText is the filter of a request in its canonical form, projects by their
// ids: what the store understands.
func (a *API) filterText(r *http.Request, kind pipeline.Kind, q string) (string, error) {
	f, err := a.parseFilter(kind, q)
	if err != nil || f.Everything() {
		return "", err
	}
	if err := a.resolve(r, f); err != nil {
		return "", err
	}
	return f.String(), nil
}

// resolve finds the projects a filter names, among those the caller may see.
func (a *API) resolve(r *http.Request, f *filter.Filter) error {
	named := false
	filter.Terms(f.Root, func(t *filter.Term) { named = named || t.Field.Name == "project" })
	if !named {
		return nil
	}
	projects, err := a.Control.Projects(r.Context())
	if err != nil {
		return err
	}
	var seen []pipeline.Project
	for i := range projects {
		if caller(r).Sees(projects[i].ID) {
			seen = append(seen, projects[i])
		}
	}
	f.ResolveProjects(seen)
	return nil
}

// facets answers which values fields have in a list of a kind.
func (a *API) facets(kind pipeline.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := query(r, "project", "q", "field", "prefix", "limit")
		q := pipeline.FacetQuery{Kind: kind, Visible: visible(r)}
		if err == nil {
			q.ProjectID, q.Prefix, q.Fields = v.Get("project"), v.Get("prefix"), strings.Split(v.Get("field"), ",")
			q.Limit, err = limit(v)
		}
		if err == nil {
			q.Text, err = a.filterText(r, kind, v.Get("q"))
		}
		var out []pipeline.Facet
		if err == nil {
			out, err = a.Store.Facets(r.Context(), q)
		}
		if err != nil {
			a.fail(w, err)
			return
		}
		list(w, out)
	}
}

// searched returns the kind a search is about, and the projects in which the caller
// may read it.
func searched(r *http.Request, v url.Values) (kind pipeline.Kind, projects []string, err error) {
	for _, k := range kinds {
		if k.path != v.Get("kind") {
			continue
		}
		ids, all := caller(r).Projects(k.scope)
		switch {
		case all:
			return k.kind, nil, nil
		case len(ids) == 0:
			return k.kind, nil, pipeline.Errorf(pipeline.CodeForbidden, "this takes the scope %s in a project", k.scope)
		default:
			return k.kind, ids, nil
		}
	}
	return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "kind: %q is not searched", v.Get("kind"))
}

// term is a term of the language, for people who look for one.
type term struct {
	Name    string      `json:"name"`
	Aliases []string    `json:"aliases"`
	Type    filter.Type `json:"type"`
	Values  []string    `json:"values"` // all there are, when they are few
	Many    bool        `json:"many"`   // several at once: several terms must all hold
	Sort    bool        `json:"sort"`   // lists can be sorted by it
	Facet   bool        `json:"facet"`  // its values can be counted
	Doc     string      `json:"doc"`
	Sample  string      `json:"sample,omitempty"`
}

func (a *API) searchTerms(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "kind")
	var kind pipeline.Kind
	if err == nil {
		kind, _, err = searched(r, v)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	var out []term
	for _, f := range filter.Fields(kind) {
		t := term{f.Name, f.Aliases, f.Type, f.Values, f.Many, f.Sort, f.Facet, f.Doc, f.Example}
		if t.Aliases == nil {
			t.Aliases = []string{}
		}
		if t.Values == nil {
			t.Values = []string{}
		}
		out = append(out, t)
	}
	list(w, out)
}

// checked says whether a text is a filter, and how it is written best.
type checked struct {
	OK        bool            `json:"ok"`
	Canonical string          `json:"canonical,omitempty"`
	Problems  filter.Problems `json:"problems"`
}

func (a *API) searchCheck(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "kind", "q")
	var kind pipeline.Kind
	if err == nil {
		kind, _, err = searched(r, v)
	}
	out := checked{Problems: filter.Problems{}}
	if err == nil {
		var f *filter.Filter
		f, err = filter.Parse(kind, v.Get("q"), a.now())
		if ps, ok := errors.AsType[filter.Problems](err); ok {
			out.Problems, err = ps, nil
		} else if err == nil {
			out.OK, out.Canonical = true, f.String()
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, out)
}

// searchComplete proposes how a filter can go on; values that only the store knows
// are the most frequent ones that begin like what is written.
func (a *API) searchComplete(w http.ResponseWriter, r *http.Request) {
	v, err := query(r, "kind", "q", "at", "project")
	var kind pipeline.Kind
	var projects []string
	if err == nil {
		kind, projects, err = searched(r, v)
	}
	at := len(v.Get("q"))
	if err == nil && v.Has("at") {
		at, err = strconv.Atoi(v.Get("at"))
	}
	var c filter.Completion
	if err == nil {
		c, err = filter.Complete(kind, v.Get("q"), at, a.now())
	}
	if err == nil && c.Field != nil {
		q := pipeline.FacetQuery{Kind: kind, ProjectID: v.Get("project"), Visible: projects, Fields: []string{c.Field.Name}, Prefix: c.Prefix, Limit: 20}
		err = a.values(r, &c, q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, c)
}

// values adds the values the store knows; the text of a value is quoted where it
// must be.
func (a *API) values(r *http.Request, c *filter.Completion, q pipeline.FacetQuery) error {
	if q.ProjectID != "" {
		if q.Visible != nil && !slices.Contains(q.Visible, q.ProjectID) {
			return pipeline.Errorf(pipeline.CodeNotFound, "no project has the id %s", q.ProjectID)
		}
	}
	found, err := a.Store.Facets(r.Context(), q)
	if err != nil {
		return err
	}
	var items []filter.Item
	for _, f := range found {
		for _, v := range f.Values {
			items = append(items, filter.Item{Text: filter.Quote(v.Value), Doc: strconv.FormatUint(v.Count, 10), Kind: "value"})
		}
	}
	if len(items) > 0 {
		c.Items = items
	}
	return nil
}
