package bus

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// watermark tracks one partition of a queue: which records are unfinished, and so
// up to where offsets may be committed. Offsets begin in ascending order.
type watermark struct {
	mu        sync.Mutex
	open      []int64 // unfinished, ascending
	next      int64   // one past the newest record that began; -1 before the first
	committed int64
}

func (w *watermark) begin(offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, offset)
	w.next = offset + 1
}

func (w *watermark) finish(offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i, ok := slices.BinarySearch(w.open, offset); ok {
		w.open = slices.Delete(w.open, i, i+1)
	}
}

// take returns the offset to commit and whether it moved since the last call.
func (w *watermark) take() (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.next
	if len(w.open) > 0 {
		at = w.open[0]
	}
	if at <= w.committed {
		return at, false
	}
	w.committed = at
	return at, true
}

func commitDone(failed *error) func(*kgo.Client, *kmsg.OffsetCommitRequest, *kmsg.OffsetCommitResponse, error) {
	return func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		*failed = err
		if err != nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					*failed = err
				}
			}
		}
	}
}
