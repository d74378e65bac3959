// Package generate fills a project with made-up findings (package sample): through the
// findings topic, so that every role has work, or straight into the store with the
// projector's own code, which is the quick way to a store of some size.
package generate

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/sample"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// Sink takes what was made. A nil error means that it is durable.
type Sink func(ctx context.Context, recs []bus.Record) error

// Store is a sink that projects into a store, up to 40,000 records at once: what an
// INSERT costs hardly depends on its size.
func Store(s *clickhouse.Store) (sink Sink, flush func(context.Context) error) {
	p := projector.New(projector.Deps{Store: s, Dead: refuse{}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	var held []bus.Record
	flush = func(ctx context.Context) error {
		if len(held) == 0 {
			return nil
		}
		err := p.Handle(ctx, held)
		held = held[:0]
		return err
	}
	return func(ctx context.Context, recs []bus.Record) error {
		if held = append(held, recs...); len(held) < storeBatch {
			return nil
		}
		return flush(ctx)
	}, flush
}

const storeBatch = 40_000

// refuse takes no dead letters: whatever is made here can be read.
type refuse struct{}

// Write says what could not be read.
func (refuse) Write(_ context.Context, letters []bus.DeadLetter) error {
	return pipeline.Errorf(pipeline.CodeInternal, "a made record cannot be read: %s", letters[0].Reason)
}

// Plan is what is made.
type Plan = sample.Plan

// Progress is how far that has come.
type Progress = sample.Progress

// Options say what is made.
type Options struct {
	Plan
	// Rate is how many findings a second are handed on at most; 0 means any number.
	Rate int
	// Progress is told now and then how far it has come.
	Progress func(Progress)
}

// Run makes what the options say, into a sink.
func Run(ctx context.Context, o Options, sink Sink) error {
	begin := time.Now()
	return o.Each(ctx, func(recs []bus.Record, done Progress) error {
		for len(recs) > 0 {
			n := len(recs)
			if o.Rate > 0 {
				n = min(n, max(o.Rate/10, 1)) // ten times a second
			}
			if err := sink(ctx, recs[:n]); err != nil {
				return err
			}
			recs = recs[n:]
			if err := pace(ctx, begin, done.Findings-len(recs), o.Rate); err != nil {
				return err
			}
		}
		if o.Progress != nil {
			o.Progress(done)
		}
		return nil
	})
}

// pace waits until n findings may have been handed on.
func pace(ctx context.Context, begin time.Time, n, rate int) error {
	if rate <= 0 {
		return nil
	}
	t := time.NewTimer(time.Until(begin.Add(time.Duration(n) * time.Second / time.Duration(rate))))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
