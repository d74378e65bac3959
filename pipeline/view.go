package pipeline

import "time"

// The types below are what a reader of the analytical store gets. All times are
// UTC with millisecond precision.

// MaxLinks is how many linked resources a view names at most: an address of a
// shared front end may have a hundred thousand names.
const MaxLinks = 100

// Seen holds what every resource has.
type Seen struct {
	ID             string    `json:"id"` // ResourceID(CorrelationKey)
	ProjectID      string    `json:"projectId"`
	CorrelationKey string    `json:"correlationKey"`
	FirstSeen      time.Time `json:"firstSeen"`
	LastSeen       time.Time `json:"lastSeen"`
	Tags           []string  `json:"tags"`
	Blocked        bool      `json:"blocked"`            // automation leaves it alone
	BlockedBelow   bool      `json:"blockedBelow"`       // and what is below it
	BlockedAt      time.Time `json:"blockedAt,omitzero"` // when that was decided
	Note           string    `json:"note,omitempty"`
	Owner          string    `json:"owner,omitempty"`
}

// Closed is what ports and websites have besides: whether somebody looked after
// they were seen the last time, and did not see them.
type Closed struct {
	Closed   bool      `json:"closed"`
	ClosedAt time.Time `json:"closedAt,omitzero"` // when that look began
}

// Domain is a host name of a project.
type Domain struct {
	Seen
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"` // addresses it was seen to resolve to, in order, at most MaxLinks
}

// Host is an address of a project.
type Host struct {
	Seen
	IP      string   `json:"ip"`
	OS      string   `json:"os,omitempty"`
	Domains []string `json:"domains"` // names seen to resolve to it, in order, at most MaxLinks
	Ports   int      `json:"ports"`   // how many ports are known to be open
}

// IPRange is a network of a project.
type IPRange struct {
	Seen
	CIDR string `json:"cidr"`
}

// Port is an open port of a host.
type Port struct {
	Seen
	Closed
	IP       string   `json:"ip"`
	Port     int      `json:"port"`
	Protocol Protocol `json:"protocol"`
	Service  string   `json:"service,omitempty"`
	Product  string   `json:"product,omitempty"`
	Version  string   `json:"version,omitempty"`
}

// Website is what a TCP port serves for a name, or for the bare address.
type Website struct {
	Seen
	Closed
	URL          string       `json:"url"`
	IP           string       `json:"ip"`
	Port         int          `json:"port"`
	Domain       string       `json:"domain"` // "" for the bare address
	Path         string       `json:"path"`
	SSL          *bool        `json:"ssl,omitempty"`
	Status       int          `json:"status,omitempty"` // HTTP status code of the last probe
	Title        string       `json:"title,omitempty"`
	Server       string       `json:"server,omitempty"`
	Technologies []string     `json:"technologies"`
	Certificate  *Certificate `json:"certificate,omitempty"`
	MergedInto   string       `json:"mergedInto,omitempty"` // id of the website it is another name of
	Screenshot   string       `json:"screenshot,omitempty"` // id of the finding that has it
	SiteMap      []string     `json:"siteMap"`              // paths seen below it, in order, at most MaxLinks
}

// Certificate is the leaf certificate a website presented.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Names       []string  `json:"names"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the DER form, lower-case hex
}

// Execution is one run of a job, as the store knows it.
type Execution struct {
	ID        string     `json:"id"`
	ProjectID string     `json:"projectId"`
	Job       string     `json:"job"`
	State     State      `json:"state"`
	Reason    Reason     `json:"reason,omitempty"`
	Detail    string     `json:"detail,omitempty"`
	ExitCode  *int       `json:"exitCode,omitempty"`
	Attempt   int        `json:"attempt"`
	Runner    string     `json:"runner,omitempty"`
	Arguments []Argument `json:"arguments"`
	Cause     Cause      `json:"cause"`
	Target    string     `json:"target,omitempty"`
	QueuedAt  time.Time  `json:"queuedAt"`
	StartedAt time.Time  `json:"startedAt,omitzero"` // of the last attempt
	EndedAt   time.Time  `json:"endedAt,omitzero"`
	Findings  int        `json:"findings"`
	Errors    int        `json:"errors"`   // log lines of level error
	Warnings  int        `json:"warnings"` // log lines of level warning
}

// Query selects and pages a list. The zero value asks for the first page of
// everything.
type Query struct {
	ProjectID string   // "" means every project in Visible
	Visible   []string // the projects the caller may see; nil means all there are
	Text      string   // a filter in the language of pipeline/filter; "" selects everything
	Sort      string   // a field, with - before it for the other direction; "" for the kind's own order
	Limit     int      // rows per page, 1..1000; 0 means 50
	Cursor    string   // opaque, from the page before; "" for the first
}

// FindingQuery selects and pages stored findings. Empty fields do
// not constrain.
type FindingQuery struct {
	ProjectID   string   // "" means every project in Visible
	Visible     []string // the projects the caller may see; nil means all there are
	Target      string   // correlation key of the resource
	Key         string   // key of the finding
	ExecutionID string   // the execution that said it
	Text        string   // a filter in the language of pipeline/filter; "" selects everything
	Sort        string   // at for the oldest first; "" or -at for the newest
	Limit       int      // rows per page, 1..1000; 0 means 50
	Cursor      string   // opaque, from the page before; "" for the first
}

// StoredFinding is a finding as the store keeps it.
type StoredFinding struct {
	ID             string      `json:"id"`
	ProjectID      string      `json:"projectId"`
	CorrelationKey string      `json:"correlationKey"` // the resource it is about
	At             time.Time   `json:"at"`             // when it was first accepted
	Source         Source      `json:"source"`
	ExecutionID    string      `json:"executionId,omitempty"`
	Job            string      `json:"job,omitempty"` // name of the job of that execution
	UserID         string      `json:"userId,omitempty"`
	RootID         string      `json:"rootId,omitempty"`
	Depth          int         `json:"depth"`
	Type           FindingType `json:"type"`
	Key            string      `json:"key"`
	Name           string      `json:"name,omitempty"`
	Tag            string      `json:"tag,omitempty"`
	SSL            *bool       `json:"ssl,omitempty"`
	Locators
	Fields []Field `json:"fields"`
}

// ExecutionQuery selects and pages executions.
type ExecutionQuery struct {
	ProjectID string   // "" means every project in Visible
	Visible   []string // the projects the caller may see; nil means all there are
	State     State    // "" means any
	Text      string   // a filter in the language of pipeline/filter; "" selects everything
	Sort      string   // a field, with - before it for the other direction; "" for the last queued first
	Limit     int      // rows per page, 1..1000; 0 means 50
	Cursor    string   // opaque, from the page before; "" for the first
}

// LogQuery selects and pages the log of one execution, in the order in which the
// lines arrived. Unlike other pages, a page of log lines has a Next even when it
// is the last or empty: asking again from there follows the log.
type LogQuery struct {
	ExecutionID string
	Level       Level  // the least severe level wanted; "" means every line
	Text        string // what a line must hold, in any case; "" means every line
	After       string // opaque, Next of the page before; "" for the start
	Limit       int    // lines per page, 1..1000; 0 means 50
}

// Page is one page of a list and what is needed to get the next.
type Page[T any] struct {
	Items []T    `json:"items"`
	Total uint64 `json:"total"`          // exact number of rows the query selects
	Next  string `json:"next,omitempty"` // cursor of the next page; "" on the last
}

// LogPage is a page of a log, with how many lines have each level, every level
// included, whatever level was asked for.
type LogPage struct {
	Page[LogLine]
	Levels map[Level]uint64 `json:"levels"`
	Places []string         `json:"-"` // of each item: asking for what comes After it goes on behind that line
}

// Counts are totals of one project or of all.
type Counts struct {
	Domains    uint64           `json:"domains"`
	Hosts      uint64           `json:"hosts"`
	Ranges     uint64           `json:"ipRanges"`
	Ports      uint64           `json:"ports"`
	Websites   uint64           `json:"websites"`
	Findings   uint64           `json:"findings"`
	Executions map[State]uint64 `json:"executions"` // every state, 0 included
}
