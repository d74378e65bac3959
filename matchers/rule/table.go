package rule

import (
	"hash/maphash"
	"slices"
)

// table leads from a project to its rules, in one probe of one array: with thousands
// of projects, most of what a finding costs is waiting for memory. A change copies it.
type table struct {
	seed  maphash.Seed
	slots []slot // a power of two of them, at most half of them used; nil when empty
	used  int    // by entries that are there and by those that were
}

// slot is free when its hash is 0. Of an entry that was removed, both are nil.
type slot struct {
	hash  uint64
	few   *probes
	keyed *keyed // when they are many
}

func (t *table) hash(project string) uint64 { return max(maphash.String(t.seed, project), 1) }

// get returns what there is of a project. That another one has the same hash is next
// to impossible; who uses what is found makes sure that it is the project's.
func (t *table) get(project string) (few *probes, many *keyed) {
	if len(t.slots) == 0 {
		return nil, nil
	}
	s := &t.slots[t.find(t.hash(project))]
	return s.few, s.keyed
}

// find returns where the hash is, or the free slot where it would be.
func (t *table) find(h uint64) int {
	mask := len(t.slots) - 1
	i := int(h) & mask
	for t.slots[i].hash != h && t.slots[i].hash != 0 {
		i = (i + 1) & mask
	}
	return i
}

// clone returns a copy that may be changed, with room for more entries.
func (t *table) clone(more int) table {
	if t.slots != nil && 2*(t.used+more) <= len(t.slots) {
		return table{t.seed, slices.Clone(t.slots), t.used}
	}
	live := 0
	for i := range t.slots {
		if t.slots[i].live() {
			live++
		}
	}
	next := table{seed: t.seed, slots: make([]slot, roomFor(live+more))}
	if t.slots == nil {
		next.seed = maphash.MakeSeed()
	}
	for _, s := range t.slots {
		if s.live() {
			next.slots[next.find(s.hash)] = s
			next.used++
		}
	}
	return next
}

func (s *slot) live() bool { return s.few != nil || s.keyed != nil }

// roomFor is a quarter more than what is needed to be half empty, so that the next
// changes find room.
func roomFor(n int) int {
	size := 16
	for size < 2*n+n/2 {
		size *= 2
	}
	return size
}

// set changes a table that nobody else has; nil removes the project.
func (t *table) set(project string, k *keyed) {
	h := t.hash(project)
	i := t.find(h)
	if t.slots[i].hash == 0 {
		t.used++
	}
	s := slot{hash: h}
	if k != nil {
		if s.few = newProbes(k); s.few == nil {
			s.keyed = k
		}
	}
	t.slots[i] = s
}
