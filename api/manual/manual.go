// Package manual serves the pages of docs/ as the server's own manual: rendered once
// at start, readable offline, searched on the server, without scripts.
//
// Pages are named NN-title.md; the first digit is the kind of page (Diátaxis,
// https://diataxis.fr): 0 tutorial, 1 and 2 how-to, 5 reference, 8 and 9 explanation.
package manual

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

// Root is where the manual is served.
const Root = "/docs/"

//go:embed page.tmpl manual.css
var assets embed.FS

// Manual is the rendered pages.
type Manual struct {
	pages  []*page
	groups []group
	files  fs.FS
	layout *template.Template
}

// group is the pages of one kind, in the order of their numbers.
type group struct {
	Title string
	Pages []*page
}

var kinds = []struct{ digits, title string }{{"0", "Tutorial"}, {"12", "How to"}, {"5", "Reference"}, {"89", "Explanation"}}

// New renders the pages of files. It fails when one cannot be read, or has a name
// that says no kind.
func New(files fs.FS) (*Manual, error) {
	layout, err := template.ParseFS(assets, "page.tmpl")
	if err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	m := &Manual{files: files, layout: layout}
	for _, name := range names {
		p, err := read(files, name)
		if err != nil {
			return nil, err
		}
		m.pages = append(m.pages, p)
	}
	return m, m.sort()
}

// sort puts the pages into their groups.
func (m *Manual) sort() error {
	known := 0
	for _, k := range kinds {
		g := group{Title: k.title}
		for _, p := range m.pages {
			if strings.Contains(k.digits, p.Name[:1]) {
				g.Pages = append(g.Pages, p)
			}
		}
		if len(g.Pages) > 0 {
			m.groups = append(m.groups, g)
		}
		known += len(g.Pages)
	}
	if known != len(m.pages) {
		return fmt.Errorf("manual: %d of %d pages have a name whose first digit is no kind of page", len(m.pages)-known, len(m.pages))
	}
	return nil
}

// ServeHTTP shows a page, the list of pages, what a search found, or an image.
func (m *Manual) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Root)
	switch {
	case r.URL.Path+"/" == Root:
		http.Redirect(w, r, Root, http.StatusMovedPermanently)
	case name == "":
		m.show(w, http.StatusOK, m.start(r.URL.Query().Get("q")))
	case name == "manual.css":
		http.ServeFileFS(w, r, assets, name) //nolint:gosec // name is the constant of this case
	case strings.HasPrefix(name, "images/"):
		http.ServeFileFS(w, r, m.files, name) //nolint:gosec // files that are meant to be read by anybody; an fs.FS has no parent folders
	default:
		m.page(w, strings.TrimSuffix(name, ".md"))
	}
}

func (m *Manual) page(w http.ResponseWriter, name string) {
	for _, p := range m.pages {
		if p.Name == name {
			m.show(w, http.StatusOK, view{Title: p.Title, Page: p})
			return
		}
	}
	m.show(w, http.StatusNotFound, view{Title: "There is no such page"})
}

// view is what the template shows beside the navigation.
type view struct {
	Title  string
	Page   *page
	Query  string
	Hits   []hit
	Groups []group
	Start  bool
}

func (m *Manual) start(query string) view {
	v := view{Title: "Manual", Start: true, Query: strings.TrimSpace(query)}
	if v.Query != "" {
		v.Title, v.Hits = "Found in the manual", m.search(v.Query)
	}
	return v
}

func (m *Manual) show(w http.ResponseWriter, status int, v view) {
	v.Groups = m.groups
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = m.layout.Execute(w, v) // the client went away
}
