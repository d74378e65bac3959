// Package rows is what the projector writes and the store keeps: one type per
// table, and the laws by which two rows with the same key become one.
//
// Every law is commutative, associative and idempotent: the first time something
// was seen is a minimum, the last a maximum, a value that changes is the one with
// the greatest version, a set is a union that knows when each was said last. So rows may be written in any order and
// any number of times and read the same. ClickHouse applies the same laws when it
// merges (sinks/clickhouse/schema); a test holds the two against each other.
//
// Times are milliseconds since 1970, UTC.
package rows

import (
	"cmp"
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
)

// Value is a value of which the latest counts. Version 0 means never set.
type Value[T cmp.Ordered] struct {
	Version uint64
	Value   T
}

// versionBits of a version hold the position within a millisecond.
const versionBits = 20

// Version orders what was said: by time, and within a millisecond by the offset
// of the record, since everything about one host is in one partition, in order.
func Version(at, offset int64) uint64 {
	return uint64(at)<<versionBits | uint64(offset)&(1<<versionBits-1)
}

// At is the time of a version.
func At(version uint64) int64 { return int64(version >> versionBits) }

// Merge returns the later of v and o.
func (v Value[T]) Merge(o Value[T]) Value[T] {
	if c := cmp.Compare(o.Version, v.Version); c > 0 || c == 0 && o.Value > v.Value {
		return o
	}
	return v
}

// Seen is what every resource has.
type Seen struct {
	ProjectID string
	ID        string // pipeline.ResourceID
	First     int64
	Last      int64
}

func (s *Seen) merge(o Seen) {
	s.First, s.Last = min(s.First, o.First), max(s.Last, o.Last)
}

// Domain has the key (ProjectID, Name).
type Domain struct {
	Seen
	Name string
}

// Host has the key (ProjectID, Addr).
type Host struct {
	Seen
	Addr netip.Addr
	OS   Value[string]
}

// Range has the key (ProjectID, Addr, Bits).
type Range struct {
	Seen
	Addr netip.Addr // the network's address
	Bits uint8      // the length of its prefix
}

// Port has the key (ProjectID, Addr, Port, Protocol).
type Port struct {
	Seen
	Addr     netip.Addr
	Port     uint16
	Protocol pipeline.Protocol
	Service  Value[string]
	Product  Value[string]
	Version  Value[string]
}

// Website has the key (ProjectID, Domain, Addr, Port, Path).
type Website struct {
	Seen
	Domain       string // "" for the bare address
	Addr         netip.Addr
	Port         uint16
	Path         string
	SSL          Value[uint8] // 1 when TLS is spoken, 0 when not
	Status       Value[uint16]
	Title        Value[string]
	Server       Value[string]
	Certificate  Value[string]    // JSON of a pipeline.Certificate
	Technologies map[string]int64 // when each was said last
	Screenshot   Value[string]    // id of the finding that has it
}

// Link says that a domain was seen to resolve to an address. Its key is
// (ProjectID, Domain, Addr).
type Link struct {
	ProjectID string
	Domain    string
	Addr      netip.Addr
	First     int64
	Last      int64
	Deleted   int64
}

// Path is a path of a website's site map. Its key is (ProjectID, WebsiteID, Path).
type Path struct {
	ProjectID string
	WebsiteID string
	Path      string
	First     int64
	Last      int64
	Status    Value[uint16]
}

// Merge folds o, a row with the same key, into p.
func (p *Path) Merge(o *Path) {
	p.First, p.Last, p.Status = min(p.First, o.First), max(p.Last, o.Last), p.Status.Merge(o.Status)
}

// Tag says whether a resource carries a tag: State is 1 or 0. Its key is
// (ProjectID, ResourceID, Tag).
type Tag struct {
	ProjectID  string
	ResourceID string
	Tag        string
	State      Value[uint8]

	// Where the resource is, as far as that is said: what is deleted takes the tags
	// of what is below it along. Not stored.
	Addr   netip.Addr
	Domain string
}

// Finding is a stored finding; its key is ID. Of two with the same ID the one
// that was accepted first counts.
type Finding struct {
	ID             string
	ProjectID      string
	CorrelationKey string
	At             int64
	Source         string
	ExecutionID    string
	Job            string
	UserID         string
	RootID         string
	Depth          uint16
	Type           string
	Key            string
	Name           string
	Tag            string
	Domain         string
	IP             string
	Mask           int16 // -1 when not given
	Port           uint16
	Protocol       string
	Path           string
	SSL            int8     // 1, 0, or -1 when not known
	Fields         string   // JSON of []pipeline.Field, images without their data
	Said           string   // what Words makes of name, key and fields
	Images         []string // data of the image fields, in order
}

// Execution is one run of a job; its key is (ProjectID, ID). What the request
// says and what each event says are rows of their own that merge.
type Execution struct {
	ProjectID string
	ID        string
	Job       string // "" in the row of an event, like the two below
	Target    string
	Request   string // JSON of the pipeline.JobRequest
	QueuedAt  int64  // the earliest that is known about it
	Current   State
	Started   Start
}

// State is where an execution stands; the greatest wins, field by field in this
// order. A request alone is attempt 0.
type State struct {
	Attempt  uint32
	Rank     uint8 // pipeline.State.Rank
	At       int64
	State    string
	Reason   string
	Detail   string
	Exited   uint8 // 1 when ExitCode is known
	ExitCode int32
	Runner   string
}

func (s State) compare(o State) int {
	return cmp.Or(
		cmp.Compare(s.Attempt, o.Attempt), cmp.Compare(s.Rank, o.Rank), cmp.Compare(s.At, o.At),
		cmp.Compare(s.State, o.State), cmp.Compare(s.Reason, o.Reason), cmp.Compare(s.Detail, o.Detail),
		cmp.Compare(s.Exited, o.Exited), cmp.Compare(s.ExitCode, o.ExitCode), cmp.Compare(s.Runner, o.Runner),
	)
}

// Start is when an attempt began; the greatest wins like in State.
type Start struct {
	Attempt uint32
	Rank    uint8
	At      int64
}

func (s Start) compare(o Start) int {
	return cmp.Or(cmp.Compare(s.Attempt, o.Attempt), cmp.Compare(s.Rank, o.Rank), cmp.Compare(s.At, o.At))
}

// Line is one line of a log; its key is (ExecutionID, Attempt, Stream, Seq).
type Line struct {
	ProjectID   string
	ExecutionID string
	Attempt     uint32
	Stream      string
	Seq         uint64
	Position    int64 // offset on the logs topic: the order in which lines arrived
	At          int64
	Level       uint8 // 0 debug, 1 info, 2 warning, 3 error
	Text        string
}

// Merge folds o, a row with the same key, into d.
func (d *Domain) Merge(o *Domain) { d.merge(o.Seen) }

// Merge folds o, a row with the same key, into h.
func (h *Host) Merge(o *Host) {
	h.merge(o.Seen)
	h.OS = h.OS.Merge(o.OS)
}

// Merge folds o, a row with the same key, into r.
func (r *Range) Merge(o *Range) { r.merge(o.Seen) }

// Merge folds o, a row with the same key, into p.
func (p *Port) Merge(o *Port) {
	p.merge(o.Seen)
	p.Service, p.Product, p.Version = p.Service.Merge(o.Service), p.Product.Merge(o.Product), p.Version.Merge(o.Version)
}

// Merge folds o, a row with the same key, into w.
func (w *Website) Merge(o *Website) {
	w.merge(o.Seen)
	w.SSL, w.Status, w.Title = w.SSL.Merge(o.SSL), w.Status.Merge(o.Status), w.Title.Merge(o.Title)
	w.Server, w.Certificate = w.Server.Merge(o.Server), w.Certificate.Merge(o.Certificate)
	w.Screenshot = w.Screenshot.Merge(o.Screenshot)
	if w.Technologies == nil && len(o.Technologies) > 0 {
		w.Technologies = make(map[string]int64, len(o.Technologies))
	}
	for t, at := range o.Technologies {
		w.Technologies[t] = max(w.Technologies[t], at)
	}
}

// Merge folds o, a row with the same key, into l.
func (l *Link) Merge(o *Link) {
	l.First, l.Last, l.Deleted = min(l.First, o.First), max(l.Last, o.Last), max(l.Deleted, o.Deleted)
}

// Merge folds o, a row with the same key, into t.
func (t *Tag) Merge(o *Tag) { t.State = t.State.Merge(o.State) }

// Merge folds o, a row with the same key, into e.
func (e *Execution) Merge(o *Execution) {
	e.Job, e.Target, e.Request = max(e.Job, o.Job), max(e.Target, o.Target), max(e.Request, o.Request)
	e.QueuedAt = min(e.QueuedAt, o.QueuedAt)
	if o.Current.compare(e.Current) > 0 {
		e.Current = o.Current
	}
	if o.Started.compare(e.Started) > 0 {
		e.Started = o.Started
	}
}

// Verdict is what became of a subscription for a finding; its key is (ProjectID,
// FindingID, SubscriptionID, At).
type Verdict struct {
	ProjectID, FindingID, SubscriptionID string
	At                                   int64
	Version                              int64
	Name, Stage, Reason, Detail          string
	ExecutionID                          string
}

// Batch is what is written together: at most one INSERT per table.
type Batch struct {
	Domains    []Domain
	Hosts      []Host
	Ranges     []Range
	Ports      []Port
	Websites   []Website
	Links      []Link
	Tags       []Tag
	Findings   []Finding
	Executions []Execution
	Lines      []Line
	Paths      []Path
	Marks      []Mark
	Changes    []Change
	Sweeps     []Sweep
	Verdicts   []Verdict

	// Unsure are changes that came after later ones: what their resources are now has
	// to be said in the history once more.
	Unsure []Change

	// Swept are the ids of resources that a sweep changed while the batch was
	// written: what whoever made the batch knew of them is old.
	Swept []string
}

// Len is the number of rows in b.
func (b *Batch) Len() int {
	return len(b.Domains) + len(b.Hosts) + len(b.Ranges) + len(b.Ports) + len(b.Websites) +
		len(b.Links) + len(b.Tags) + len(b.Findings) + len(b.Executions) + len(b.Lines) +
		len(b.Paths) + len(b.Marks) + len(b.Changes) + len(b.Sweeps) + len(b.Verdicts)
}
