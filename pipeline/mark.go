package pipeline

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MarkAction is what a person decided about a resource.
type MarkAction string

// The actions.
const (
	MarkTag     MarkAction = "tag"     // it carries Tag
	MarkUntag   MarkAction = "untag"   // it does not any more
	MarkBlock   MarkAction = "block"   // automation leaves it alone, with Cascade also what is below it
	MarkUnblock MarkAction = "unblock" //
	MarkDelete  MarkAction = "delete"  // it is forgotten with all below it, until it is seen again
	MarkMerge   MarkAction = "merge"   // a website is another name of the website Into
	MarkUnmerge MarkAction = "unmerge" //
	MarkNote    MarkAction = "note"    // Text is its note; "" removes it
	MarkOwner   MarkAction = "owner"   // Text says whose it is; "" removes it
)

// MarkActions lists every action.
func MarkActions() []MarkAction {
	return []MarkAction{
		MarkTag, MarkUntag, MarkBlock, MarkUnblock, MarkDelete, MarkMerge, MarkUnmerge, MarkNote, MarkOwner,
	}
}

// Limits on what a mark holds, in bytes.
const (
	MaxTag   = 64
	MaxNote  = 16 << 10
	MaxOwner = 256
)

// Mark is a person's decision about one resource, on the marks topic. Of two that
// decide the same (Slot) about the same resource, the later one counts.
type Mark struct {
	ProjectID string     `json:"projectId"`
	At        time.Time  `json:"at"` // millisecond precision
	UserID    string     `json:"userId,omitempty"`
	Action    MarkAction `json:"action"`
	Target    string     `json:"target"` // correlation key of the resource
	Tag       string     `json:"tag,omitempty"`
	Into      string     `json:"into,omitempty"` // correlation key of the website merged into
	Text      string     `json:"text,omitempty"`
	Cascade   bool       `json:"cascade,omitempty"`
}

// Slot names what the mark decides: a block and its end decide the same. What goes
// for what is below is decided apart from what goes for the resource alone, since
// the one does not undo the other.
func (m *Mark) Slot() string {
	switch m.Action {
	case MarkTag, MarkUntag:
		return "tag/" + m.Tag
	case MarkBlock, MarkUnblock:
		if m.Cascade {
			return "block/below"
		}
		return "block"
	case MarkMerge, MarkUnmerge:
		return "merge"
	default:
		return string(m.Action)
	}
}

// Key is the record key under which the newest decision of a slot is kept.
func (m *Mark) Key() string { return m.Target + " " + m.Slot() }

// Check returns what is wrong with a mark, and the resource it is about.
func (m *Mark) Check() (Ref, error) {
	r, err := ParseKey(m.Target)
	switch {
	case err != nil:
		return r, err
	case r.ProjectID != m.ProjectID:
		return r, Errorf(CodeForbidden, "the resource %q is of another project", m.Target)
	case r.Kind == KindProject:
		return r, Errorf(CodeInvalid, "a mark is about a resource, not about a project")
	case !slices.Contains(MarkActions(), m.Action):
		return r, Errorf(CodeInvalid, "action %q is none of %v", m.Action, MarkActions())
	}
	return r, m.details(r)
}

func (m *Mark) details(r Ref) error {
	switch m.Action {
	case MarkTag, MarkUntag:
		return text("tag", m.Tag, MaxTag, 1)
	case MarkNote:
		return text("note", m.Text, MaxNote, 0)
	case MarkOwner:
		return text("owner", m.Text, MaxOwner, 0)
	case MarkMerge, MarkUnmerge:
		return m.merge(r)
	default:
		return nil
	}
}

// merge checks that both sides are websites of the project, and two.
func (m *Mark) merge(r Ref) error {
	if r.Kind != KindWebsite {
		return Errorf(CodeInvalid, "only websites are merged, %q is none", m.Target)
	}
	if m.Action == MarkUnmerge {
		return nil
	}
	into, err := ParseKey(m.Into)
	switch {
	case err != nil:
		return err
	case into.Kind != KindWebsite:
		return Errorf(CodeInvalid, "a website is merged into a website, %q is none", m.Into)
	case into.ProjectID != r.ProjectID:
		return Errorf(CodeForbidden, "the website %q is of another project", m.Into)
	case m.Into == m.Target:
		return Errorf(CodeInvalid, "a website cannot be merged into itself: %s", m.Into)
	}
	return nil
}

func text(what, s string, most, least int) error {
	switch {
	case len(s) > most || len(s) < least:
		return Errorf(CodeInvalid, "%s has %d bytes, %d to %d are expected", what, len(s), least, most)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return Errorf(CodeInvalid, "%s is no valid text", what)
	}
	return nil
}
