// Package launcher drains the jobs topic: every request becomes one execution, at
// most so many at once, and every execution gets an end with a reason. It decides
// when something runs; a runner (package local, later kube) knows how.
//
// README.md beside this file has the invariants and what happens on each failure.
package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
)

// Config bounds what runs.
type Config struct {
	// Concurrency is how many executions run at once; 0 means four per CPU, since jobs mostly wait for the network.
	Concurrency int `yaml:"concurrency"`
	// MaxAttempts is how often an execution may lose its launcher before it counts as lost.
	// High on purpose: a launcher that dies is rarely the fault of what it ran.
	MaxAttempts int `yaml:"maxAttempts"`
	// Deadline is for jobs that state none.
	Deadline time.Duration `yaml:"deadline"`
	// MaxLogLines bounds what is kept of one execution's output; the rest is counted.
	MaxLogLines int `yaml:"maxLogLines"`
}

// DefaultConfig runs four executions per CPU for at most an hour each.
func DefaultConfig() Config {
	return Config{MaxAttempts: 25, Deadline: time.Hour, MaxLogLines: 100_000}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Concurrency < 0 {
		errs = append(errs, fmt.Errorf("concurrency is %d, must not be negative", c.Concurrency))
	}
	if c.MaxAttempts < 1 {
		errs = append(errs, fmt.Errorf("maxAttempts is %d, must be at least 1", c.MaxAttempts))
	}
	if c.Deadline < time.Second {
		errs = append(errs, fmt.Errorf("deadline is %s, must be at least 1s", c.Deadline))
	}
	if c.MaxLogLines < 1 {
		errs = append(errs, fmt.Errorf("maxLogLines is %d, must be at least 1", c.MaxLogLines))
	}
	return errors.Join(errs...)
}

// Spec is everything a runner needs to run one execution.
type Spec struct {
	Request   pipeline.JobRequest
	Job       pipeline.Job
	Project   pipeline.Project
	Attempt   int
	Arguments map[string]json.RawMessage // defaults filled in, types checked
	Token     string                     // the execution's credential at the gateway
	Deadline  time.Duration
}

// Result is how an execution ended.
type Result struct {
	State    pipeline.State // an end
	Reason   pipeline.Reason
	Detail   string
	ExitCode *int
}

// Runner runs one execution and returns its end. When ctx ends it stops the
// execution, quickly, and returns StateStopped. It calls out for every line the
// process prints, from any goroutine, never after Run has returned.
type Runner interface {
	Name() string
	Run(ctx context.Context, s Spec, out func(stream pipeline.Stream, text string)) Result
}

type catalog interface {
	WaitFor(ctx context.Context, position int64) error
	Job(name string) (pipeline.Job, bool)
	Project(id string) (pipeline.Project, bool)
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

type minter interface {
	Mint(c jobtoken.Claims, ttl time.Duration) (string, error)
}

// Deps is what the launcher needs.
type Deps struct {
	Runner   Runner
	Catalog  catalog
	Producer producer
	Tokens   minter
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// Launcher is the handler of the jobs queue. Run must be running while it takes.
type Launcher struct {
	cfg      Config
	runner   Runner
	catalog  catalog
	producer producer
	tokens   minter
	log      *slog.Logger
	metrics  *metrics
	now      func() time.Time

	mu      sync.Mutex
	past    *memory
	active  map[string]*life // pending or running, by execution id
	pending *pending
	wake    chan struct{}
	slots   chan struct{} // one token per running execution
}

var _ bus.QueueHandler = (*Launcher)(nil)

// New checks the configuration.
func New(cfg Config, d Deps) (*Launcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("launcher config: %w", err)
	}
	if cfg.Concurrency == 0 {
		cfg.Concurrency = 4 * runtime.NumCPU()
	}
	return &Launcher{
		cfg: cfg, runner: d.Runner, catalog: d.Catalog, producer: d.Producer, tokens: d.Tokens,
		log: d.Log.With("component", "launcher"), metrics: newMetrics(d.Metrics), now: time.Now,
		past: newMemory(), active: map[string]*life{}, pending: newPending(),
		wake: make(chan struct{}, 1), slots: make(chan struct{}, cfg.Concurrency),
	}, nil
}

// Run starts what is pending until ctx ends, then stops what is running and says
// of each that it was interrupted, so that the next launcher runs it again.
func (l *Launcher) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case l.slots <- struct{}{}:
		}
		it, ok := l.next(ctx)
		if !ok {
			return nil
		}
		running.Go(func() {
			defer func() { <-l.slots }()
			defer l.leave(it)
			l.execute(it.life.under(ctx), it)
		})
	}
}

// next waits for something to run.
func (l *Launcher) next(ctx context.Context) (item, bool) {
	for {
		l.mu.Lock()
		it, ok := l.pending.pop()
		l.metrics.pending.Set(float64(l.pending.len()))
		l.mu.Unlock()
		if ok {
			return it, true
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
			return item{}, false
		}
	}
}
