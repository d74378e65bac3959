package clickhouse

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// door lets in as many questions at once as the store answers best, and has others
// wait, a bounded number of them and for a bounded time: many at once would all be slow
// and fill the memory, and whoever gave up would still be answered.
type door struct {
	inside   chan struct{}
	waiting  atomic.Int64
	most     int64
	patience time.Duration
}

func newDoor(inside, waiting int, patience time.Duration) *door {
	return &door{inside: make(chan struct{}, inside), most: int64(waiting), patience: patience}
}

type insideKey struct{}

// enter returns when a question may be asked; leave ends it. One that is part of
// another that is inside does not wait.
func (d *door) enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	if ctx.Value(insideKey{}) != nil {
		return ctx, func() {}, nil
	}
	leave = func() { <-d.inside }
	inside = context.WithValue(ctx, insideKey{}, true)
	select {
	case d.inside <- struct{}{}:
		return inside, leave, nil
	default:
	}
	defer d.waiting.Add(-1)
	if d.waiting.Add(1) > d.most {
		return ctx, nil, pipeline.Errorf(pipeline.CodeUnavailable, "the store answers %d questions and %d wait: ask again in a moment", cap(d.inside), d.most)
	}
	t := time.NewTimer(d.patience)
	defer t.Stop()
	select {
	case d.inside <- struct{}{}:
		return inside, leave, nil
	case <-ctx.Done():
		return ctx, nil, ctx.Err()
	case <-t.C:
		return ctx, nil, pipeline.Errorf(pipeline.CodeUnavailable, "the store has answered %d questions at once for %s and did not come to this one: ask again in a moment", cap(d.inside), d.patience)
	}
}
