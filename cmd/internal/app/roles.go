package app

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stalker-asm/stalker/api/auth/sso"
	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/api/manual"
	"github.com/stalker-asm/stalker/api/server"
	v1 "github.com/stalker-asm/stalker/api/v1"
	"github.com/stalker-asm/stalker/matchers/engine"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
	"github.com/stalker-asm/stalker/sinks/launcher/local"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// stopWithin is how long a consumer has to finish the batch in hand.
const stopWithin = 30 * time.Second

// addRoles makes the parts of each role. Consumers are added before the server, so
// that intake stops first and what came in is still worked on.
func (a *App) addRoles(context.Context) error {
	keys, err := a.jobTokenKeys()
	if err != nil {
		return err
	}
	if a.cfg.has(RoleProjector) {
		a.addProjector()
	}
	if a.cfg.has(RoleMatcher) {
		if err := a.addMatcher(); err != nil {
			return err
		}
	}
	if a.cfg.has(RoleScheduler) {
		if err := a.addScheduler(); err != nil {
			return err
		}
	}
	if a.cfg.has(RoleLauncher) {
		if err := a.addLauncher(keys[0]); err != nil {
			return err
		}
	}
	if groups := a.groups(); len(groups) > 0 {
		a.group.Add("lag", 10*time.Second, func(ctx context.Context) error { return a.bus.WatchLag(ctx, groups) })
	}
	return a.addHTTP(keys)
}

// groups are the consumer groups this process takes part in, and what they read.
func (a *App) groups() map[string][]string {
	all := map[string]map[string][]string{
		RoleProjector: {bus.GroupProjector: projector.Topics()},
		RoleMatcher:   {bus.GroupMatcher: {bus.TopicFindings}},
		RoleScheduler: {bus.GroupScheduler: {bus.TopicSchedule}},
		RoleLauncher:  {bus.GroupLauncher: {bus.TopicJobs}},
	}
	groups := map[string][]string{}
	for role, reads := range all {
		if a.cfg.has(role) {
			maps.Copy(groups, reads)
		}
	}
	return groups
}

// jobTokenKeys returns the key that signs, and those that are accepted besides.
func (a *App) jobTokenKeys() ([][]byte, error) {
	if a.cfg.JobTokenKey == "" {
		key, err := jobtoken.LoadOrCreateKey(a.cfg.path("keys", "job-token"))
		return [][]byte{key}, err
	}
	var keys [][]byte
	for _, text := range []config.Secret{a.cfg.JobTokenKey, a.cfg.JobTokenKeyOld} {
		if text == "" {
			continue
		}
		key, err := jobtoken.ParseKey(string(text))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// known delays a part until the control plane was read.
func (a *App) known(fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-a.catalog.Ready():
			return fn(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// maxRequests is how many executions may wait in a launcher, at about 1 KiB each.
// Beyond it requests wait on the bus, whoever they are for.
const maxRequests = 100_000

// after delays a part until ready is closed.
func after(ready <-chan struct{}, fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ready:
			return fn(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *App) addProjector() {
	p := projector.New(projector.Deps{
		Store: a.store, Dead: a.bus.DeadLetters(bus.GroupProjector, a.produce), Log: a.log, Metrics: a.reg,
	})
	c := a.bus.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics()}, p)
	a.group.Add("projector", stopWithin, c.Run)
}

func (a *App) addMatcher() error {
	marks := a.followMarks()
	e, err := engine.New(a.cfg.Matcher, engine.Deps{Catalog: a.catalog, Marks: marks, Log: a.log, Metrics: a.reg, Tracer: a.tracer})
	if err != nil {
		return err
	}
	t := a.bus.Transactor(bus.TransactorConfig{Group: bus.GroupMatcher, Topic: bus.TopicFindings, Changelog: bus.TopicState}, e)
	a.group.Add("matcher", stopWithin, a.known(after(marks.Ready(), t.Run)))
	return nil
}

// runner is what runs jobs here.
func (a *App) runner() (launcher.Runner, error) {
	if a.opts.Runner != nil {
		return a.opts.Runner, nil
	}
	if a.cfg.Launcher.Runner == launcher.RunnerKubernetes {
		return a.kubernetes()
	}
	url := a.cfg.GatewayURL
	if url == "" {
		url = a.URL() + gateway.Path
	}
	runner, err := local.New(a.cfg.Local, local.Deps{Gateway: url, Dir: a.cfg.path("jobs"), SDK: a.opts.SDK, Log: a.log})
	if err != nil {
		return nil, err
	}
	if err := runner.Prepare(); err != nil {
		return nil, fmt.Errorf("preparing the job runner: %w", err)
	}
	return runner, nil
}

// kubernetes is the runner that makes Jobs of a cluster. It is added before the
// launcher, so that it watches for as long as that waits for anything.
func (a *App) kubernetes() (launcher.Runner, error) {
	client, err := kube.Connect(a.cfg.Kubernetes, a.log)
	if err != nil {
		return nil, err
	}
	runner, err := kube.New(a.cfg.Kubernetes, kube.Deps{Client: client, Gateway: a.cfg.GatewayURL, SDK: a.opts.SDK, Log: a.log, Metrics: a.reg, Sizes: a.catalog.PodSize})
	if err != nil {
		return nil, err
	}
	a.group.Add("kubernetes", 10*time.Second, runner.Watch)
	return runner, nil
}

func (a *App) addLauncher(key []byte) error {
	runner, err := a.runner()
	if err != nil {
		return err
	}
	minter, err := jobtoken.NewMinter(key)
	if err != nil {
		return err
	}
	deps := launcher.Deps{Runner: runner, Catalog: a.catalog, Producer: a.produce, Tokens: minter, Log: a.log, Metrics: a.reg, Tracer: a.tracer}
	if a.keys != nil {
		deps.Secrets = a.keys
	}
	var stops *bus.Tail
	deps.Heard = func(ctx context.Context) error { return stops.CaughtUp(ctx) }
	l, err := launcher.New(a.cfg.Launcher, deps)
	if err != nil {
		return err
	}
	stops = a.bus.Tail(bus.TopicStops, l.Stop)
	q := a.bus.Queue(bus.QueueConfig{
		Group: bus.GroupLauncher, Topic: bus.TopicJobs, History: bus.TopicExecutions, MaxOutstanding: maxRequests,
	}, l)
	a.group.Add("stops", stopWithin, stops.Run)
	a.group.Add("job queue", stopWithin, a.known(after(stops.Ready(), q.Run)))
	a.group.Add("launcher", stopWithin, l.Run)
	return nil
}

func (a *App) addHTTP(keys [][]byte) error {
	d := server.Deps{
		UI: a.opts.UI, Log: a.log, Registry: a.reg,
		Metrics: promhttp.HandlerFor(a.reg, promhttp.HandlerOpts{}),
		Checks:  []server.Check{{Name: "bus", Ping: a.bus.Ping}},
	}
	if a.store != nil {
		d.Checks = append(d.Checks, server.Check{Name: "store", Ping: a.store.Ping})
	}
	if a.sql != nil {
		d.Checks = append(d.Checks, server.Check{Name: "control", Ping: a.sql.Ping})
	}
	if a.cfg.has(RoleGateway) {
		tokens, err := jobtoken.NewVerifier(keys...)
		if err != nil {
			return err
		}
		g, err := gateway.New(a.cfg.Gateway, gateway.Deps{
			Producer: a.produce, Tokens: tokens, Position: a.catalog.Position, Log: a.log, Metrics: a.reg, Tracer: a.tracer,
		})
		if err != nil {
			return err
		}
		d.Gateway = g.Handler()
	}
	if a.opts.Manual != nil {
		m, err := manual.New(a.opts.Manual)
		if err != nil {
			return err
		}
		d.Manual = m
	}
	if a.cfg.has(RoleAPI) {
		auto, err := a.automation()
		if err != nil {
			return err
		}
		usual := DefaultConfig()
		set, err := config.Settings(&a.cfg, &usual)
		if err != nil {
			return err
		}
		api, err := v1.New(v1.Deps{
			Automation: auto, Sources: a.sources, Notify: a.notify, SSO: sso.New(a.cfg.SSO),
			Control: a.control, Store: a.store, Auth: a.auth, Producer: a.produce, Progress: a.bus,
			Position: a.control.Position, Version: a.opts.Version, Settings: set, Log: a.log, Tracer: a.tracer,
		})
		if err != nil {
			return err
		}
		d.API, d.Stopping = api.Handler(), api.Stop
	}
	a.server.Set(d)
	a.group.Add("http", a.cfg.HTTP.Grace+5*time.Second, a.server.Run)
	return nil
}
