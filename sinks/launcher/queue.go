package launcher

import (
	"context"
	"fmt"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// item is one execution to come.
type item struct {
	req       pipeline.JobRequest
	attempt   int
	partition int32
	done      func()
}

// Restore learns what became of executions before this launcher's life.
func (l *Launcher) Restore(_ int32, r bus.Record) error {
	e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
	if err != nil {
		l.metrics.unreadable.Inc()
		return nil // nobody could act on it; the projector sets it aside
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past.learn(e)
	return nil
}

// Restored does nothing: Take looks into what Restore learnt.
func (l *Launcher) Restored(int32) {}

// Revoke forgets what is pending for a partition that went to another launcher.
// What runs is finished here; the other finds its events, or starts the next
// attempt, whose findings have the same names.
func (l *Launcher) Revoke(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.pending.drop(partition) {
		delete(l.active, it.req.ID)
	}
}

// Take queues a request. A repeated one is done at once; one that an earlier life
// left unfinished is tried again, or given up after MaxAttempts.
func (l *Launcher) Take(ctx context.Context, r bus.Record, done func()) error {
	req, err := record.Decode[pipeline.JobRequest](r.Value)
	if err != nil || req.ID == "" {
		l.metrics.unreadable.Inc()
		l.log.Error("job request is unreadable, passed over", "partition", r.Partition, "offset", r.Offset, "err", err)
		done() // the projector reads the same record and keeps it as a dead letter
		return nil
	}
	l.mu.Lock()
	past, known := l.past.get(req.ID)
	repeated := l.active[req.ID] || (known && past.ended)
	if !repeated {
		l.active[req.ID] = true
	}
	l.mu.Unlock()
	it := item{req: req, attempt: past.attempt + 1, partition: r.Partition, done: done}
	switch {
	case repeated:
		l.metrics.repeated.Inc()
		done()
	case past.attempt-past.orderly >= l.cfg.MaxAttempts:
		it.attempt--
		l.end(ctx, it, Result{
			State: pipeline.StateLost, Reason: pipeline.ReasonAttempts,
			Detail: fmt.Sprintf("its launcher died during %d attempts", past.attempt-past.orderly),
		})
	default:
		if past.attempt > 0 {
			l.emit(ctx, it, pipeline.StateQueued, Result{Reason: pipeline.ReasonInterrupted, Detail: "the launcher was restarted"})
		}
		l.push(it)
	}
	return nil
}

func (l *Launcher) push(it item) {
	l.mu.Lock()
	l.pending.push(it)
	l.metrics.pending.Set(float64(l.pending.len()))
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
