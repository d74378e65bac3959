package bus

import (
	"context"
	"fmt"
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
}

// Tail makes a tail; Run starts it. fn is called from one goroutine; an error of
// its ends the tail.
func (b *Bus) Tail(topic string, fn func(Record) error) *Tail {
	return &Tail{bus: b, topic: topic, fn: fn, ready: make(chan struct{})}
}

// Ready is closed when everything was read that the topic held when Run began.
func (t *Tail) Ready() <-chan struct{} { return t.ready }

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
