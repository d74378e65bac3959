package projector

import (
	"hash/maphash"
	"sync"

	"github.com/stalker-asm/stalker/sinks/rows"
)

// remembered is how many attributes a memory holds at least before it forgets the
// older half. An entry is some 40 bytes.
const remembered = 500_000

// memory knows what was last written of the history, so that saying the same again
// writes nothing. It is never relied on: a row too many changes nothing, since what
// a row changed follows from the row before it. What is in doubt is written.
type memory struct {
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]known // the older half was written before the newer
}

// known is what was last said of an attribute.
type known struct {
	value uint64
	at    int64
}

func newMemory() *memory {
	return &memory{seed: maphash.MakeSeed(), now: map[uint64]known{}}
}

func (m *memory) hash(a, b string) uint64 {
	h := maphash.String(m.seed, a)
	if b != "" {
		h ^= maphash.String(m.seed, b) * 0x9e3779b97f4a7c15
	}
	return h
}

func (m *memory) get(k uint64) (known, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x, ok := m.now[k]; ok {
		return x, true
	}
	x, ok := m.old[k]
	if ok {
		m.put(k, x)
	}
	return x, ok
}

func (m *memory) put(k uint64, x known) {
	if len(m.now) >= remembered {
		m.old, m.now = m.now, make(map[uint64]known, remembered)
	}
	m.now[k] = x
}

// history collects the changes of one batch.
type history struct {
	memory *memory
	rows   []rows.Change
	said   map[uint64]known // by this batch; the memory learns it when it is written
}

func newHistory(m *memory, findings int) history {
	return history{memory: m, said: make(map[uint64]known, 2*findings), rows: make([]rows.Change, 0, 2*findings)}
}

// say adds that an attribute has a value. Saying what is known writes nothing. An
// older word that differs from what is known is written, and what is known is in
// doubt from then on: it may have been said only before.
func (h *history) say(c rows.Change) {
	k := h.memory.hash(c.ResourceID, c.Attribute)
	v := h.memory.hash(c.Value, "")
	was, ok := h.said[k]
	if !ok {
		was, ok = h.memory.get(k)
	}
	switch {
	case ok && was.value == v && c.At >= was.at:
		return
	case ok && c.At < was.at && was.value == v:
		h.said[k] = was
	case ok && c.At < was.at:
		h.said[k] = known{at: was.at} // no value: the next word is written whatever it is
	default:
		h.said[k] = known{value: v, at: c.At}
	}
	h.rows = append(h.rows, c)
}

// written tells the memory what the store has acknowledged.
func (m *memory) written(h *history, doubtful []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, x := range h.said {
		m.put(k, x)
	}
	for _, id := range doubtful {
		k := m.hash(id, "")
		delete(m.now, k)
		delete(m.old, k)
	}
}
