// Package clickhouse is the analytical store: it writes what the projector folded
// and answers what the API asks, on a ClickHouse server or on the embedded engine
// (sinks/chdb), with the same code.
//
// Open dials nothing. Migrate makes the database and its tables; until it has run
// once, reading and writing fail. Writing is idempotent and commutative (see
// sinks/rows). Every call has a deadline. Close is called after the last use.
package clickhouse

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// Deps is what a Store needs from outside.
type Deps struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Transport is the embedded engine's (chdb.Engine.Transport); nil for a server.
	Transport func(*http.Transport) (http.RoundTripper, error)
}

// Store is a connection pool to one database.
type Store struct {
	cfg     Config
	opts    *clickhouse.Options
	conn    driver.Conn
	log     *slog.Logger
	metrics *metrics
	totals  totals
	watch   watch
	flights flights
	door    *door
	now     func() time.Time
}

// Open checks the configuration and prepares the pool.
func Open(cfg Config, d Deps) (*Store, error) {
	err := cfg.Validate()
	if embedded := d.Transport != nil; embedded != (len(cfg.Addresses) == 0) {
		err = errors.Join(err, errors.New("addresses: name a server, or start the embedded engine, and not both"))
	}
	if err != nil {
		return nil, fmt.Errorf("clickhouse config: %w", err)
	}
	opts, err := options(cfg, d)
	if err != nil {
		return nil, fmt.Errorf("clickhouse config: %w", err)
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("clickhouse config: %w", err)
	}
	return &Store{
		cfg: cfg, opts: opts, conn: conn, log: d.Log.With("component", "clickhouse"), metrics: newMetrics(d.Metrics), now: time.Now,
		door: newDoor(cfg.MaxReads, cfg.MaxReadsWriting, cfg.MaxWaiting, cfg.WaitTimeout),
	}, nil
}

func options(cfg Config, d Deps) (*clickhouse.Options, error) {
	o := &clickhouse.Options{
		Addr:         cfg.Addresses,
		Auth:         clickhouse.Auth{Database: cfg.Database, Username: cfg.User, Password: string(cfg.Password)},
		DialTimeout:  cfg.DialTimeout,
		ReadTimeout:  max(cfg.ReadTimeout, cfg.WriteTimeout),
		MaxOpenConns: cfg.MaxConnections,
		MaxIdleConns: cfg.MaxConnections,
		Compression:  &clickhouse.Compression{Method: compressions[cfg.Compression]},
		Settings: clickhouse.Settings{
			"async_insert":                     0, // an INSERT is acknowledged when it is a part of the table, not when it is in a queue
			"insert_deduplicate":               0, // a replicated table would drop a block that it had once and that was deleted since
			"optimize_functions_to_subcolumns": 0, // see element
		},
	}
	if cfg.Cluster.Shards {
		o.Settings["distributed_foreground_insert"] = 1 // acknowledged when it is on its shard
		o.Settings["distributed_product_mode"] = "local"
		o.Settings["optimize_skip_unused_shards"] = 1
	}
	if cfg.Protocol == ProtocolHTTP {
		o.Protocol = clickhouse.HTTP
	}
	if d.Transport != nil {
		o.Addr, o.Protocol, o.Compression = []string{"embedded:1"}, clickhouse.HTTP, nil
		o.TransportFunc = d.Transport
		return o, nil
	}
	var err error
	o.TLS, err = cfg.TLS.Client()
	return o, err
}

// Ping asks whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DialTimeout)
	defer cancel()
	return explain(s.conn.Ping(ctx))
}

// fillTimeout bounds writing what new columns need of old rows: once per upgrade, it
// may read a whole table.
const fillTimeout = time.Hour

// Migrate makes the database and its tables, as far as they are missing, and logs
// what it did. It may run in several processes at once.
func (s *Store) Migrate(ctx context.Context) error {
	brief, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	if err := s.createDatabase(brief); err != nil {
		return fmt.Errorf("migrating the store: %w", explain(err))
	}
	steps, err := schema.Reconcile(brief, s.conn, s.tables())
	if err == nil {
		steps = append(steps, s.fill(ctx)...)
	}
	applied := 0
	for _, step := range steps {
		if step.Applied {
			applied++
			s.log.Info("schema step applied", "step", step.Name)
		}
	}
	s.metrics.steps.WithLabelValues("applied").Add(float64(applied))
	s.metrics.steps.WithLabelValues("skipped").Add(float64(len(steps) - applied))
	if err != nil {
		return fmt.Errorf("migrating the store: %w", explain(err))
	}
	return nil
}

// fill writes what new columns need of old rows. Without it these show as the release
// before wrote them, which is no reason not to start.
func (s *Store) fill(ctx context.Context) []schema.Step {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	steps, err := schema.Fillings(ctx, s.conn, s.tables(), false)
	if err != nil {
		s.log.Warn("a new column lacks what older rows have to say; the next start tries again, and so does stalker migrate", "error", err)
	}
	return steps
}

// Refill writes once more what new columns need of rows of the release before, for
// those that it wrote while this one was there already.
func (s *Store) Refill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	if _, err := schema.Fillings(ctx, s.conn, s.tables(), true); err != nil {
		return fmt.Errorf("filling columns again: %w", explain(err))
	}
	return nil
}

// tables are the tables as they should be here.
func (s *Store) tables() []schema.Table {
	return schema.Spread(schema.Keep(schema.Tables(), s.cfg.Retention), s.cfg.Cluster)
}

// createDatabase uses a connection of its own: one to a database that does not
// exist cannot be opened.
func (s *Store) createDatabase(ctx context.Context) error {
	conn, err := s.outside()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is pending on it
	return schema.CreateDatabase(ctx, conn, s.cfg.Database, s.cfg.Cluster)
}

// outside returns a connection that needs no database of ours.
func (s *Store) outside() (driver.Conn, error) {
	opts := *s.opts
	opts.Auth.Database = "default"
	return clickhouse.Open(&opts)
}

// Close closes the connections.
func (s *Store) Close() error { return s.conn.Close() }

// Codes of ClickHouse that say "not now": whoever asked may ask again.
var notNow = map[int32]pipeline.Code{
	159: pipeline.CodeUnavailable, // TIMEOUT_EXCEEDED
	202: pipeline.CodeBusy,        // TOO_MANY_SIMULTANEOUS_QUERIES
	209: pipeline.CodeUnavailable, // SOCKET_TIMEOUT
	210: pipeline.CodeUnavailable, // NETWORK_ERROR
	225: pipeline.CodeUnavailable, // NO_ZOOKEEPER
	236: pipeline.CodeUnavailable, // ABORTED: shutting down
	241: pipeline.CodeBusy,        // MEMORY_LIMIT_EXCEEDED
	242: pipeline.CodeUnavailable, // TABLE_IS_READ_ONLY: a replica without its keeper
	243: pipeline.CodeUnavailable, // NOT_ENOUGH_SPACE
	252: pipeline.CodeBusy,        // TOO_MANY_PARTS
	279: pipeline.CodeUnavailable, // ALL_CONNECTION_TRIES_FAILED
	285: pipeline.CodeUnavailable, // TOO_FEW_LIVE_REPLICAS
	319: pipeline.CodeUnavailable, // UNKNOWN_STATUS_OF_INSERT
	394: pipeline.CodeUnavailable, // QUERY_WAS_CANCELLED
	999: pipeline.CodeUnavailable, // KEEPER_EXCEPTION
}

// explain gives an error of the driver the code a caller can act on. What the
// engine objects to in a statement stays internal: the statement is ours.
func explain(err error) error {
	if err == nil || pipeline.CodeOf(err) != pipeline.CodeInternal {
		return err
	}
	if ex, ok := errors.AsType[*clickhouse.Exception](err); ok {
		if code, ok := notNow[ex.Code]; ok {
			return pipeline.Errorf(code, "the store cannot answer now: %w", err)
		}
		return err
	}
	if unreachable(err) {
		return pipeline.Errorf(pipeline.CodeUnavailable, "the store does not answer: %w", err)
	}
	return err
}

// unreachable reports whether err is about the way to the store and not about
// what was asked.
func unreachable(err error) bool {
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, net.ErrClosed,
		clickhouse.ErrAcquireConnTimeout, clickhouse.ErrConnectionClosed, sqldriver.ErrBadConn,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var network net.Error
	var status *clickhouse.HTTPError
	return errors.As(err, &network) || errors.As(err, &status)
}
