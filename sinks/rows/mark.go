package rows

import (
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
)

// Never is the first time something was seen that was not seen yet: later than any.
// It is the year 2262: the driver counts nanoseconds, and soon after that an int64
// of them runs over into the year 1677.
const Never = int64(9_214_646_400_000)

// Place says which resource of a project something is about, in columns.
type Place struct {
	Kind     pipeline.Kind
	Domain   string // of a domain, or of a website
	Addr     netip.Addr
	Bits     uint8 // of a range
	Port     uint16
	Protocol pipeline.Protocol
	Path     string
}

// Mark is what people decided about a resource, and what follows for it from what
// they decided about others, or from a look. It is a row of the resource's table
// that says nothing of having seen it, so a mark may be written before the resource
// is. Its key is (ProjectID, ID).
type Mark struct {
	ProjectID string
	ID        string // pipeline.ResourceID
	Place
	Deleted int64        // 0 means never
	Looked  int64        // when somebody began to look and then did not see it; 0 means never
	Blocked Value[uint8] // 0 no, 1 itself, 2 with what is below it
	Note    Value[string]
	Owner   Value[string]
	Merged  Value[string] // id of the website it is another name of
}

// Merge folds o, a row with the same key, into m.
func (m *Mark) Merge(o *Mark) {
	m.Deleted, m.Looked = max(m.Deleted, o.Deleted), max(m.Looked, o.Looked)
	m.Blocked, m.Note = m.Blocked.Merge(o.Blocked), m.Note.Merge(o.Note)
	m.Owner, m.Merged = m.Owner.Merge(o.Owner), m.Merged.Merge(o.Merged)
}

// Delete forgets the resource, and what was decided about it before.
func (m *Mark) Delete(at int64) {
	v := Forgetting(at)
	m.Merge(&Mark{
		Deleted: at, Blocked: Value[uint8]{Version: v}, Note: Value[string]{Version: v},
		Owner: Value[string]{Version: v}, Merged: Value[string]{Version: v},
	})
}

// Forgetting is the version that comes after everything that was said up to an
// instant, and before all that is said later.
func Forgetting(at int64) uint64 { return Version(at, 1<<versionBits-1) }

// The values of a resource's own attribute, "", in its history. The greater one
// wins an instant.
const (
	Closed  = "closed"
	Deleted = "deleted"
	Open    = "open"
)

// Change says that from At on an attribute of a resource has a value. Its key is
// (ProjectID, At, ResourceID, Attribute); of two with one key the one with the
// greatest value counts.
type Change struct {
	ProjectID  string
	At         int64
	ResourceID string
	Attribute  string // "" is the resource itself
	Kind       pipeline.Kind
	Key        string // correlation key, or "" when another row of the resource has it
	Value      string
	Cause      string // execution or user it is known from
}
