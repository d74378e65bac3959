package launcher

import (
	"context"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// item is one execution to come.
type item struct {
	req       pipeline.JobRequest
	attempt   int
	partition int32
	done      func()
	life      *life
	trace     string // the span that asked for it, "" when that is not followed

	began    bool   // an earlier launcher began the attempt before this one
	adopted  bool   // it goes on where an earlier launcher left it
	unparked bool   // it has waited at a gate; what follows belongs to pending
	counted  bool   // as running
	class    string // whom it shares room with
	release  func() // gives its room back; may be nil
}

// life is the time an execution spends in this launcher. It can end before the
// launcher's: when the partition goes to another one.
type life struct {
	req       pipeline.JobRequest
	partition int32
	by        *pipeline.StopRequest // who stopped it; set once, under the launcher's lock
	stopping  chan struct{}         // closed when by is set
	lost      chan struct{}         // closed by Revoke, under the launcher's lock
	ended     chan struct{}         // closed when nothing of the execution is left here
}

func newLife(req pipeline.JobRequest, partition int32) *life {
	return &life{req: req, partition: partition, stopping: make(chan struct{}), lost: make(chan struct{}), ended: make(chan struct{})}
}

// under returns ctx, ending also when the life is lost; and that, ending also, with
// ErrStopped, when a person stops it. Both are released when the life has ended.
func (v *life) under(ctx context.Context) (owned, run context.Context) {
	owned, lose := context.WithCancel(ctx)
	run, stop := context.WithCancelCause(owned)
	go func() {
		defer lose()
		defer stop(nil)
		select {
		case <-v.lost:
			return
		case <-v.ended:
			return
		case <-v.stopping:
			stop(ErrStopped)
		}
		select {
		case <-v.lost:
		case <-v.ended:
		}
	}()
	return owned, run
}

// leave says that nothing of an execution is left here.
func (l *Launcher) leave(it item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active[it.req.ID] == it.life {
		delete(l.active, it.req.ID)
	}
	l.pending.release(&it)
	close(it.life.ended)
	signal(l.wake)
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

// revokeTimeout bounds how long a rebalance waits for executions to stop.
const revokeTimeout = 15 * time.Second

// Revoke gives a partition up: what waits is forgotten, what runs is stopped, so
// that the next owner does not run the same beside us. It waits for that, bounded.
func (l *Launcher) Revoke(partition int32) {
	timeout := time.After(revokeTimeout)
	for _, v := range l.abandon(partition) {
		select {
		case <-v.ended:
		case <-timeout:
			l.log.Error("executions of a lost partition did not stop in time", "partition", partition)
			return
		}
	}
}

// abandon returns the lives that are still ending.
func (l *Launcher) abandon(partition int32) []*life {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.pending.drop(partition) {
		delete(l.active, it.req.ID)
		close(it.life.ended)
	}
	l.metrics.pending.Set(float64(l.pending.len()))
	var ending []*life
	for _, v := range l.active {
		if v.partition == partition {
			close(v.lost)
			v.partition = -1 // once
			ending = append(ending, v)
		}
	}
	return ending
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
	it := item{req: req, partition: r.Partition, done: done, life: newLife(req, r.Partition), trace: r.Headers[trace.Header]}
	if !l.enter(ctx, &it) {
		return nil
	}
	began, failures := it.attempt-1, it.attempt-1-l.orderly(req.ID)
	_, keeps := l.runner.(Keeper)
	it.began = began > 0
	switch {
	case failures >= l.cfg.MaxAttempts:
		it.attempt--
		l.end(ctx, it, Result{
			State: pipeline.StateLost, Reason: pipeline.ReasonAttempts,
			Detail: fmt.Sprintf("its launcher died during %d attempts", failures),
		})
		l.leave(it)
	case it.began && !keeps && !l.again(ctx, it):
		l.leave(it) // ctx has ended; the record comes again
	default:
		l.push(it)
	}
	return nil
}

// again says that what an earlier launcher began begins anew.
func (l *Launcher) again(ctx context.Context, it item) bool {
	return l.emit(ctx, it, pipeline.StateQueued, Result{Reason: pipeline.ReasonInterrupted, Detail: "the launcher was restarted"})
}

// enter makes an execution active, with the attempt it is then in, and reports
// whether it is to go on. It waits while an execution of the same id, given up with
// its partition, is still ending here. Any other one with that id makes the request
// a repetition, which is done: the first request is not.
func (l *Launcher) enter(ctx context.Context, it *item) bool {
	for {
		v, repeated := l.claim(it)
		if repeated {
			l.metrics.repeated.Inc()
			it.done()
			return false
		}
		if v == it.life {
			return true
		}
		select {
		case <-v.ended:
		case <-ctx.Done():
			return false
		}
	}
}

// claim returns the life that has the execution's id now: that of the item, if it
// was free.
func (l *Launcher) claim(it *item) (v *life, repeated bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	past, known := l.past.get(it.req.ID)
	if known && past.ended {
		return nil, true
	}
	if v := l.active[it.req.ID]; v != nil {
		return v, v.partition >= 0
	}
	it.attempt = past.attempt + 1
	l.active[it.req.ID] = it.life
	return it.life, false
}

// orderly is how many attempts ended because a launcher was stopped in order.
func (l *Launcher) orderly(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	past, _ := l.past.get(id)
	return past.stops()
}

func (l *Launcher) push(it item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if by, stopped := l.stops.covers(&it.req); stopped && !it.began {
		it.life.stop(by)
		l.ending = append(l.ending, it)
		signal(l.endings)
		return
	} else if stopped { // what an earlier launcher began may have to be ended
		it.life.stop(by)
	}
	l.pending.push(it)
	l.metrics.pending.Set(float64(l.pending.len()))
	signal(l.wake)
}
