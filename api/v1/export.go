package v1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/export"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// streams reads whole lists. lean leaves out what stands in other tables: the links
// of a resource.
type streams interface {
	EachDomain(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Domain) error) error
	EachHost(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Host) error) error
	EachRange(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.IPRange) error) error
	EachPort(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Port) error) error
	EachWebsite(ctx context.Context, q pipeline.Query, lean bool, each func([]pipeline.Website) error) error
	EachFinding(ctx context.Context, q pipeline.FindingQuery, each func([]pipeline.StoredFinding) error) error
	EachExecution(ctx context.Context, q pipeline.ExecutionQuery, each func([]pipeline.Execution) error) error
}

// maxExports is how many exports run at once: each holds a connection to the store.
const maxExports = 4

func (a *API) exportRoutes(r chi.Router) {
	s := a.Store
	exportRoute(a, r, pipeline.KindDomain, "/domains", export.Domains(), s.EachDomain, "hosts")
	exportRoute(a, r, pipeline.KindHost, "/hosts", export.Hosts(), s.EachHost, "domains", "ports")
	exportRoute(a, r, pipeline.KindRange, "/ip-ranges", export.Ranges(), s.EachRange)
	exportRoute(a, r, pipeline.KindPort, "/ports", export.Ports(), s.EachPort)
	exportRoute(a, r, pipeline.KindWebsite, "/websites", export.Websites(), s.EachWebsite, "siteMap")
	r.Get("/findings/export", func(w http.ResponseWriter, r *http.Request) {
		answerExport(a, w, r, filter.Finding, export.Findings(), func(ctx context.Context, x *exported, each func([]pipeline.StoredFinding) error) error {
			q := pipeline.FindingQuery{ProjectID: x.query.ProjectID, Visible: x.query.Visible, Text: x.query.Text, Sort: x.query.Sort}
			return s.EachFinding(ctx, q, each)
		})
	})
	r.Get("/executions/export", func(w http.ResponseWriter, r *http.Request) {
		answerExport(a, w, r, filter.Execution, export.Executions(), func(ctx context.Context, x *exported, each func([]pipeline.Execution) error) error {
			q := pipeline.ExecutionQuery{ProjectID: x.query.ProjectID, Visible: x.query.Visible, Text: x.query.Text, Sort: x.query.Sort}
			return s.EachExecution(ctx, q, each)
		})
	})
}

// exportRoute adds the export of a kind of resource; linked are the columns that
// take a look into other tables.
func exportRoute[T any](a *API, r chi.Router, kind pipeline.Kind, path string, t *export.Table[T],
	read func(context.Context, pipeline.Query, bool, func([]T) error) error, linked ...string,
) {
	r.Get(path+"/export", func(w http.ResponseWriter, r *http.Request) {
		answerExport(a, w, r, kind, t, func(ctx context.Context, x *exported, each func([]T) error) error {
			return read(ctx, x.query, lean(x, t, linked), each)
		})
	})
}

// exported is what a request for an export asks for.
type exported struct {
	format export.Format
	fields []string
	query  pipeline.Query
}

// lean reports whether none of the columns in other tables is asked for.
func lean[T any](x *exported, t *export.Table[T], linked []string) bool {
	asked := x.fields
	switch {
	case x.format == export.Targets || len(linked) == 0:
		return true
	case len(asked) > 0:
	case x.format == export.JSON || x.format == export.JSONL: // whole objects
		return false
	default:
		for _, c := range t.Columns {
			asked = append(asked, c.Name)
		}
	}
	return !slices.ContainsFunc(linked, func(c string) bool { return slices.Contains(asked, c) })
}

func (a *API) exported(r *http.Request, kind pipeline.Kind) (*exported, error) {
	v, err := query(r, "project", "q", "sort", "format", "fields")
	if err != nil {
		return nil, err
	}
	x := &exported{format: export.Format(v.Get("format")), fields: commas(v, "fields")}
	if x.format == "" {
		x.format = export.CSV
	}
	x.query = pipeline.Query{ProjectID: v.Get("project"), Visible: visible(r), Sort: v.Get("sort")}
	x.query.Text, err = a.filterText(r, kind, v.Get("q"))
	return x, err
}

// commas reads a list that is separated by commas.
func commas(v url.Values, key string) []string {
	if v.Get(key) == "" {
		return nil
	}
	return strings.Split(v.Get(key), ",")
}

// answerExport streams a list. What goes wrong before the first row is a problem;
// afterwards all that can be done is to break off, which a client notices.
func answerExport[T any](a *API, w http.ResponseWriter, r *http.Request, kind pipeline.Kind, t *export.Table[T],
	read func(context.Context, *exported, func([]T) error) error,
) {
	x, err := a.exported(r, kind)
	if err != nil {
		a.fail(w, err)
		return
	}
	select {
	case a.exports <- struct{}{}:
		defer func() { <-a.exports }()
	default:
		a.fail(w, pipeline.Errorf(pipeline.CodeBusy, "%d exports are running, which is as many as may at once", maxExports))
		return
	}
	body := &download{w: w, format: x.format, name: t.Name + "-" + a.now().UTC().Format("2006-01-02-150405") + "." + x.format.Extension()}
	out, err := export.New(body, x.format, t, x.fields)
	if err == nil {
		err = read(r.Context(), x, out.Write)
	}
	if err == nil {
		err = out.Close()
	}
	switch {
	case err == nil:
		body.begin() // also when there was nothing to write
	case !body.begun:
		a.fail(w, err)
	default:
		if r.Context().Err() == nil && !errors.Is(err, io.ErrClosedPipe) {
			a.log.Error("export broken off", "kind", kind, "format", x.format, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// download is the body of an export; the headers are written with its first bytes,
// and every write may take as long as a slow client needs.
type download struct {
	w      http.ResponseWriter
	format export.Format
	name   string
	begun  bool
}

// slowClient is how long a client may not take anything.
const slowClient = time.Minute

// Write sends bytes.
func (d *download) Write(b []byte) (int, error) {
	d.begin()
	// without support for deadlines the server's own holds
	_ = http.NewResponseController(d.w).SetWriteDeadline(time.Now().Add(slowClient))
	return d.w.Write(b)
}

func (d *download) begin() {
	if d.begun {
		return
	}
	d.begun = true
	h := d.w.Header()
	h.Set("Content-Type", d.format.Media())
	h.Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
