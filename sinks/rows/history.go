package rows

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

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
// say what was so already, makes no difference. With a resource that is deleted goes
// what was known of it: what is said later is set anew.
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
	var deleted []int64
	of := ""
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && cs[n].ProjectID == cs[0].ProjectID && cs[n].ResourceID == cs[0].ResourceID && cs[n].Attribute == cs[0].Attribute {
			n++
		}
		if key := cs[0].ProjectID + " " + cs[0].ResourceID; key != of {
			deleted, of = nil, key
		}
		if cs[0].Attribute == "" { // the first of the resource
			deleted = Deletions(cs[:n])
			out = append(out, walk(cs[:n], nil)...)
		} else {
			out = append(out, walk(cs[:n], deleted)...)
		}
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

// Deletions are when a resource was deleted, of the changes of itself.
func Deletions(cs []Change) (at []int64) {
	last := map[int64]string{}
	for i := range cs {
		last[cs[i].At] = max(last[cs[i].At], cs[i].Value) // the greatest of an instant counts
	}
	for t, value := range last {
		if value == Deleted {
			at = append(at, t)
		}
	}
	slices.Sort(at)
	return at
}

// walk goes through the changes of one attribute, sorted, and forgets it where the
// resource was deleted.
func walk(cs []Change, deleted []int64) (out []Event) {
	before, known := "", false
	for i := range cs {
		for len(deleted) > 0 && deleted[0] < cs[i].At {
			before, known, deleted = "", false, deleted[1:]
		}
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

// maxSaid is how much of a value its history keeps, in bytes.
const maxSaid = 512

// Said is a value as it stands in the history.
func Said(attribute, value string) string {
	if attribute == "certificate" {
		var c pipeline.Certificate
		if json.Unmarshal([]byte(value), &c) != nil {
			return ""
		}
		value = strings.TrimSpace(c.Subject + " " + c.Fingerprint)
	}
	return pipeline.Clip(value, maxSaid)
}

// Technology is the attribute that says whether a website uses one.
func Technology(name string) string { return "technology:" + Said("", name) }
