package bus

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// Tail reads a topic from its start and follows it, without a group: every member
// reads everything.
type Tail struct {
	bus   *Bus
	topic string
	fn    func(Record) error
	ready chan struct{}
	once  sync.Once

	mu    sync.Mutex
	at    map[int32]int64 // the offsets that come next
	moved chan struct{}   // closed and replaced when at changes
}

// Tail makes a tail; Run starts it. fn is called from one goroutine; an error of
// its ends the tail.
func (b *Bus) Tail(topic string, fn func(Record) error) *Tail {
	return &Tail{bus: b, topic: topic, fn: fn, ready: make(chan struct{}), moved: make(chan struct{})}
}

// Ready is closed when everything was read that the topic held when Run began.
func (t *Tail) Ready() <-chan struct{} { return t.ready }

// CaughtUp returns once fn was given everything that the topic held when it was
// called: what was acknowledged before is known after. It asks the brokers for the
// end, and returns an error when that, or ctx, ends first. It is for topics that are
// not compacted: of those the last record may never come.
func (t *Tail) CaughtUp(ctx context.Context) error {
	ends, err := t.bus.Ends(ctx, t.topic)
	if err != nil {
		return err
	}
	for {
		t.mu.Lock()
		moved, behind := t.moved, t.behind(ends[t.topic])
		t.mu.Unlock()
		if !behind {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return classify(fmt.Errorf("catching up with %s: %w", t.topic, ctx.Err()))
		}
	}
}

// behind reports whether something before the ends was not given yet. The caller
// holds the lock.
func (t *Tail) behind(ends map[int32]int64) bool {
	for p, end := range ends {
		if at, known := t.at[p]; !known || at < end {
			return true
		}
	}
	return false
}

// passed notes how far a reading is, and tells who waits.
func (t *Tail) passed(at map[int32]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if maps.Equal(t.at, at) {
		return
	}
	t.at = maps.Clone(at)
	close(t.moved)
	t.moved = make(chan struct{})
}

// Run reads until ctx ends.
func (t *Tail) Run(ctx context.Context) error {
	starts, err := t.bus.Starts(ctx, t.topic)
	if err == nil {
		var r *reading
		if r, err = t.bus.read(ctx, t.topic, starts[t.topic]); err == nil {
			defer r.close()
			err = t.follow(ctx, r)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (t *Tail) follow(ctx context.Context, r *reading) error {
	for {
		t.passed(r.at)
		if len(r.left) == 0 {
			t.once.Do(func() { close(t.ready) })
		}
		if err := r.next(ctx, t.fn); err != nil {
			return fmt.Errorf("following %s: %w", t.topic, err)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the reader was told to stop; that is no failure
		}
	}
}
