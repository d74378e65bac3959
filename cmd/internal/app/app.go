// Package app is the process as a library: it makes every part from the
// configuration, connects them, starts them in order and stops them in reverse.
// It is the only place that sees everything.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/gitsource"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/mail"
	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/api/server"
	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/catalog"
	"github.com/stalker-asm/stalker/pipeline/run"
	"github.com/stalker-asm/stalker/pipeline/seal"
	"github.com/stalker-asm/stalker/pipeline/telemetry"
	"github.com/stalker-asm/stalker/pipeline/trace"
	"github.com/stalker-asm/stalker/sinks/chdb"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Options is what a process is made of. Catalogue holds the built-in jobs and
// subscriptions, SDK the Python package for jobs, UI the built web interface or nil, Manual the pages of docs/ or nil.
// Runner runs jobs; nil runs them as processes of this machine.
type Options struct {
	Config    Config
	Runner    launcher.Runner
	Catalogue fs.FS
	Templates fs.FS // what jobs of one's own begin with; nil for none
	SDK       fs.FS
	UI        fs.FS
	Manual    fs.FS
	Version   string
	Log       *slog.Logger
}

// App is a process that was made and can be run once.
type App struct {
	cfg     Config
	opts    Options
	log     *slog.Logger
	reg     *prometheus.Registry
	group   *run.Group
	bus     *bus.Bus
	produce *bus.Producer
	catalog *catalog.Catalog
	store   *clickhouse.Store
	sql     *sqlstore.Store
	control *control.Control
	sources *control.Sources
	notify  *notify.Engine
	auth    *auth.Auth
	tracer  *trace.Tracer // nil unless turned on
	keys    *seal.Keys    // nil without a key
	server  *server.Server
	marks   *engine.Marks // what people decided, once somebody asked for it
}

// New opens everything and binds the listener. What was opened is closed again
// when something fails.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	a := &App{cfg: o.Config, opts: o, log: o.Log, reg: telemetry.Registry(o.Version), group: run.New(o.Log)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.group.Unwind())
			if a.server != nil {
				_ = a.server.Close() // nobody has connected yet
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// the order is the order of dependence; stopping is the reverse. The address comes
	// early: a port in use is told at once, and who connects meanwhile waits.
	for _, step := range []func(context.Context) error{
		a.openTracer, a.openData, a.listen, a.openBus, a.openStore, a.openKeys, a.openControl, a.addRoles, a.announce,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Migrate makes what a process needs outside of it, topics, tables and the control
// plane's database, as far as they are missing, and ends.
func Migrate(ctx context.Context, o Options) (err error) {
	if err := o.Config.Validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	a := &App{cfg: o.Config, opts: o, log: o.Log, reg: telemetry.Registry(o.Version), group: run.New(o.Log)}
	defer func() { err = errors.Join(err, a.group.Unwind()) }()
	for _, step := range []func(context.Context) error{a.openData, a.openBus, a.openStore, a.openControl} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Refill brings rows up to date that the version before wrote while this one was at
// work, once it is gone.
func Refill(ctx context.Context, o Options) (err error) {
	a := &App{cfg: o.Config, opts: o, log: o.Log, reg: telemetry.Registry(o.Version), group: run.New(o.Log)}
	defer func() { err = errors.Join(err, a.group.Unwind()) }()
	for _, step := range []func(context.Context) error{a.openData, a.openStore} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return a.store.Refill(ctx)
}

// openTracer comes first, so that it ends last and sends what the others did.
func (a *App) openTracer(context.Context) (err error) {
	if a.tracer, err = trace.New(a.cfg.Tracing, a.opts.Version, a.log); err != nil || a.tracer == nil {
		return err
	}
	a.group.Add("tracer", 10*time.Second, a.tracer.Run)
	return nil
}

func (a *App) openData(context.Context) error {
	unlock, err := embedded.Lock(a.cfg.Data)
	if err != nil {
		return err
	}
	a.group.Close("data directory", unlock)
	return nil
}

func (a *App) openBus(ctx context.Context) error {
	if err := a.connectBus(); err != nil {
		return err
	}
	if err := a.bus.Migrate(ctx); err != nil {
		return fmt.Errorf("preparing topics: %w", err)
	}
	if err := a.openProducer(); err != nil {
		return err
	}
	if len(a.cfg.Bus.Brokers) == 0 {
		a.group.Add("broker trimming", 5*time.Second, func(ctx context.Context) error { return embedded.Trim(ctx, a.bus, a.log) })
	}
	a.catalog = catalog.New(catalog.Deps{Bus: a.bus, Log: a.log, Metrics: a.reg})
	a.group.Add("catalog", 10*time.Second, a.catalog.Run)
	return nil
}

// connectBus starts the embedded broker unless there are others, and the bus.
func (a *App) connectBus() error {
	cfg := a.cfg.Bus
	if len(cfg.Brokers) == 0 {
		dir := a.cfg.path("kafka")
		broker, err := embedded.OpenBroker(dir, a.log)
		if err != nil {
			return err
		}
		a.group.Close("broker", func() error { return broker.Close(dir) })
		a.group.Add("broker maintenance", 5*time.Second, broker.Run)
		cfg = broker.Bus(cfg)
	}
	var err error
	if a.bus, err = bus.New(cfg, bus.Deps{Log: a.log, Metrics: a.reg}); err != nil {
		return err
	}
	a.group.Close("bus", func() error { a.bus.Close(); return nil })
	return nil
}

func (a *App) openProducer() (err error) {
	if a.produce, err = a.bus.Producer(); err != nil {
		return err
	}
	a.group.Close("producer", func() error { a.produce.Close(); return nil })
	return nil
}

// openStore opens the analytical store for the roles that read or write it.
func (a *App) openStore(ctx context.Context) error {
	if !a.cfg.reads() {
		return nil
	}
	if err := a.connectStore(); err != nil {
		return err
	}
	if err := a.store.Migrate(ctx); err != nil {
		return fmt.Errorf("preparing the store: %w", err)
	}
	return nil
}

// connectStore starts the embedded engine unless there are servers, and the store.
func (a *App) connectStore() error {
	deps := clickhouse.Deps{Log: a.log, Metrics: a.reg}
	if len(a.cfg.ClickHouse.Addresses) == 0 {
		cfg := a.cfg.Engine
		cfg.Dir = a.cfg.path("clickhouse")
		engine, err := chdb.Open(cfg, chdb.Deps{Log: a.log, Metrics: a.reg})
		if err != nil {
			return err
		}
		a.group.Close("clickhouse engine", engine.Close)
		deps.Transport = engine.Transport
	}
	var err error
	if a.store, err = clickhouse.Open(a.cfg.StoreConfig(), deps); err != nil {
		return err
	}
	a.group.Close("store", a.store.Close)
	return nil
}

// openKeys reads the keys of secrets for the roles that close or open them. A
// process of several that is given none does without: it could not share its own.
func (a *App) openKeys(context.Context) error {
	if !a.cfg.has(RoleAPI) && !a.cfg.has(RoleLauncher) || a.cfg.partial() && !a.cfg.Secrets.Set() {
		return nil
	}
	var err error
	if a.keys, err = a.cfg.Secrets.Open(a.cfg.path("keys", "secrets")); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	return nil
}

// openControl opens the control plane where people change it. The other roles know
// it from its topic alone.
func (a *App) openControl(ctx context.Context) error {
	if !a.cfg.has(RoleAPI) {
		return nil
	}
	var err error
	if a.sql, err = sqlstore.New(ctx, a.cfg.Control, a.cfg.path("control.db")); err != nil {
		return err
	}
	a.group.Close("control store", a.sql.Close)
	a.auth = auth.New(a.sql)
	deps := control.Deps{Store: a.sql, Producer: a.produce, Log: a.log, Sizes: a.cfg.Kubernetes.PodSizes(), Largest: a.cfg.Kubernetes.LargestPodSize()}
	if a.opts.Templates != nil {
		if deps.Templates, err = control.LoadTemplates(a.opts.Templates); err != nil {
			return fmt.Errorf("loading the job templates: %w", err)
		}
	}
	if a.keys != nil {
		deps.Sealer = a.keys
	}
	a.control = control.New(deps)
	jobs, subs, err := control.LoadCatalogue(a.opts.Catalogue)
	if err != nil {
		return fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	if err := a.control.SeedBuiltIns(ctx, jobs, subs); err != nil {
		return err
	}
	a.group.Add("control", 10*time.Second, a.control.Run)
	fetch, err := gitsource.New(a.cfg.Sources)
	if err != nil {
		return err
	}
	a.sources = control.NewSources(a.control, fetch)
	a.group.Add("sources", 10*time.Second, a.sources.Run)
	a.addNotifications()
	return nil
}

// addNotifications tells people what happens, wherever the API is served.
func (a *App) addNotifications() {
	deps := notify.Deps{Store: a.sql, Rules: a.control, History: a.store, Passed: a.projected, Log: a.log, Metrics: a.reg}
	if m := mail.New(a.cfg.Mail); m != nil {
		deps.Mail = m
	}
	a.notify = notify.New(a.cfg.Notifications, deps)
	a.group.Add("notifications", a.cfg.Notifications.Timeout+5*time.Second, a.notify.Run)
}

// projected waits until the lists show all that is on the bus by now.
func (a *App) projected(ctx context.Context) error {
	ends, err := a.bus.Ends(ctx, bus.TopicFindings, bus.TopicMarks)
	if err != nil {
		return err
	}
	return a.bus.WaitCommitted(ctx, bus.GroupProjector, ends)
}

func (a *App) listen(context.Context) error {
	var err error
	if a.server, err = server.New(a.cfg.HTTP, server.Deps{Log: a.log, Registry: a.reg}); err != nil {
		return err
	}
	return nil
}

// Run runs until ctx ends or a part fails.
func (a *App) Run(ctx context.Context) error { return a.group.Run(ctx) }

// Close gives back what New opened when Run is never going to be called.
func (a *App) Close() error { return errors.Join(a.server.Close(), a.group.Unwind()) }

// Describe tells what metrics the process has.
func (a *App) Describe(ch chan<- *prometheus.Desc) { a.reg.Describe(ch) }

// URL is the server's address, for who is on this machine.
func (a *App) URL() string {
	at, err := netip.ParseAddrPort(a.server.Addr())
	switch {
	case err != nil || !at.Addr().IsUnspecified():
		return "http://" + a.server.Addr()
	case at.Addr().Is4():
		return fmt.Sprintf("http://127.0.0.1:%d", at.Port())
	default:
		return fmt.Sprintf("http://[::1]:%d", at.Port())
	}
}

// Token is the operator's credential for this process, "" without the API.
func (a *App) Token() string {
	if a.auth == nil {
		return ""
	}
	return a.auth.LocalToken()
}

// SetupCode returns the code for creating the first user, "" when there is one.
func (a *App) SetupCode(ctx context.Context) string {
	if a.auth == nil {
		return ""
	}
	code, err := a.auth.SetupCode(ctx)
	if err != nil {
		a.log.Error("no setup code could be made: restart the server to create the first user", "err", err)
	}
	return code
}

// Announcement is what server.json in the data directory holds: how the command
// line finds a running server of the same user.
type Announcement struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	PID   int    `json:"pid"`
}

// announce comes last: what finds the announcement may connect at once, and is
// answered when the server runs.
func (a *App) announce(context.Context) error {
	if !a.cfg.has(RoleAPI) {
		return nil
	}
	file := filepath.Join(a.cfg.Data, "server.json")
	b, err := json.Marshal(Announcement{URL: a.URL(), Token: a.Token(), PID: os.Getpid()})
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("announcing the server: %w", err)
	}
	a.group.Close("announcement", func() error { return os.Remove(file) })
	return nil
}
