// Package gateway is the only door through which jobs speak: findings and log
// lines come in over HTTP with the credential of one execution, are checked, and
// are answered once the bus has acknowledged them. Jobs never reach Kafka.
//
// README.md beside this file has the contract and what happens on each failure.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// Path is where the gateway is mounted.
const Path = "/gateway/v1"

// Config bounds what one request and all requests together may cost.
type Config struct {
	// MaxBody is the largest request body in bytes, after decompression.
	MaxBody int64 `yaml:"maxBody"`
	// MaxItems is how many findings or log lines one request may carry.
	MaxItems int `yaml:"maxItems"`
	// MaxInFlight is how many bytes of bodies may be in work at once; beyond it jobs are told to wait.
	MaxInFlight int64 `yaml:"maxInFlight"`
	// Timeout bounds one request, from its last byte to the acknowledgement.
	Timeout time.Duration `yaml:"timeout"`
}

// DefaultConfig allows 1,000 items and 8 MiB per request, 64 MiB in flight.
func DefaultConfig() Config {
	return Config{MaxBody: 8 << 20, MaxItems: 1000, MaxInFlight: 64 << 20, Timeout: 30 * time.Second}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxBody < 1<<10 {
		errs = append(errs, fmt.Errorf("maxBody is %d, must be at least 1024", c.MaxBody))
	}
	if c.MaxItems < 1 {
		errs = append(errs, fmt.Errorf("maxItems is %d, must be at least 1", c.MaxItems))
	}
	if c.MaxInFlight < c.MaxBody {
		errs = append(errs, fmt.Errorf("maxInFlight is %d, must be at least maxBody (%d)", c.MaxInFlight, c.MaxBody))
	}
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("timeout is %s, must be at least 1s", c.Timeout))
	}
	return errors.Join(errs...)
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

type verifier interface {
	Verify(token string) (jobtoken.Claims, error)
	VerifyReference(context string) (jobtoken.Claims, error)
}

// Deps is what the gateway needs. Position returns the control-plane position
// known here; findings carry it so that the matcher is never behind the gateway.
type Deps struct {
	Producer producer
	Tokens   verifier
	Position func() int64
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Tracer   *trace.Tracer
}

// Gateway handles requests of jobs.
type Gateway struct {
	cfg      Config
	producer producer
	tokens   verifier
	position func() int64
	log      *slog.Logger
	metrics  *metrics
	tracer   *trace.Tracer
	room     *room
	now      func() time.Time
}

// New checks the configuration.
func New(cfg Config, d Deps) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("gateway config: %w", err)
	}
	return &Gateway{
		cfg: cfg, producer: d.Producer, tokens: d.Tokens, position: d.Position,
		log: d.Log.With("component", "gateway"), metrics: newMetrics(d.Metrics), tracer: d.Tracer,
		room: &room{free: cfg.MaxInFlight}, now: time.Now,
	}, nil
}

// Handler serves the gateway below Path, and the reference's door there and at
// ReferencePath.
func (g *Gateway) Handler() http.Handler {
	r := chi.NewRouter()
	r.Route(Path, func(r chi.Router) {
		r.Post("/findings", g.serve(kindFindings, g.findings))
		r.Post("/logs", g.serve(kindLogs, g.logs))
		g.reference(r)
	})
	g.reference(r)
	return r
}

func (g *Gateway) reference(r chi.Router) {
	r.Post(ReferencePath+"/Finding", g.speak(g.sayFinding))
	r.Post(ReferencePath+"/Status", g.speak(g.sayStatus))
}
