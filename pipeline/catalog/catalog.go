// Package catalog is a live, read-only copy of the control plane: projects, jobs,
// subscriptions, pod sizes and sealed secrets, followed from the control topic. A role that has it needs no
// SQL store: it starts, and keeps running, from the topic alone.
//
// Readers get immutable values and never wait for a writer. Run must be running,
// and Ready closed, before the first read means anything.
package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Deps is what a catalog needs.
type Deps struct {
	Bus     *bus.Bus
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Catalog follows the control topic.
type Catalog struct {
	tail    *bus.Tail
	log     *slog.Logger
	metrics *metrics
	state   atomic.Pointer[state]

	mu       sync.Mutex
	moved    chan struct{} // closed and replaced at every change
	watchers []func()
}

// state is immutable; every change makes a new one.
type state struct {
	position      int64
	projects      table[pipeline.Project]
	jobs          table[pipeline.Job]
	names         map[string]string // job name → id
	subscriptions table[pipeline.Subscription]
	secrets       table[pipeline.Secret]
	sizes         table[pipeline.PodSize]
}

// New makes an empty catalog; Run fills it.
func New(d Deps) *Catalog {
	c := &Catalog{log: d.Log.With("component", "catalog"), metrics: newMetrics(d.Metrics), moved: make(chan struct{})}
	c.state.Store(&state{})
	c.tail = d.Bus.Tail(bus.TopicControl, c.apply)
	return c
}

// Run follows the control topic until ctx ends.
func (c *Catalog) Run(ctx context.Context) error { return c.tail.Run(ctx) }

// Ready is closed when the catalog holds all that was there when Run began.
func (c *Catalog) Ready() <-chan struct{} { return c.tail.Ready() }

// Position is the offset of the last applied change plus one.
func (c *Catalog) Position() int64 { return c.state.Load().position }

// WaitFor returns nil once Position is at least position, or CodeUnavailable when
// ctx ends first.
func (c *Catalog) WaitFor(ctx context.Context, position int64) error {
	for {
		c.mu.Lock()
		moved := c.moved
		c.mu.Unlock()
		at := c.Position()
		if at >= position {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return pipeline.Errorf(pipeline.CodeUnavailable, "the control topic is read up to %d, %d is needed: %w", at, position, ctx.Err())
		}
	}
}

// OnChange has fn called after every change, from the catalog's goroutine. It must
// return quickly and is added before Run.
func (c *Catalog) OnChange(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers = append(c.watchers, fn)
}

// Project returns a project by id.
func (c *Catalog) Project(id string) (pipeline.Project, bool) {
	return c.state.Load().projects.get(id)
}

// Projects returns every project, by name.
func (c *Catalog) Projects() []pipeline.Project {
	return slices.SortedFunc(c.state.Load().projects.values(), func(a, b pipeline.Project) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
}

// Job returns a job by name.
func (c *Catalog) Job(name string) (pipeline.Job, bool) {
	s := c.state.Load()
	return s.jobs.get(s.names[name])
}

// Jobs returns every job, by name.
func (c *Catalog) Jobs() []pipeline.Job {
	return slices.SortedFunc(c.state.Load().jobs.values(), func(a, b pipeline.Job) int { return strings.Compare(a.Name, b.Name) })
}

// Subscriptions returns every subscription, by id.
func (c *Catalog) Subscriptions() []pipeline.Subscription {
	return slices.SortedFunc(c.state.Load().subscriptions.values(), func(a, b pipeline.Subscription) int { return strings.Compare(a.ID, b.ID) })
}

// Secret returns the sealed secret that an execution of a project means by a name:
// the project's own, else the one for every project.
func (c *Catalog) Secret(projectID, name string) (found pipeline.Secret, ok bool) {
	for _, s := range c.state.Load().secrets.all() {
		if s.Name == name && (s.ProjectID == projectID || s.ProjectID == "" && !ok) {
			found, ok = s, true
		}
	}
	return found, ok
}

// PodSize returns what people have made of a pod size, or added.
func (c *Catalog) PodSize(name string) (pipeline.PodSize, bool) {
	return c.state.Load().sizes.get(name)
}

// apply takes one record of the control topic. A record it cannot read is counted
// and passed over: one bad row must not stop a role from starting.
func (c *Catalog) apply(r bus.Record) error {
	next := *c.state.Load()
	next.position = r.Offset + 1
	kind, id, _ := strings.Cut(string(r.Key), "/")
	change := record.Change{Kind: record.ChangeKind(kind), ID: id}
	if len(r.Value) > 0 {
		var err error
		if change, err = record.Decode[record.Change](r.Value); err != nil {
			c.metrics.unreadable.Inc()
			c.log.Error("control record is unreadable", "offset", r.Offset, "key", string(r.Key), "err", err)
			change = record.Change{}
		}
	}
	if err := next.change(change); err != nil {
		c.metrics.unreadable.Inc()
		c.log.Error("control record is not understood", "offset", r.Offset, "key", string(r.Key), "err", err)
	}
	c.publish(&next)
	return nil
}

func (c *Catalog) publish(next *state) {
	c.state.Store(next)
	c.metrics.position.Set(float64(next.position))
	c.mu.Lock()
	close(c.moved)
	c.moved = make(chan struct{})
	watchers := c.watchers
	c.mu.Unlock()
	for _, fn := range watchers {
		fn()
	}
}

func (s *state) change(c record.Change) error {
	switch c.Kind {
	case "":
	case record.ChangeProject:
		s.projects = s.projects.with(c.ID, c.Project)
	case record.ChangeSubscription:
		s.subscriptions = s.subscriptions.with(c.ID, c.Subscription)
	case record.ChangeSecret:
		s.secrets = s.secrets.with(c.ID, c.Secret)
	case record.ChangePodSize:
		s.sizes = s.sizes.with(c.ID, c.PodSize)
	case record.ChangeJob:
		s.jobs = s.jobs.with(c.ID, c.Job)
		s.names = make(map[string]string, len(s.names)+1)
		for id, j := range s.jobs.all() {
			s.names[j.Name] = id
		}
	default:
		return fmt.Errorf("unknown kind %q", c.Kind)
	}
	return nil
}
