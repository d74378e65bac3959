package clickhouse

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestTheDoorLetsSoManyIn(t *testing.T) {
	d := newDoor(1, 1, 1, time.Hour)
	ctx, leave, err := d.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, out, err := d.enter(ctx); err != nil { // part of the one inside
		t.Fatal(err)
	} else {
		out()
	}
	in := make(chan func())
	go func() {
		_, leave, err := d.enter(t.Context())
		if err != nil {
			t.Error(err)
		}
		in <- leave
	}()
	for end := time.Now().Add(time.Minute); d.waiting() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if _, _, err := d.enter(t.Context()); pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Errorf("one more than may wait: %v", err)
	}
	leave()
	(<-in)()
	if _, leave, err := d.enter(t.Context()); err != nil {
		t.Errorf("an empty room: %v", err)
	} else {
		leave()
	}
}

func TestTheDoorIsNotWaitedAtForEver(t *testing.T) {
	d := newDoor(1, 1, 8, time.Millisecond)
	_, leave, err := d.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	if _, _, err := d.enter(t.Context()); pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Errorf("after the time to wait: %v", err)
	}
	d.patience = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: %v", err)
	}
	if n := d.waiting(); n != 0 {
		t.Errorf("%d are said to wait", n)
	}
}

// While findings stream in, and for a moment after, fewer are let in; who is inside
// already may stay.
func TestTheDoorMakesRoomForWriting(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	d := newDoor(2, 1, 8, time.Hour)
	d.now = func() time.Time { return now }
	enter := func() (func(), bool) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // who has to wait gives up
		_, leave, err := d.enter(ctx)
		return leave, err == nil
	}
	one, ok := enter()
	two, more := enter()
	if !ok || !more {
		t.Fatal("two are not let in although nobody writes")
	}
	written := d.write()
	one()
	if _, ok := enter(); ok {
		t.Error("a second is let in although somebody writes")
	}
	two()
	one, ok = enter()
	if !ok {
		t.Error("not even one is let in while somebody writes")
	}
	written()
	if _, ok := enter(); ok {
		t.Error("a second is let in between two batches")
	}
	now = now.Add(between)
	two, ok = enter()
	if !ok {
		t.Error("a second is not let in although nobody writes any more")
	}
	one()
	two()
	if d.inside != 0 || d.waiting() != 0 {
		t.Errorf("%d are inside and %d wait in an empty house", d.inside, d.waiting())
	}
}
