// Package launcher drains the jobs topic: every request becomes one execution, at
// most so many at once, and every execution gets an end with a reason. It decides
// when something runs; a runner (package local or kube) knows how.
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
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// Config bounds what runs.
type Config struct {
	// Runner is what runs executions: local (processes of this machine) or kubernetes (Jobs, see the section of that name).
	Runner string `yaml:"runner"`
	// Concurrency is how many executions run at once; 0 means four per CPU as local processes, since jobs mostly wait for the network, and 100 on Kubernetes.
	Concurrency int `yaml:"concurrency"`
	// PerProject is how many executions of one project run at once; 0 means as many as run at all.
	PerProject int `yaml:"perProject"`
	// PerTarget is how many executions aim at one host or domain at once, whatever port or page they are about; 0 means any number.
	PerTarget int `yaml:"perTarget"`
	// TargetInterval is the least time between two starts that aim at one host or domain.
	TargetInterval time.Duration `yaml:"targetInterval"`
	// StartTimeout is how long an execution may take from its start to its first instruction: room on a node, the image. Kubernetes only.
	StartTimeout time.Duration `yaml:"startTimeout"`
	// MaxAttempts is how often an execution may lose its launcher before it counts as lost.
	// High on purpose: a launcher that dies is rarely the fault of what it ran.
	MaxAttempts int `yaml:"maxAttempts"`
	// Deadline is for jobs that state none.
	Deadline time.Duration `yaml:"deadline"`
	// MaxLogLines bounds what is kept of one execution's output; the rest is counted.
	MaxLogLines int `yaml:"maxLogLines"`
}

// Runners that Config.Runner may name.
const (
	RunnerLocal      = "local"
	RunnerKubernetes = "kubernetes"
)

// DefaultConfig runs four executions per CPU for at most an hour each.
func DefaultConfig() Config {
	return Config{Runner: RunnerLocal, MaxAttempts: 25, PerTarget: 8, StartTimeout: 10 * time.Minute, Deadline: time.Hour, MaxLogLines: 100_000}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Runner != RunnerLocal && c.Runner != RunnerKubernetes {
		errs = append(errs, fmt.Errorf("runner: %q is neither %s nor %s", c.Runner, RunnerLocal, RunnerKubernetes))
	}
	for name, n := range map[string]int{"concurrency": c.Concurrency, "perProject": c.PerProject, "perTarget": c.PerTarget} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("%s is %d, must not be negative", name, n))
		}
	}
	if c.TargetInterval < 0 {
		errs = append(errs, fmt.Errorf("targetInterval is %s, must not be negative", c.TargetInterval))
	}
	if c.StartTimeout < time.Second {
		errs = append(errs, fmt.Errorf("startTimeout is %s, must be at least 1s", c.StartTimeout))
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
	Request      pipeline.JobRequest
	Job          pipeline.Job
	Project      pipeline.Project
	Attempt      int
	Arguments    map[string]json.RawMessage // defaults filled in, secrets opened, types checked
	Secret       []string                   // names of the arguments that hold secrets, in order
	Token        string                     // the execution's credential at the gateway
	Trace        string                     // its span as a traceparent, "" when that is not followed
	Deadline     time.Duration
	StartTimeout time.Duration
	Started      func(at time.Time) // called once, when its first instruction ran
}

// Result is how an execution ended.
type Result struct {
	State    pipeline.State // an end
	Reason   pipeline.Reason
	Detail   string
	ExitCode *int
	// Detached says that this is no end: the execution goes on by itself, and the
	// next Run of it, here or elsewhere, returns its end.
	Detached bool
}

// ErrStopped is the cause with which an execution's context ends when a person
// stopped it. Any other end of the context is the launcher's own.
var ErrStopped = errors.New("stopped by a person")

// Runner runs one execution and returns its end. When ctx ends it stops the
// execution, quickly, and returns StateStopped, or, if ErrStopped is not the cause,
// may let it go on and return Detached. It calls out for every line the process
// prints, from any goroutine, never after Run has returned.
type Runner interface {
	Name() string
	Run(ctx context.Context, s Spec, out func(stream pipeline.Stream, text string)) Result
}

// Keeper is what a runner may be too: one whose executions outlive it.
type Keeper interface {
	// Holds returns the attempt that it still has of an execution, running or ended.
	Holds(ctx context.Context, id string) (attempt int, ok bool)
	// Release removes what is left of an execution whose end is on the bus.
	Release(ctx context.Context, id string)
}

// Room is what a runner may be too: one that knows how much fits in.
type Room interface {
	// Reserve takes the room that an execution of a job needs; release gives it back.
	// When there is none, others that need class have to wait too.
	Reserve(id string, j *pipeline.Job) (class string, release func(), ok bool)
	// Freed gets a value when there may be room again.
	Freed() <-chan struct{}
}

type catalog interface {
	WaitFor(ctx context.Context, position int64) error
	Job(name string) (pipeline.Job, bool)
	Project(id string) (pipeline.Project, bool)
	Secret(projectID, name string) (pipeline.Secret, bool)
	Position() int64
}

// opener opens what a secret holds.
type opener interface {
	Open(s pipeline.Secret) (string, error)
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
	Secrets  opener // nil when this process has no key: jobs that name secrets fail
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Tracer   *trace.Tracer
	// Heard returns once Stop was given all that the stops topic held when it was
	// called; nil when nobody reports anything there.
	Heard func(ctx context.Context) error
}

// Launcher is the handler of the jobs queue. Run must be running while it takes.
type Launcher struct {
	cfg      Config
	runner   Runner
	catalog  catalog
	producer producer
	tokens   minter
	secrets  opener
	log      *slog.Logger
	metrics  *metrics
	tracer   *trace.Tracer
	heard    func(context.Context) error
	now      func() time.Time

	mu      sync.Mutex
	past    *memory
	active  map[string]*life // pending or running, by execution id
	pending *pending
	stops   *stops
	ending  []item        // stopped before they ran; Run writes their ends
	wake    chan struct{} // something may be able to start
	endings chan struct{} // something is in ending
	slots   chan struct{} // one token per running execution
}

var _ bus.QueueHandler = (*Launcher)(nil)

// New checks the configuration.
func New(cfg Config, d Deps) (*Launcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("launcher config: %w", err)
	}
	_, elsewhere := d.Runner.(Keeper)
	switch {
	case cfg.Concurrency == 0 && elsewhere:
		cfg.Concurrency = 100
	case cfg.Concurrency == 0:
		cfg.Concurrency = 4 * runtime.NumCPU()
	}
	l := &Launcher{
		cfg: cfg, runner: d.Runner, catalog: d.Catalog, producer: d.Producer, tokens: d.Tokens, secrets: d.Secrets,
		log: d.Log.With("component", "launcher"), metrics: newMetrics(d.Metrics), tracer: d.Tracer, heard: d.Heard, now: time.Now,
		past: newMemory(), active: map[string]*life{}, stops: newStops(),
		wake: make(chan struct{}, 1), endings: make(chan struct{}, 1), slots: make(chan struct{}, cfg.Concurrency),
	}
	l.pending = newPending(limits{project: cfg.PerProject, target: cfg.PerTarget, interval: cfg.TargetInterval, reserve: l.reserve})
	return l, nil
}

// Run starts what is pending until ctx ends, then stops what is running and says
// of each that it was interrupted, so that the next launcher runs it again.
func (l *Launcher) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { l.endStopped(ctx) })
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
			l.execute(ctx, it)
		})
	}
}

// next waits for something to run.
func (l *Launcher) next(ctx context.Context) (item, bool) {
	for {
		l.mu.Lock()
		it, ok := l.pending.pop(l.now())
		rest := l.pending.rest(l.now())
		l.metrics.pending.Set(float64(l.pending.len()))
		l.mu.Unlock()
		if ok {
			return it, true
		}
		if !l.rest(ctx, rest) {
			return item{}, false
		}
	}
}

// rest waits until something may be able to start, at most so long, and reports
// false when ctx ended instead.
func (l *Launcher) rest(ctx context.Context, most time.Duration) bool {
	var freed <-chan struct{}
	if r, ok := l.runner.(Room); ok {
		freed = r.Freed()
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-l.wake:
		return true
	case <-ctx.Done():
		return false
	case <-timer.C: // a signal may have been missed
	case <-freed:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending.roomMayBeFree()
	return true
}

// reserve asks the runner for room; a job that is not known needs none.
func (l *Launcher) reserve(it *item) (class string, release func(), ok bool) {
	r, limited := l.runner.(Room)
	if !limited {
		return "", nil, true
	}
	job, known := l.catalog.Job(it.req.Job)
	if !known {
		return "", nil, true
	}
	return r.Reserve(it.req.ID, &job)
}
