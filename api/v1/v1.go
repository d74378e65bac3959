// Package v1 is the HTTP API under /api/v1. Handlers check what comes in, call one
// of the interfaces below, and write what comes back; they hold no state.
package v1

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// Path is where the API is mounted.
const Path = "/api/v1"

type control interface {
	Projects(ctx context.Context) ([]pipeline.Project, error)
	Project(ctx context.Context, id string) (pipeline.Project, error)
	CreateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error)
	UpdateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error)
	DeleteProject(ctx context.Context, id string) error
	Jobs(ctx context.Context) ([]pipeline.Job, error)
	Subscriptions(ctx context.Context) ([]pipeline.Subscription, error)
}

// store reads the analytical store.
type store interface {
	Domains(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Domain], error)
	Domain(ctx context.Context, id string) (pipeline.Domain, error)
	Hosts(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Host], error)
	Host(ctx context.Context, id string) (pipeline.Host, error)
	Ranges(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.IPRange], error)
	Range(ctx context.Context, id string) (pipeline.IPRange, error)
	Ports(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Port], error)
	Port(ctx context.Context, id string) (pipeline.Port, error)
	Websites(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Website], error)
	Website(ctx context.Context, id string) (pipeline.Website, error)
	Findings(ctx context.Context, q pipeline.FindingQuery) (pipeline.Page[pipeline.StoredFinding], error)
	Executions(ctx context.Context, q pipeline.ExecutionQuery) (pipeline.Page[pipeline.Execution], error)
	Execution(ctx context.Context, id string) (pipeline.Execution, error)
	Logs(ctx context.Context, q pipeline.LogQuery) (pipeline.Page[pipeline.LogLine], error)
	Counts(ctx context.Context, projectID string) (pipeline.Counts, error)
	DeleteProject(ctx context.Context, projectID string) error
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

// progress says how far the pipeline has come.
type progress interface {
	Ends(ctx context.Context, topics ...string) (bus.Offsets, error)
	WaitCommitted(ctx context.Context, group string, o bus.Offsets) error
}

// Deps is what the API needs. Position returns the control-plane position known here.
type Deps struct {
	Control  control
	Store    store
	Auth     *auth.Auth
	Producer producer
	Progress progress
	Position func() int64
	Version  string
	Log      *slog.Logger
}

// API handles requests.
type API struct {
	Deps
	log *slog.Logger
	now func() time.Time
}

// New returns the API.
func New(d Deps) *API { return &API{Deps: d, log: d.Log.With("component", "api"), now: time.Now} }

// Handler serves the API below Path.
func (a *API) Handler() http.Handler {
	r := chi.NewRouter()
	r.Route(Path, func(r chi.Router) {
		r.Get("/version", a.version)
		r.Get("/setup", a.setupState)
		r.Post("/setup", a.setup)
		r.Post("/login", a.login)
		r.Group(func(r chi.Router) {
			r.Use(a.authenticated)
			a.routes(r)
		})
		r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
			a.fail(w, pipeline.Errorf(pipeline.CodeNotFound, "no such route"))
		})
	})
	return http.NewCrossOriginProtection().Handler(r)
}

func (a *API) routes(r chi.Router) {
	r.Post("/logout", a.logout)
	r.Get("/me", a.me)
	r.Get("/projects", a.listProjects)
	r.Post("/projects", a.createProject)
	r.Route("/projects/{projectId}", func(r chi.Router) {
		r.Get("/", a.getProject)
		r.Patch("/", a.updateProject)
		r.Delete("/", a.deleteProject)
		r.Post("/domains", a.addDomains)
		r.Post("/hosts", a.addHosts)
		r.Post("/ip-ranges", a.addRanges)
		r.Get("/activity", a.activity)
	})
	r.Get("/counts", a.counts)
	resource(a, r, "/domains", a.Store.Domains, a.Store.Domain)
	resource(a, r, "/hosts", a.Store.Hosts, a.Store.Host)
	resource(a, r, "/ip-ranges", a.Store.Ranges, a.Store.Range)
	resource(a, r, "/ports", a.Store.Ports, a.Store.Port)
	resource(a, r, "/websites", a.Store.Websites, a.Store.Website)
	r.Get("/findings", a.listFindings)
	r.Get("/executions", a.listExecutions)
	r.Get("/executions/{id}", a.getExecution)
	r.Get("/executions/{id}/logs", a.listLogs)
	r.Get("/jobs", a.listJobs)
	r.Get("/subscriptions", a.listSubscriptions)
}
