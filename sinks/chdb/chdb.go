// Package chdb runs the ClickHouse engine inside the process and serves the part
// of ClickHouse's HTTP interface that clickhouse-go speaks, without a port:
// Engine is an http.Handler, and Engine.Transport is what clickhouse-go's
// TransportFunc wants.
//
// The engine is libchdb, loaded at run time without cgo. One process can hold one
// Engine at a time, on one data directory, and one directory belongs to one
// process. Close waits for the statements that are running; whoever uses the
// handler stops first.
package chdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
)

// closeTimeout is how long Close waits for running statements.
const closeTimeout = 20 * time.Second

// Deps is what an Engine needs from outside.
type Deps struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Engine is the running engine and its connections.
type Engine struct {
	log     *slog.Logger
	metrics *metrics
	lib     *library
	pool    *pool
	killer  *killer
	lock    *os.File
	hello   []byte // the answer to the client's handshake
	version string // of ClickHouse
	seq     atomic.Uint64
}

// Open loads the library, starts the engine on cfg.Dir and opens all its
// connections.
func Open(cfg Config, d Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("embedded clickhouse config: %w", err)
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	path, err := FindLibrary(cfg.Library, filepath.Dir(cfg.Dir))
	if err != nil {
		return nil, err
	}
	process.Lock()
	defer process.Unlock()
	if process.open {
		return nil, pipeline.Errorf(pipeline.CodeConflict, "an embedded ClickHouse engine is running in this process already; there can be one")
	}
	lib, err := load(path)
	if err != nil {
		return nil, err
	}
	e := &Engine{log: d.Log.With("component", "chdb"), metrics: newMetrics(d.Metrics), lib: lib}
	if err := e.start(cfg); err != nil {
		return nil, err
	}
	process.open = true
	e.log.Info("embedded clickhouse started", "clickhouse", e.version, "library", path, "dir", cfg.Dir)
	return e, nil
}

func (e *Engine) start(cfg Config) (err error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("making the engine's directory: %w", err)
	}
	if e.lock, err = lockDir(cfg.Dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	file, err := writeConfig(cfg.Dir, cfg)
	if err != nil {
		return err
	}
	args := []string{"--path=" + filepath.Join(cfg.Dir, "data"), "--config-file=" + file}
	if e.pool, err = newPool(e.lib, args, cfg.Connections, e.metrics); err != nil {
		return fmt.Errorf("starting the embedded clickhouse in %s: %w", cfg.Dir, err)
	}
	if e.killer, err = newKiller(e.pool); err != nil {
		return fmt.Errorf("starting the embedded clickhouse in %s: %w", cfg.Dir, err)
	}
	info, err := e.killer.ask("SELECT displayName(), version(), timezone()")
	if err != nil {
		return fmt.Errorf("asking the embedded clickhouse for its version: %w", err)
	}
	f := strings.Split(info, "\t")
	if len(f) != 3 {
		return fmt.Errorf("the embedded clickhouse describes itself as %q", info)
	}
	e.version, e.hello = f[1], helloBlock(f[0], f[1], f[2])
	return nil
}

// Version is the version of ClickHouse the engine is.
func (e *Engine) Version() string { return e.version }

// Close waits for the running statements, closes every connection and stops the
// engine. Statements that come later are refused. It is called once.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := e.pool.drain(ctx); err != nil {
		return fmt.Errorf("closing the embedded clickhouse: %w", err)
	}
	e.release()
	process.Lock()
	process.open = false
	process.Unlock()
	return nil
}

// release undoes start, as far as it came.
func (e *Engine) release() {
	if e.killer != nil {
		e.killer.close()
	}
	if e.pool != nil {
		e.pool.closeIdle()
	}
	_ = e.lock.Close() // and with it the lock
}

// lockDir makes dir this process's. The lock ends with the process.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the engine's directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, pipeline.Errorf(pipeline.CodeConflict, "another process uses the data in %s; stop it, or choose another data directory", dir)
	}
	return nil, fmt.Errorf("locking the engine's directory: %w", err)
}
