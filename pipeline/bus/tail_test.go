package bus_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// TestATailIsCaughtUpWithWhatWasAcknowledgedBefore: what a producer was told is kept
// has been given to the tail once it says so.
func TestATailIsCaughtUpWithWhatWasAcknowledgedBefore(t *testing.T) {
	b := bustest.New(t)
	var given atomic.Int64
	tail := b.Tail(bus.TopicStops, func(bus.Record) error { given.Add(1); return nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tail.CaughtUp(ctx); err == nil {
		t.Error("caught up before it ran")
	}
	bustest.Run(t, "tail", tail.Run)
	if err := tail.CaughtUp(t.Context()); err != nil { // with an empty topic
		t.Fatal(err)
	}
	for i := range 50 {
		bustest.Produce(t, b, bus.Record{Topic: bus.TopicStops, Key: fmt.Append(nil, i), Value: []byte("x"), Time: time.Now()})
		if err := tail.CaughtUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := given.Load(); n != int64(i+1) {
			t.Fatalf("%d of %d given", n, i+1)
		}
	}
}
