package projector

import (
	"hash/maphash"
	"sync"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// remembered is how many attributes a memory holds at least before it forgets the
// older half. An entry is some 40 bytes.
const remembered = 500_000

// memory knows what was last written of the history, so that saying the same again
// writes nothing. It is never relied on: a row too many changes nothing, since what
// a row changed follows from the row before it. What is in doubt is written.
type memory struct {
	id   string // tells what its own projector swept from what others did
	seed maphash.Seed

	mu       sync.Mutex
	now, old map[uint64]known // the older half was written before the newer
	deleted  map[uint64]uint32
	batch    uint32 // how many were written
}

// known is what was last said of an attribute, and by which batch.
type known struct {
	value uint64
	at    int64
	batch uint32
}

func newMemory() *memory {
	return &memory{id: pipeline.NewID(), seed: maphash.MakeSeed(), now: map[uint64]known{}, deleted: map[uint64]uint32{}}
}

// maxDeleted is how many deletions a memory holds; then it begins anew.
const maxDeleted = 100_000

func (m *memory) hash(a, b string) uint64 {
	h := maphash.String(m.seed, a)
	if b != "" {
		h ^= maphash.String(m.seed, b) * 0x9e3779b97f4a7c15
	}
	return h
}

// get returns what is known of an attribute of a resource. What was written before
// the resource was deleted is not.
func (m *memory) get(k uint64, resource string) (known, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x, ok := m.now[k]
	if !ok {
		if x, ok = m.old[k]; ok {
			m.put(k, x)
		}
	}
	if ok && len(m.deleted) > 0 {
		if at, gone := m.deleted[m.hash(resource, "")]; gone && x.batch <= at {
			return known{}, false
		}
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
	unsure []rows.Change    // what is older than what was said already
}

func newHistory(m *memory, findings int) history {
	return history{memory: m, said: make(map[uint64]known, 2*findings), rows: make([]rows.Change, 0, 2*findings)}
}

// say adds that an attribute has a value. Saying what is known writes nothing. An
// older word that differs from what is known is written, and what is known is in
// doubt from then on: it may have been said only before, and what was said since may
// have been left out.
func (h *history) say(c rows.Change) {
	k := h.memory.hash(c.ResourceID, c.Attribute)
	v := h.memory.hash(c.Value, "")
	was, ok := h.said[k]
	if !ok {
		was, ok = h.memory.get(k, c.ResourceID)
	}
	switch {
	case ok && was.value == v && c.At >= was.at:
		if c.Attribute != "" && c.At > was.at {
			h.said[k] = known{value: v, at: c.At}
		}
		return
	case ok && c.At < was.at && was.value == v:
		h.said[k] = was
	case ok && c.At < was.at:
		h.said[k] = known{at: was.at} // no value: the next word is written whatever it is
		h.unsure = append(h.unsure, c)
	default:
		h.said[k] = known{value: v, at: c.At}
	}
	h.rows = append(h.rows, c)
}

// clear forgets everything.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget()
}

func (m *memory) forget() {
	m.now, m.old, m.deleted = map[uint64]known{}, nil, map[uint64]uint32{}
}

// doubt makes the memory forget resources, whatever was written of them by now.
func (m *memory) doubt(ids []string) {
	if len(ids) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.deleted)+len(ids) > maxDeleted {
		m.forget()
		return
	}
	for _, id := range ids {
		m.deleted[m.hash(id, "")] = m.batch
	}
}

// written tells the memory what the store has acknowledged. Of the resources that
// are in doubt nothing is known any more, whatever this batch said.
func (m *memory) written(h *history, doubtful []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batch++
	if m.batch == 0 || len(m.deleted)+len(doubtful) > maxDeleted {
		m.forget()
		return
	}
	for k, x := range h.said {
		x.batch = m.batch
		m.put(k, x)
	}
	for _, id := range doubtful {
		m.deleted[m.hash(id, "")] = m.batch
	}
}
