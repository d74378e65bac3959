package app_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// backends are the servers that separate processes share: a broker, and the real
// engine behind an address of its own.
func backends(t testing.TB) app.Config {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Bus = bustest.Config(t)
	engine := chdb.DefaultConfig()
	engine.Dir = t.TempDir()
	e, err := chdb.Open(engine, chdb.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	cfg.ClickHouse.Addresses, cfg.ClickHouse.Protocol = []string{strings.TrimPrefix(srv.URL, "http://")}, "http"
	cfg.ClickHouse.Compression = "none" // as the engine wants it
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.JobTokenKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	return cfg
}

// start runs one process until the test ends.
func start(t testing.TB, cfg app.Config, roles ...string) *app.App {
	t.Helper()
	cfg.Data, cfg.Roles = t.TempDir(), roles
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})).With("process", strings.Join(roles, ","))
	a, err := app.New(t.Context(), app.Options{Config: cfg, Catalogue: catalogue, SDK: sdk, Version: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%v ended with %v", roles, err)
			}
		case <-time.After(60 * time.Second):
			t.Errorf("%v did not stop", roles)
		}
	})
	return a
}

func TestEachRoleMayBeAProcessOfItsOwn(t *testing.T) {
	cfg := backends(t)
	api := start(t, cfg, app.RoleAPI)
	gateway := start(t, cfg, app.RoleGateway)
	cfg.GatewayURL = gateway.URL() + "/gateway/v1"
	for _, role := range []string{app.RoleProjector, app.RoleMatcher, app.RoleLauncher} {
		start(t, cfg, role) // twice each: they share the work
		start(t, cfg, role)
	}
	c := connect(t, api.URL(), api.Token())
	project := seed(t, c)
	c.settle(t, project)
	if d := cmp.Diff(inventory(t, c, project), discovered); d != "" {
		t.Errorf("inventory (-got +want):\n%s", d)
	}
	for _, a := range []*app.App{gateway} {
		connect(t, a.URL(), "").must(t, "GET", "/readyz", nil, nil)
		if a.Token() != "" || a.SetupCode(t.Context()) != "" {
			t.Error("a process without the API has an operator's credential")
		}
	}
}

func TestSeveralAPIsShareADatabase(t *testing.T) {
	if sqlstoretest.Postgres() == "" {
		t.Skip("make test-postgres runs this")
	}
	cfg := backends(t)
	cfg.Control = sqlstoretest.New(t).Config
	var apis []*client
	for range 3 {
		a := start(t, cfg, app.RoleAPI, app.RoleGateway)
		apis = append(apis, connect(t, a.URL(), a.Token()))
		cfg.GatewayURL = a.URL() + "/gateway/v1"
	}
	for _, role := range []string{app.RoleProjector, app.RoleMatcher, app.RoleLauncher} {
		start(t, cfg, role)
	}
	// made by one, filled by the next, watched by the third
	var p pipeline.Project
	apis[0].must(t, "POST", "/api/v1/projects", map[string]any{"name": "Shared", "internal": []string{"127.0.70.0/24"}}, &p)
	apis[1].must(t, "POST", "/api/v1/projects/"+p.ID+"/domains", map[string]any{"domains": []string{"a.test", "b.test"}}, nil)
	apis[2].settle(t, p.ID)
	if d := cmp.Diff(inventory(t, apis[2], p.ID), discovered); d != "" {
		t.Errorf("inventory (-got +want):\n%s", d)
	}
	// who is refused by one is refused by all: sessions and users are shared
	var made struct{ ID string }
	apis[0].must(t, "POST", "/api/v1/users", map[string]any{"email": "a@example.com"}, &made)
	if s := apis[2].do(t, "POST", "/api/v1/users", map[string]any{"email": "a@example.com"}, nil); s != 409 {
		t.Errorf("the same user at another process: %d", s)
	}
	apis[1].must(t, "DELETE", "/api/v1/projects/"+p.ID, nil, nil)
	if s := apis[2].do(t, "GET", "/api/v1/projects/"+p.ID, nil, nil); s != 404 {
		t.Errorf("a project that was deleted at another process: %d", s)
	}
}

func TestSeparateProcessesNeedSharedParts(t *testing.T) {
	cfg := app.DefaultConfig()
	cfg.Roles = []string{app.RoleGateway}
	err := cfg.Validate()
	for _, want := range []string{"bus.brokers", "jobTokenKey"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() = %v, does not name %s", err, want)
		}
	}
	cfg = app.DefaultConfig()
	cfg.JobTokenKey = "short"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "base64") {
		t.Errorf("Validate() = %v", err)
	}
}

func TestMigrateIsRepeatable(t *testing.T) {
	cfg := backends(t)
	cfg.Data = t.TempDir()
	o := app.Options{Config: cfg, Catalogue: catalogue, SDK: sdk, Version: "test", Log: slog.New(slog.DiscardHandler)}
	for range 2 {
		if err := app.Migrate(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	b := bustest.Connect(t, cfg.Bus)
	if _, err := b.Ends(t.Context(), bus.TopicFindings); err != nil {
		t.Errorf("the topic of findings: %v", err)
	}
}

func TestPodsNeedAGatewayTheyCanReach(t *testing.T) {
	for url, want := range map[string]string{
		"": "gatewayUrl must be set", "stalker-gateway:80": "is no address of a gateway", "http://stalker-gateway.stalker.svc": "/gateway/v1",
		"http://stalker-gateway.stalker.svc/gateway/v1": "",
	} {
		cfg := app.DefaultConfig()
		cfg.Launcher.Runner, cfg.GatewayURL = "kubernetes", url
		if err := cfg.Validate(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("gatewayUrl %q: %v, want %q", url, err, want)
		}
	}
	cfg := app.DefaultConfig()
	cfg.Launcher.Runner = "docker"
	if err := config.Validate(&cfg); err == nil || !strings.Contains(err.Error(), "launcher: runner") {
		t.Errorf("an unknown runner: %v", err)
	}
}
