// Package clickhousetest gives tests the store on the embedded engine: one engine
// for the process, since there can be only one, and a database for each test.
//
//	func TestMain(m *testing.M) { os.Exit(clickhousetest.Main(m)) }
package clickhousetest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/sinks/chdb"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

var (
	engine *chdb.Engine
	serial atomic.Int64
)

// Main starts the engine, runs the tests and stops it. Without the library it
// fails and says where that was looked for.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clickhouse")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	cfg := chdb.DefaultConfig()
	cfg.Dir = filepath.Join(dir, "clickhouse")
	if kept := os.Getenv(KeptIn); kept != "" {
		cfg.Dir = kept
	}
	engine, err = chdb.Open(cfg, chdb.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		return fail(err)
	}
	code := m.Run()
	if err := engine.Close(); err != nil {
		return fail(err)
	}
	return code
}

// KeptIn is the environment variable that names a directory for the engine which stays,
// for benchmarks of a store that takes long to fill.
const KeptIn = "STALKER_BENCH_STORE"

// Kept returns a store with its tables on a database that stays for as long as the
// engine's directory does, for all tests of the process.
func Kept(tb testing.TB) *clickhouse.Store {
	tb.Helper()
	cfg := clickhouse.DefaultConfig()
	s, err := clickhouse.Open(cfg, clickhouse.Deps{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Transport: engine.Transport,
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "clickhousetest:", err)
	return 1
}

// Conn returns a connection to a database without tables, which goes when the
// test ends.
func Conn(tb testing.TB) driver.Conn {
	tb.Helper()
	name := database(tb)
	if err := schema.CreateDatabase(tb.Context(), dial(tb, "default"), name, schema.Cluster{}); err != nil {
		tb.Fatal(err)
	}
	return dial(tb, name)
}

// Empty returns a store on a database that does not exist yet, and goes when the
// test ends.
func Empty(tb testing.TB) *clickhouse.Store {
	tb.Helper()
	return on(tb, database(tb))
}

func on(tb testing.TB, database string) *clickhouse.Store {
	tb.Helper()
	cfg := clickhouse.DefaultConfig()
	cfg.Database = database
	s, err := clickhouse.Open(cfg, clickhouse.Deps{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Transport: engine.Transport,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Open returns a store with its tables.
func Open(tb testing.TB) *clickhouse.Store {
	tb.Helper()
	s := Empty(tb)
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// OpenWithConn returns a store with its tables, and a connection to its database.
func OpenWithConn(tb testing.TB) (*clickhouse.Store, driver.Conn) {
	tb.Helper()
	name := database(tb)
	s := on(tb, name)
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s, dial(tb, name)
}

// OpenUnmerged returns a store whose tables are never merged in the background:
// whatever makes rows one must happen when they are read.
func OpenUnmerged(tb testing.TB) *clickhouse.Store {
	tb.Helper()
	s, c := OpenWithConn(tb)
	for _, t := range schema.Tables() {
		if err := c.Exec(tb.Context(), "ALTER TABLE "+t.Name+" MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1"); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// database returns a name of the test's own and drops what has it in the end.
func database(tb testing.TB) string {
	tb.Helper()
	if engine == nil {
		tb.Fatal("TestMain does not call clickhousetest.Main")
	}
	name := fmt.Sprintf("test_%d", serial.Add(1))
	root := dial(tb, "default")
	tb.Cleanup(func() {
		if err := root.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			tb.Error(err)
		}
	})
	return name
}

func dial(tb testing.TB, database string) driver.Conn {
	tb.Helper()
	c, err := ch.Open(&ch.Options{
		Protocol: ch.HTTP, Addr: []string{"embedded:1"}, Auth: ch.Auth{Database: database}, TransportFunc: engine.Transport,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}
