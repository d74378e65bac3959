// Package v1 is the HTTP API under /api/v1. Handlers check what comes in, call one
// of the interfaces below, and write what comes back; they hold no state.
package v1

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/auth/sso"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// Path is where the API is mounted.
const Path = "/api/v1"

type controlPlane interface {
	Projects(ctx context.Context) ([]pipeline.Project, error)
	Project(ctx context.Context, id string) (pipeline.Project, error)
	CreateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error)
	UpdateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error)
	DeleteProject(ctx context.Context, id string) error
	Jobs(ctx context.Context) ([]pipeline.Job, error)
	Job(ctx context.Context, id string) (pipeline.Job, error)
	CreateJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error)
	UpdateJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error)
	DuplicateJob(ctx context.Context, id, name, newID string) (pipeline.Job, error)
	RevertJob(ctx context.Context, j pipeline.Job) (pipeline.Job, error)
	DeleteJob(ctx context.Context, j pipeline.Job) error
	Subscriptions(ctx context.Context) ([]pipeline.Subscription, error)
	Subscription(ctx context.Context, id string) (pipeline.Subscription, error)
	CreateSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error)
	UpdateSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error)
	DuplicateSubscription(ctx context.Context, s pipeline.Subscription, name, projectID, newID string) (pipeline.Subscription, error)
	RevertSubscription(ctx context.Context, s pipeline.Subscription) (pipeline.Subscription, error)
	DeleteSubscription(ctx context.Context, s pipeline.Subscription) error
	Secrets(ctx context.Context) ([]pipeline.Secret, error)
	Secret(ctx context.Context, id string) (pipeline.Secret, error)
	CreateSecret(ctx context.Context, s pipeline.Secret, value string) (pipeline.Secret, error)
	UpdateSecret(ctx context.Context, s pipeline.Secret, value *string) (pipeline.Secret, error)
	DeleteSecret(ctx context.Context, id string) error
	RotateSecrets(ctx context.Context) (int, error)
	notifications
	jobTemplates
	podSizes
	States(ctx context.Context, subs []pipeline.Subscription) (map[string]control.SubscriptionState, error)
	CheckSubscription(ctx context.Context, document string) (control.SubscriptionState, error)
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
	Keys(ctx context.Context, projectID string, kind pipeline.Kind, ids []string) (map[string]string, error)
	Changes(ctx context.Context, q pipeline.ChangeQuery) (pipeline.ChangePage, error)
	Diff(ctx context.Context, q pipeline.DiffQuery) (pipeline.ChangePage, error)
	Finding(ctx context.Context, q pipeline.FindingQuery, id string) (pipeline.StoredFinding, error)
	Verdicts(ctx context.Context, projectID, findingID string) ([]pipeline.StoredVerdict, error)
	AsOf(ctx context.Context, q pipeline.PastQuery) (pipeline.PastPage, error)
	Picture(ctx context.Context, projectID, findingID string, n int) (string, error)
	Findings(ctx context.Context, q pipeline.FindingQuery) (pipeline.Page[pipeline.StoredFinding], error)
	Executions(ctx context.Context, q pipeline.ExecutionQuery) (pipeline.Page[pipeline.Execution], error)
	Execution(ctx context.Context, id string) (pipeline.Execution, error)
	Logs(ctx context.Context, q pipeline.LogQuery) (pipeline.LogPage, error)
	NamesOf(ctx context.Context, projectID string, ips []string) (map[string][]string, error)
	streams
	Facets(ctx context.Context, q pipeline.FacetQuery) ([]pipeline.Facet, error)
	Counts(ctx context.Context, projectID string) (pipeline.Counts, error)
	analytics
	Ask(ctx context.Context, q pipeline.SQLQuery) (pipeline.SQLAnswer, error)
	Known(ctx context.Context, projectID string, ids []string) (map[string]bool, error)
	AddressesOf(ctx context.Context, projectID string, domains []string) (map[string][]string, error)
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
	Control    controlPlane
	Store      store
	Auth       *auth.Auth
	Automation automation
	Sources    sources
	Notify     messages
	SSO        *sso.SSO // nil when there is none
	Producer   producer
	Progress   progress
	Position   func() int64
	Version    string
	Settings   []config.Setting // of this process, secrets hidden
	Log        *slog.Logger
	Tracer     *trace.Tracer
}

// API handles requests.
type API struct {
	Deps
	log       *slog.Logger
	doc       *openapi.Document
	now       func() time.Time
	exports   chan struct{} // one for each that is running
	backtests chan struct{} // the same
	tails     chan struct{} // one for each log that is followed
	imports   chan struct{} // as exports
	asked     chan struct{} // one for each query in SQL

	stopping chan struct{} // closed by Stop
	stop     func()
}

// New returns the API.
func New(d Deps) (*API, error) {
	doc, err := openapi.Load()
	if err != nil {
		return nil, fmt.Errorf("reading the API document: %w", err)
	}
	stopping := make(chan struct{})
	return &API{
		Deps: d, log: d.Log.With("component", "api"), doc: doc, now: time.Now, exports: make(chan struct{}, maxExports),
		backtests: make(chan struct{}, maxBacktests), imports: make(chan struct{}, maxImports), asked: make(chan struct{}, maxAsked),
		tails: make(chan struct{}, maxTails), stopping: stopping, stop: sync.OnceFunc(func() { close(stopping) }),
	}, nil
}

// Handler serves the API below Path, and its documentation at /api/docs.
func (a *API) Handler() http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.fail(w, pipeline.Errorf(pipeline.CodeForbidden, "a browser may change things only from this server's own pages"))
	}))
	return p.Handler(a.router())
}

// router puts the gate in front of every route. What a route takes, answers and
// needs stands in package openapi.
func (a *API) router() http.Handler {
	r := chi.NewRouter()
	r.Get("/api/docs", docs)
	r.Get("/api/docs/*", docs)
	routes := a.apiRoutes()
	r.NotFound(a.notFound)
	r.Handle(Path+"/*", a.audited(a.gate(routes)(routes)))
	return r
}

func (a *API) apiRoutes() chi.Router {
	r := chi.NewRouter()
	r.Route(Path, a.routes)
	r.NotFound(a.notFound)
	r.MethodNotAllowed(a.methodNotAllowed(r))
	return r
}

func (a *API) notFound(w http.ResponseWriter, _ *http.Request) {
	a.fail(w, pipeline.Errorf(pipeline.CodeNotFound, "no such route: /api/docs lists them"))
}

func (a *API) routes(r chi.Router) {
	r.Get("/version", a.version)
	r.Get("/configuration", a.configuration)
	r.Get("/openapi.json", a.documentJSON)
	r.Get("/openapi.yaml", a.documentYAML)
	r.Get("/setup", a.setupState)
	r.Post("/setup", a.setup)
	r.Post("/login", a.login)
	r.Get("/login", a.loginMethods)
	r.Get("/login/sso", a.beginSSO)
	r.Get("/login/sso/callback", a.endSSO)
	r.Post("/logout", a.logout)
	r.Post("/password-links/use", a.useLink)
	r.Get("/me", a.me)
	r.Patch("/me", a.updateMe)
	r.Put("/me/password", a.setPassword)
	r.Post("/me/second-factor", a.beginTOTP)
	r.Put("/me/second-factor", a.confirmTOTP)
	r.Delete("/me/second-factor", a.removeTOTP)
	r.Get("/me/sessions", a.listSessions)
	r.Delete("/me/sessions", a.endSessions)
	r.Delete("/me/sessions/{id}", a.endSession)
	r.Get("/users", a.listUsers)
	r.Post("/users", a.createUser)
	r.Get("/users/{id}", a.getUser)
	r.Patch("/users/{id}", a.updateUser)
	r.Delete("/users/{id}", a.deleteUser)
	r.Post("/users/{id}/password-link", a.createLink)
	r.Delete("/users/{id}/second-factor", a.resetTOTP)
	r.Get("/users/{id}/sessions", a.listUserSessions)
	r.Delete("/users/{id}/sessions", a.endUserSessions)
	r.Get("/api-keys", a.listKeys)
	r.Post("/api-keys", a.createKey)
	r.Delete("/api-keys/{id}", a.deleteKey)
	r.Get("/scopes", a.listScopes)
	r.Get("/groups", a.listGroups)
	r.Post("/groups", a.createGroup)
	r.Get("/groups/{id}", a.getGroup)
	r.Patch("/groups/{id}", a.updateGroup)
	r.Delete("/groups/{id}", a.deleteGroup)
	r.Put("/groups/{id}/members/{userId}", a.setGroupMember)
	r.Delete("/groups/{id}/members/{userId}", a.setGroupMember)
	r.Get("/audit", a.listAudit)
	r.Get("/audit/export", a.exportAudit)
	r.Get("/projects", a.listProjects)
	r.Post("/projects", a.createProject)
	r.Route("/projects/{projectId}", func(r chi.Router) {
		r.Get("/", a.getProject)
		r.Patch("/", a.updateProject)
		r.Delete("/", a.deleteProject)
		r.Post("/domains", a.addDomains)
		r.Post("/hosts", a.addHosts)
		r.Post("/ip-ranges", a.addRanges)
		r.Post("/imports", a.importFile)
		r.Get("/activity", a.activity)
		r.Get("/changes", a.listChanges)
		r.Post("/sql", a.askSQL)
		r.Get("/diff", a.diff)
		r.Get("/{kind}/as-of", a.asOf)
		r.Get("/findings/{findingId}/images/{n}", a.picture)
		marks(a, r, "domains", pipeline.KindDomain, a.Store.Domains, func(x *pipeline.Domain) string { return x.CorrelationKey })
		marks(a, r, "hosts", pipeline.KindHost, a.Store.Hosts, func(x *pipeline.Host) string { return x.CorrelationKey })
		marks(a, r, "ip-ranges", pipeline.KindRange, a.Store.Ranges, func(x *pipeline.IPRange) string { return x.CorrelationKey })
		marks(a, r, "ports", pipeline.KindPort, a.Store.Ports, func(x *pipeline.Port) string { return x.CorrelationKey })
		marks(a, r, "websites", pipeline.KindWebsite, a.Store.Websites, func(x *pipeline.Website) string { return x.CorrelationKey })
		r.Get("/members", a.listMembers)
		r.Put("/members/{kind}/{id}", a.saveMember)
		r.Delete("/members/{kind}/{id}", a.deleteMember)
	})
	r.Get("/counts", a.counts)
	a.searchRoutes(r)
	a.exportRoutes(r)
	a.analyticsRoutes(r)
	resource(a, r, pipeline.KindDomain, "/domains", a.Store.Domains, a.Store.Domain, func(x pipeline.Domain) string { return x.ProjectID })
	resource(a, r, pipeline.KindHost, "/hosts", a.Store.Hosts, a.Store.Host, func(x pipeline.Host) string { return x.ProjectID })
	resource(a, r, pipeline.KindRange, "/ip-ranges", a.Store.Ranges, a.Store.Range, func(x pipeline.IPRange) string { return x.ProjectID })
	resource(a, r, pipeline.KindPort, "/ports", a.Store.Ports, a.Store.Port, func(x pipeline.Port) string { return x.ProjectID })
	resource(a, r, pipeline.KindWebsite, "/websites", a.Store.Websites, a.Store.Website, func(x pipeline.Website) string { return x.ProjectID })
	r.Get("/findings", a.listFindings)
	r.Get("/findings/{id}/explanation", a.explainFinding)
	r.Get("/executions/{id}/explanation", a.explainExecution)
	r.Post("/subscriptions/backtest", a.backtest)
	r.Get("/sources", a.listSources)
	r.Post("/sources", a.createSource)
	r.Get("/sources/{id}", a.getSource)
	r.Patch("/sources/{id}", a.updateSource)
	r.Delete("/sources/{id}", a.deleteSource)
	r.Post("/sources/{id}/sync", a.syncSource)
	a.notificationRoutes(r)
	r.Get("/executions", a.listExecutions)
	r.Post("/executions", a.launch)
	r.Post("/executions/batch", a.launchBatch)
	r.Post("/executions/stop", a.stopMany)
	r.Post("/executions/retry", a.retryMany)
	r.Get("/executions/{id}", a.getExecution)
	r.Get("/executions/{id}/logs", a.listLogs)
	r.Get("/executions/{id}/logs/stream", a.followLogs)
	r.Get("/executions/{id}/chain", a.chain)
	r.Post("/executions/{id}/stop", a.stopExecution)
	r.Post("/executions/{id}/retry", a.retryExecution)
	r.Get("/jobs", a.listJobs)
	r.Post("/jobs", a.createJob)
	r.Get("/jobs/{id}", a.getJob)
	r.Patch("/jobs/{id}", a.updateJob)
	r.Delete("/jobs/{id}", a.deleteJob)
	r.Post("/jobs/{id}/duplicate", a.duplicateJob)
	a.jobTemplateRoutes(r)
	a.podSizeRoutes(r)
	r.Post("/jobs/{id}/revert", a.revertJob)
	r.Get("/secrets", a.listSecrets)
	r.Post("/secrets", a.createSecret)
	r.Post("/secrets/rotate", a.rotateSecrets)
	r.Get("/secrets/{id}", a.getSecret)
	r.Patch("/secrets/{id}", a.updateSecret)
	r.Delete("/secrets/{id}", a.deleteSecret)
	r.Get("/schedule", a.listSchedule)
	r.Get("/subscriptions", a.listSubscriptions)
	r.Post("/subscriptions", a.createSubscription)
	r.Post("/subscriptions/check", a.checkSubscription)
	r.Get("/subscriptions/{id}", a.getSubscription)
	r.Patch("/subscriptions/{id}", a.updateSubscription)
	r.Delete("/subscriptions/{id}", a.deleteSubscription)
	r.Post("/subscriptions/{id}/duplicate", a.duplicateSubscription)
	r.Post("/subscriptions/{id}/revert", a.revertSubscription)
}
