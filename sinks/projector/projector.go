// Package projector turns what stands on the topics into rows of the store:
// findings become resources, links, tags and stored findings; what people decided
// becomes marks; job requests and execution events become executions; log lines become lines.
//
// It owns no connection and no offset: Handle returns nil only when the store has
// acknowledged every row, and the consumer commits then. Handle is idempotent, so
// a batch may come again. A record nobody can read goes to the dead letters and
// never holds up its batch. README.md says what each finding changes.
package projector

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// store writes rows, at most one INSERT per table and call. A nil error means all
// of them are durable.
type store interface {
	Write(ctx context.Context, b *rows.Batch) error
}

// deadLetters takes records that cannot be handled.
type deadLetters interface {
	Write(ctx context.Context, letters []bus.DeadLetter) error
}

// Deps is what a Projector needs from outside.
type Deps struct {
	Store   store
	Dead    deadLetters
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Projector is a bus.Handler for Topics.
type Projector struct {
	store   store
	dead    deadLetters
	log     *slog.Logger
	metrics *metrics
	memory  *memory
	others  others
}

var _ bus.Handler = (*Projector)(nil)

// New returns a projector.
func New(d Deps) *Projector {
	return &Projector{store: d.Store, dead: d.Dead, log: d.Log.With("component", "projector"), metrics: newMetrics(d.Metrics), memory: newMemory(), others: others{looked: time.Now()}}
}

// Assigned forgets what this projector wrote of the history: partitions come to it
// that another one had, which wrote too.
func (p *Projector) Assigned() { p.memory.clear() }

// Topics are what a projector reads, in the group bus.GroupProjector.
func Topics() []string {
	return []string{bus.TopicFindings, bus.TopicJobs, bus.TopicExecutions, bus.TopicLogs, bus.TopicMarks, bus.TopicVerdicts}
}

// Handle projects one batch.
func (p *Projector) Handle(ctx context.Context, batch []bus.Record) error {
	start := time.Now()
	in, dead := decode(batch)
	start = p.metrics.took(stageDecode, start)
	for _, part := range in.parts() {
		h := newHistory(p.memory, len(part.findings))
		out, more := fold(part, h)
		dead = append(dead, more...)
		start = p.metrics.took(stageFold, start)
		if err := p.write(ctx, &h, out); err != nil {
			return fmt.Errorf("writing %d rows of %d records: %w", out.Len(), len(batch), err)
		}
		if err := p.again(ctx, part, out); err != nil {
			return err
		}
		start = p.metrics.took(stageWrite, start)
	}
	if err := p.bury(ctx, batch, dead); err != nil {
		return err
	}
	for i := range batch {
		p.metrics.records.WithLabelValues(batch[i].Topic).Inc()
	}
	return nil
}

// write hands rows to the store, and the memory what is then in the history.
func (p *Projector) write(ctx context.Context, h *history, out *rows.Batch) error {
	if out.Len() > 0 {
		if err := p.store.Write(ctx, out); err != nil {
			return err
		}
	}
	p.memory.written(h, out.Swept)
	return nil
}

// again says in the history once more what was left out because this projector did
// not know what another one had swept. All that is older than something else said
// here was said the first time.
func (p *Projector) again(ctx context.Context, part input, out *rows.Batch) error {
	concerned, err := p.hear(ctx, out)
	if err != nil || !concerned {
		return err
	}
	h := newHistory(p.memory, len(part.findings))
	part = input{findings: part.findings}
	more, _ := fold(part, h)
	if err := p.write(ctx, &h, &rows.Batch{Changes: more.Changes}); err != nil {
		return fmt.Errorf("writing %d changes again: %w", len(more.Changes), err)
	}
	return nil
}

// rejected is a record that cannot be handled, by its place in the batch.
type rejected struct {
	index int
	err   error
}

func (p *Projector) bury(ctx context.Context, batch []bus.Record, dead []rejected) error {
	if len(dead) == 0 {
		return nil
	}
	letters := make([]bus.DeadLetter, len(dead))
	for i, r := range dead {
		letters[i] = bus.NewDeadLetter(batch[r.index], r.err)
	}
	if err := p.dead.Write(ctx, letters); err != nil {
		return fmt.Errorf("burying %d records: %w", len(letters), err)
	}
	for _, r := range dead {
		p.metrics.rejected.WithLabelValues(batch[r.index].Topic).Inc()
	}
	first := dead[0]
	p.log.Warn("records went to the dead letters", "count", len(dead), "topic", batch[first.index].Topic,
		"partition", batch[first.index].Partition, "offset", batch[first.index].Offset, "reason", first.err)
	return nil
}
