package clickhouse

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// door lets in as many questions at once as the store answers best, and has others
// wait, a bounded number of them and for a bounded time: many at once would all be slow
// and fill the memory, and whoever gave up would still be answered. While this process
// writes it lets in fewer: who folds and writes findings has a thread or two beside the
// many of all questions, and gets as much of the cores as one of those.
type door struct {
	size, beside int // how many may be inside, and while somebody writes
	most         int
	patience     time.Duration
	now          func() time.Time

	mu      sync.Mutex
	inside  int
	writing int             // how many write now
	written time.Time       // when the last of them ended
	queue   []chan struct{} // of who waits, the longest first; closed for who may enter
}

func newDoor(inside, beside, waiting int, patience time.Duration) *door {
	return &door{size: inside, beside: min(inside, beside), most: waiting, patience: patience, now: time.Now}
}

type insideKey struct{}

// enter returns when a question may be asked; leave ends it. One that is part of
// another that is inside does not wait.
func (d *door) enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	if ctx.Value(insideKey{}) != nil {
		return ctx, func() {}, nil
	}
	inside = context.WithValue(ctx, insideKey{}, true)
	place, err := d.place()
	if err != nil {
		return ctx, nil, err
	}
	if place == nil {
		return inside, d.leave, nil
	}
	t := time.NewTimer(d.patience)
	defer t.Stop()
	select {
	case <-place:
		return inside, d.leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-t.C:
		err = pipeline.Errorf(pipeline.CodeUnavailable, "the store has answered %d questions at once for %s and did not come to this one: ask again in a moment", d.size, d.patience)
	}
	d.giveUp(place)
	return ctx, nil, err
}

// place takes a place inside, or one in the queue.
func (d *door) place() (chan struct{}, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 && d.inside < d.room() {
		d.inside++
		return nil, nil
	}
	if len(d.queue) >= d.most {
		return nil, pipeline.Errorf(pipeline.CodeUnavailable, "the store answers %d questions and %d wait: ask again in a moment", d.inside, d.most)
	}
	place := make(chan struct{})
	d.queue = append(d.queue, place)
	return place, nil
}

// giveUp leaves the queue, or the place that was given meanwhile.
func (d *door) giveUp(place chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.queue, place); i >= 0 {
		d.queue = slices.Delete(d.queue, i, i+1)
		return
	}
	d.inside--
	d.admit()
}

func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
	d.admit()
}

// write says that somebody begins to write, who does not wait; done ends it.
func (d *door) write() (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.writing--
		d.written = d.now()
	}
}

// between is how long after a batch the next is expected: while findings stream in, half
// of the work on a batch is done before it is written.
const between = 3 * time.Second

// busy says whether this process writes, or has just written.
func (d *door) busy() bool { return d.writing > 0 || d.now().Sub(d.written) < between }

// room is how many may be inside now.
func (d *door) room() int {
	if d.busy() {
		return d.beside
	}
	return d.size
}

// admit lets in who waited longest, as long as there is room.
func (d *door) admit() {
	for len(d.queue) > 0 && d.inside < d.room() {
		close(d.queue[0])
		d.queue = slices.Delete(d.queue, 0, 1)
		d.inside++
	}
}

// waiting is how many wait.
func (d *door) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}
