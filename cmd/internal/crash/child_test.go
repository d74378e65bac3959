package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline/config"
)

// childEnv makes the test binary a server: its value is the order.
const childEnv = "STALKER_CRASH_CHILD"

// order is what a parent tells a child.
type order struct {
	Data, Listen, Gateway string
	Roles                 []string
	Brokers               []string
	ClickHouse            string
	Key                   string
	Postgres              string
	Worker                string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child runs the real process of cmd/internal/app, with jobs that are functions.
func child(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen, cfg.Roles, cfg.JobTokenKey = o.Data, o.Listen, o.Roles, config.Secret(o.Key)
	cfg.Bus.Partitions, cfg.Launcher.Concurrency = 4, 16
	if len(o.Brokers) > 0 {
		cfg.Bus.Brokers, cfg.Bus.StableTransactions, cfg.Bus.Worker = o.Brokers, true, o.Worker
		cfg.ClickHouse.Addresses, cfg.ClickHouse.Protocol, cfg.ClickHouse.Compression = []string{o.ClickHouse}, "http", "none"
	}
	cfg.Control.DSN = config.Secret(o.Postgres)
	r := &runner{gateway: o.Gateway}
	a, err := app.New(ctx, app.Options{
		Config: cfg, Runner: r, Catalogue: catalogue, SDK: fstest.MapFS{}, Version: "crash",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	if r.gateway == "" {
		r.gateway = a.URL() + gateway.Path
	}
	fmt.Println("ready", a.URL())
	return a.Run(ctx)
}

var catalogue = fstest.MapFS{
	"jobs/Grab/template.yaml": {Data: []byte("version: 2\nname: Grab\ntype: code\nlanguage: python\nparameters:\n- {name: targetIp, type: string}\n- {name: port, type: number}\n")},
	"jobs/Grab/main.py":       {Data: []byte("# a function of the test\n")},
	"jobs/Look/template.yaml": {Data: []byte("version: 2\nname: Look\ntype: code\nlanguage: python\nparameters:\n- {name: domainName, type: string}\n- {name: targetIp, type: string}\n- {name: port, type: number}\n")},
	"jobs/Look/main.py":       {Data: []byte("# a function of the test\n")},
	"subscriptions/grab.yaml": {Data: []byte(`name: Grab
findings: [PortServiceFinding]
cooldown: 3600
job: {name: Grab, parameters: [{name: targetIp, value: '${ip}'}, {name: port, value: '${port}'}]}
conditions: [{lhs: '${serviceName}', operator: equals, rhs: ftp}]
`)},
	"subscriptions/look.yaml": {Data: []byte(`name: Look
findings: [WebsiteFinding]
cooldown: 3600
discriminator: ${port}
job: {name: Look, parameters: [{name: domainName, value: '${domainName}'}, {name: targetIp, value: '${ip}'}, {name: port, value: '${port}'}]}
conditions: [{lhs: '${domainName}', operator: endsWith, rhs: .look.test}]
`)},
}
