package rows

import (
	"cmp"
	"slices"

	"github.com/stalker-asm/stalker/pipeline"
)

// Event is what a change changed.
type Event struct {
	Change
	What   pipeline.What
	Before string
}

// Events are what the changes of some resources amount to, by time. They follow from
// the set of changes alone: in which order these came, and that some came twice or
// say what was so already, makes no difference.
func Events(changes []Change) []Event {
	cs := slices.Clone(changes)
	slices.SortFunc(cs, func(a, b Change) int {
		return cmp.Or(
			cmp.Compare(a.ProjectID, b.ProjectID), cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Attribute, b.Attribute),
			cmp.Compare(a.At, b.At), cmp.Compare(b.Value, a.Value), cmp.Compare(b.Cause, a.Cause),
		)
	})
	var out []Event
	keys := map[string]string{}
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && cs[n].ProjectID == cs[0].ProjectID && cs[n].ResourceID == cs[0].ResourceID && cs[n].Attribute == cs[0].Attribute {
			n++
		}
		out = append(out, walk(cs[:n])...)
		for _, c := range cs[:n] {
			keys[c.ResourceID] = max(keys[c.ResourceID], c.Key)
		}
		cs = cs[n:]
	}
	for i := range out {
		out[i].Key = keys[out[i].ResourceID]
	}
	slices.SortFunc(out, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ResourceID, b.ResourceID), cmp.Compare(a.Attribute, b.Attribute))
	})
	return out
}

// walk goes through the changes of one attribute, sorted.
func walk(cs []Change) (out []Event) {
	before, known := "", false
	for i := range cs {
		if i > 0 && cs[i].At == cs[i-1].At {
			continue // the greatest of an instant comes first
		}
		what := Became(cs[i].Attribute == "", known, before, cs[i].Value)
		if what == "" {
			continue
		}
		out = append(out, Event{Change: cs[i], What: what, Before: before})
		before, known = cs[i].Value, true
	}
	return out
}

// Became says what a value is after another one; "" is nothing new.
func Became(itself, known bool, before, after string) pipeline.What {
	switch {
	case known && before == after:
		return ""
	case !itself && known:
		return pipeline.Changed
	case !itself && after == "":
		return "" // it never had any
	case !itself:
		return pipeline.Set
	case after == Open && known:
		return pipeline.Reappeared
	case after == Open:
		return pipeline.Opened
	case after == Deleted && known:
		return pipeline.Deleted
	case after == Closed && before == Open:
		return pipeline.Gone
	default:
		return "" // what was never there, or is deleted, cannot go
	}
}
