// Package run starts the parts of a process in order and stops them in reverse,
// each within a bound. It is the only owner of top-level goroutines.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"time"
)

// Group is an ordered list of parts. It is used from one goroutine.
type Group struct {
	log   *slog.Logger
	parts []part
}

// part is a component (run is set) or a thing to close (close is set).
type part struct {
	name  string
	grace time.Duration
	run   func(context.Context) error
	close func() error
}

// New returns an empty group.
func New(log *slog.Logger) *Group { return &Group{log: log} }

// Add appends a component. It blocks in run until its context ends and then has
// grace to return.
func (g *Group) Add(name string, grace time.Duration, run func(context.Context) error) {
	g.parts = append(g.parts, part{name: name, grace: grace, run: run})
}

// Close appends a thing to close once everything added after it has stopped. Call
// it right after the thing was opened, so that a half-failed start unwinds too.
func (g *Group) Close(name string, fn func() error) {
	g.parts = append(g.parts, part{name: name, grace: 10 * time.Second, close: fn})
}

// Unwind closes what was opened when Run is never going to be called.
func (g *Group) Unwind() error { return g.stop(make([]*running, len(g.parts))) }

type running struct {
	cancel context.CancelFunc
	done   chan error
}

// Run starts every component, waits until ctx ends or one of them fails or
// returns, then stops all in reverse order. It returns nil when ctx ended and
// everything stopped cleanly.
func (g *Group) Run(ctx context.Context) error {
	started := make([]*running, len(g.parts))
	ended := make(chan error, len(g.parts))
	for i, p := range g.parts {
		if p.run != nil {
			started[i] = g.start(ctx, p, ended)
		}
	}
	var first error
	select {
	case <-ctx.Done():
	case first = <-ended:
	}
	return errors.Join(first, g.stop(started))
}

// start runs a component under a context of its own: stopping is ordered, so the
// end of the process's context must not reach it directly.
func (g *Group) start(ctx context.Context, p part, ended chan<- error) *running {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{cancel: cancel, done: make(chan error, 1)}
	go pprof.Do(own, pprof.Labels("component", p.name), func(own context.Context) {
		err := guard(func() error { return p.run(own) })
		switch {
		case err != nil:
			err = fmt.Errorf("%s: %w", p.name, err)
		case own.Err() == nil:
			err = fmt.Errorf("%s ended by itself", p.name)
		}
		if own.Err() == nil {
			ended <- err
			err = nil // reported there
		}
		r.done <- err
	})
	return r
}

func (g *Group) stop(started []*running) error {
	var errs []error
	for i, p := range slices.Backward(g.parts) {
		if err := g.stopOne(p, started[i]); err != nil {
			errs = append(errs, err)
		}
		g.log.Debug("stopped", "part", p.name)
	}
	return errors.Join(errs...)
}

func (g *Group) stopOne(p part, r *running) error {
	var done chan error
	switch {
	case p.close != nil:
		done = make(chan error, 1)
		go func() { done <- guard(p.close) }()
	case r == nil:
		return nil
	default:
		r.cancel()
		done = r.done
	}
	select {
	case err := <-done:
		if err != nil && p.close != nil {
			return fmt.Errorf("closing %s: %w", p.name, err)
		}
		return err
	case <-time.After(p.grace):
		return fmt.Errorf("%s did not stop within %s", p.name, p.grace)
	}
}

func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
