// Package rebuild makes the analytical store anew from what stands on the topics,
// and proves that the store holds what they say. Both fold records with the very
// projector that runs in production; both are bounded in memory, whatever the topics
// hold.
//
// Replay writes into the store itself. Rows merge by laws that do not care about
// order or repetition, so it changes nothing of what is right, and may be stopped
// and run again. It moves no offset: the projector goes on where it was.
//
// Verify writes into a database beside the store's, which it makes and drops again,
// and has the engine compare the two.
//
// Projects that were deleted stay deleted: what the topics still hold of them is
// passed over.
package rebuild

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/projector"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// batchSize is how many records are folded at once.
const batchSize = 10_000

// projection folds records of the topics into a store.
type projection struct {
	bus      *bus.Bus
	store    *clickhouse.Store
	projects []string
	progress io.Writer

	records    int64
	unreadable []bus.DeadLetter // at most keepUnreadable of them
	rejected   int64
}

// keepUnreadable bounds how many records that cannot be handled are named.
const keepUnreadable = 10_000

// filtered passes on the rows of known projects.
type filtered struct {
	store *clickhouse.Store
	known map[string]bool
}

// Write passes on what is left of a batch.
func (f filtered) Write(ctx context.Context, b *rows.Batch) error {
	b.Only(func(project string) bool { return f.known[project] })
	if b.Len() == 0 {
		return nil
	}
	return f.store.Write(ctx, b)
}

// Write remembers records that cannot be handled. They have their letters already,
// from when the projector met them.
func (p *projection) Write(_ context.Context, letters []bus.DeadLetter) error {
	p.rejected += int64(len(letters))
	for _, l := range letters {
		if len(p.unreadable) == keepUnreadable {
			return nil
		}
		l.Record.Value = nil
		p.unreadable = append(p.unreadable, l)
	}
	return nil
}

// run folds what stands between two offsets.
func (p *projection) run(ctx context.Context, from, to bus.Offsets) error {
	known := map[string]bool{}
	for _, id := range p.projects {
		known[id] = true
	}
	proj := projector.New(projector.Deps{
		Store: filtered{p.store, known}, Dead: p, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	meter := newMeter(p.progress, from, to)
	err := p.bus.Scan(ctx, from, to, batchSize, func(recs []bus.Record) error {
		if err := patiently(ctx, func() error { return proj.Handle(ctx, recs) }); err != nil {
			return err
		}
		p.records += int64(len(recs))
		meter.at(recs)
		return nil
	})
	meter.end(err)
	return err
}

// patiently does something again while the store says "not now".
func patiently(ctx context.Context, do func() error) error {
	for pause := 200 * time.Millisecond; ; pause *= 2 {
		err := do()
		code := pipeline.CodeOf(err)
		if err == nil || code != pipeline.CodeBusy && code != pipeline.CodeUnavailable || pause > 10*time.Second {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// Projects returns the ids of the projects that exist, from the control topic.
func Projects(ctx context.Context, b *bus.Bus) ([]string, error) {
	from, err := b.Starts(ctx, bus.TopicControl)
	if err != nil {
		return nil, err
	}
	to, err := b.Ends(ctx, bus.TopicControl)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	err = b.Scan(ctx, from, to, batchSize, func(recs []bus.Record) error {
		for _, r := range recs {
			if len(r.Value) == 0 { // a tombstone
				delete(there, projectOf(r.Key))
				continue
			}
			c, err := record.Decode[record.Change](r.Value)
			if err != nil || c.Kind != record.ChangeProject {
				continue // what the catalogue cannot read, it passes over
			}
			if c.Project == nil {
				delete(there, c.ID)
			} else {
				there[c.ID] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the projects: %w", err)
	}
	return sorted(there), nil
}
