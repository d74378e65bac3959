package clickhouse

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestTheDoorLetsSoManyIn(t *testing.T) {
	d := newDoor(1, 1, time.Hour)
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
	for end := time.Now().Add(time.Minute); d.waiting.Load() == 0 && time.Now().Before(end); {
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
	d := newDoor(1, 8, time.Millisecond)
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
	if n := d.waiting.Load(); n != 0 {
		t.Errorf("%d are said to wait", n)
	}
}
