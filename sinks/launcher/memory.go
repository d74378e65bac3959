package launcher

import (
	"crypto/sha256"
	"encoding/hex"
	"math/bits"

	"github.com/stalker-asm/stalker/pipeline"
)

// memory knows what became of recent executions, in two generations so that it
// stays bounded: the older is dropped when the younger is full. Learning an event
// twice, as happens when a partition comes back, changes nothing.
type memory struct {
	young, old map[memoryKey]past
}

// generation is what a generation holds, at about 50 bytes each. It must cover the
// executions that end while the longest one runs: requests are committed in order,
// so all of those are seen again after a crash.
const generation = 500_000

type memoryKey [pipeline.IDLen / 2]byte

func keyOf(id string) (k memoryKey) {
	if pipeline.IsID(id) {
		_, _ = hex.Decode(k[:], []byte(id)) // IsID has checked it
		return k
	}
	sum := sha256.Sum256([]byte(id))
	copy(k[:], sum[:])
	return k
}

// past is how far an execution is known to have come.
type past struct {
	attempt int    // the last one that began
	orderly uint64 // bit n is set when attempt n was ended by stopping its launcher in order
	ended   bool
}

func (p past) stops() int { return bits.OnesCount64(p.orderly) }

func newMemory() *memory { return &memory{young: map[memoryKey]past{}} }

// learn keeps the furthest an execution is known to have come.
func (m *memory) learn(e pipeline.ExecutionEvent) {
	p, _ := m.get(e.ExecutionID)
	began := e.Attempt
	if e.State == pipeline.StateQueued {
		began-- // this attempt was announced, not begun
	}
	if e.Reason == pipeline.ReasonShutdown && began > 0 {
		p.orderly |= 1 << began
	}
	if len(m.young) >= generation {
		m.old, m.young = m.young, map[memoryKey]past{}
	}
	p.attempt, p.ended = max(p.attempt, began), p.ended || e.State.Ended()
	m.young[keyOf(e.ExecutionID)] = p
}

func (m *memory) get(id string) (past, bool) {
	k := keyOf(id)
	if p, ok := m.young[k]; ok {
		return p, true
	}
	p, ok := m.old[k]
	return p, ok
}
