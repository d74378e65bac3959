package bus_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// A batch closes at its bytes, however many records it may have: each may be large.
func TestBatchesAreBoundedInBytes(t *testing.T) {
	b := bustest.New(t)
	recs := numbered(bus.TopicFindings, 0, 12_000)
	for i := range recs {
		recs[i].Value = bytes.Repeat(recs[i].Key, 100)
	}
	bustest.Produce(t, b, recs...)
	var mu sync.Mutex
	var sizes []int
	total := 0
	h := bus.HandlerFunc(func(_ context.Context, batch []bus.Record) error {
		mu.Lock()
		defer mu.Unlock()
		sizes, total = append(sizes, len(batch)), total+len(batch)
		return nil
	})
	bustest.Run(t, "consumer", b.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: []string{bus.TopicFindings}, MaxBytes: 1}, h).Run)
	bustest.Eventually(t, "all records handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return total == len(recs)
	})
	mu.Lock()
	defer mu.Unlock()
	for _, n := range sizes {
		if n > 5000 { // one poll
			t.Errorf("a batch has %d records after its bytes were reached: %v", n, sizes)
		}
	}
}
