package pipeline

import "time"

// What says what became of a resource or of one of its attributes.
type What string

// What can become of them.
const (
	Opened     What = "opened"     // a resource was seen for the first time
	Gone       What = "closed"     // somebody looked for it and did not see it
	Deleted    What = "deleted"    // a person deleted it
	Reappeared What = "reappeared" // it was seen again after it was closed or deleted
	Set        What = "set"        // an attribute has its first value
	Changed    What = "changed"    // an attribute has another value
)

// Whats lists all of them.
func Whats() []What { return []What{Opened, Gone, Deleted, Reappeared, Set, Changed} }

// Change is one event in the history of a project's resources.
type Change struct {
	ProjectID      string    `json:"projectId"`
	At             time.Time `json:"at"`
	What           What      `json:"what"`
	Kind           Kind      `json:"kind"`
	ResourceID     string    `json:"resourceId"`
	CorrelationKey string    `json:"correlationKey"`
	Attribute      string    `json:"attribute,omitempty"` // "" is the resource itself
	Before         string    `json:"before,omitempty"`
	After          string    `json:"after,omitempty"`
	Cause          string    `json:"cause,omitempty"` // id of the execution or of the person it is known from
}

// ChangeQuery selects and pages changes, the oldest first, so that whoever asks
// again from where the last page ended follows them.
type ChangeQuery struct {
	ProjectID  string
	ResourceID string    // "" means any
	Since      time.Time // exclusive; zero means from the beginning
	Until      time.Time // inclusive; zero means up to now
	Limit      int       // events per page, 1..1000; 0 means 50
	Cursor     string    // opaque, Next of the page before; "" for the first
}

// ChangePage is one page of changes. Next is there even when the page is the last or
// empty: asking again from there follows the history.
type ChangePage struct {
	Items []Change `json:"items"`
	Next  string   `json:"next"`
}

// PastQuery selects and pages resources as they were at a time, by id.
type PastQuery struct {
	ProjectID string
	Kind      Kind // "" means any
	At        time.Time
	Limit     int
	Cursor    string
}

// Past is a resource as it was at a time.
type Past struct {
	ResourceID     string            `json:"resourceId"`
	CorrelationKey string            `json:"correlationKey"`
	Kind           Kind              `json:"kind"`
	Closed         bool              `json:"closed"`
	Attributes     map[string]string `json:"attributes"` // those that had a value
}

// PastPage is one page of resources as they were.
type PastPage struct {
	Items []Past `json:"items"`
	Next  string `json:"next,omitempty"` // "" on the last page
}

// DiffQuery selects and pages what differs between two times, by resource.
type DiffQuery struct {
	ProjectID string
	From, To  time.Time
	Limit     int
	Cursor    string
}
