package catalog

import (
	"hash/maphash"
	"iter"
	"maps"
)

// shards is how many parts a table has. A change copies one of them, and the list of
// all: at 100,000 entries that is some 100 and not 100,000.
const shards = 1024

var seed = maphash.MakeSeed()

// table is an immutable map of things by id.
type table[T any] struct {
	parts *[shards]map[string]*T
}

func (t table[T]) get(id string) (v T, ok bool) {
	if t.parts == nil {
		return v, false
	}
	if p := t.parts[part(id)][id]; p != nil {
		return *p, true
	}
	return v, false
}

func part(id string) uint64 { return maphash.String(seed, id) % shards }

// with returns a table in which id is what v points at, from now on unchanged, or is
// missing when v is nil.
func (t table[T]) with(id string, v *T) table[T] {
	var next [shards]map[string]*T
	if t.parts != nil {
		next = *t.parts
	}
	at := part(id)
	of := maps.Clone(next[at])
	if v == nil {
		delete(of, id)
	} else {
		if of == nil {
			of = map[string]*T{}
		}
		of[id] = v
	}
	next[at] = of
	return table[T]{&next}
}

// all goes through the table in no order.
func (t table[T]) all() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		if t.parts == nil {
			return
		}
		for _, of := range t.parts {
			for id, v := range of {
				if !yield(id, *v) {
					return
				}
			}
		}
	}
}

func (t table[T]) values() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range t.all() {
			if !yield(v) {
				return
			}
		}
	}
}
