package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/run"
	"github.com/stalker-asm/stalker/pipeline/telemetry"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
)

// Tools are what commands work with that look after the data of a server, without
// being one.
type Tools struct {
	Bus      *bus.Bus
	Producer *bus.Producer
	Store    *clickhouse.Store // nil when it was not asked for
	group    *run.Group
	cfg      Config
	log      *slog.Logger
}

// OpenTools opens the bus, and the store when it is wanted. It makes nothing: topics
// and tables must be there. Embedded parts belong to one process at a time, so with
// them the server must not be running.
func OpenTools(ctx context.Context, o Options, store bool) (_ *Tools, err error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	a := &App{cfg: o.Config, opts: o, log: o.Log, reg: telemetry.Registry(o.Version), group: run.New(o.Log)}
	a.cfg.Roles = []string{RoleProjector} // whatever the process is that the configuration is for
	defer func() {
		if err != nil {
			err = errors.Join(err, a.group.Unwind())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := a.openTools(ctx, store); err != nil {
		return nil, err
	}
	return &Tools{Bus: a.bus, Producer: a.produce, Store: a.store, group: a.group, cfg: a.cfg, log: a.log}, nil
}

// Close ends the connections.
func (t *Tools) Close() error { return t.group.Unwind() }

func (a *App) openTools(ctx context.Context, store bool) error {
	if len(a.cfg.Bus.Brokers) == 0 || store && len(a.cfg.ClickHouse.Addresses) == 0 {
		if _, err := os.Stat(a.cfg.path("kafka")); err != nil && len(a.cfg.Bus.Brokers) == 0 {
			return pipeline.Errorf(pipeline.CodeNotFound, "no server has kept data in %s: name its directory with --data, or its configuration with --config", a.cfg.Data)
		}
		if err := a.openData(ctx); err != nil {
			return err
		}
	}
	if err := a.connectBus(); err != nil {
		return err
	}
	there, err := a.bus.Inspect(ctx)
	if err != nil {
		return err
	}
	if len(there.Missing) > 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "topics are missing: %s; run stalker migrate", strings.Join(there.Missing, ", "))
	}
	if err := a.openProducer(); err != nil || !store {
		return err
	}
	return a.connectStore()
}
