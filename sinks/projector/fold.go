package projector

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// fold makes rows of a decoded batch: one per resource however many findings are
// about it. It changes nothing but what h collects; what it rejects is what the store
// cannot hold.
func fold(in input, h history) (*rows.Batch, []rejected) {
	f := newFolder(in, h)
	var dead []rejected
	each(in.findings, &dead, f.finding)
	each(in.marks, &dead, f.mark)
	each(in.requests, &dead, f.request)
	each(in.events, &dead, f.event)
	each(in.lines, &dead, f.line)
	each(in.verdicts, &dead, f.verdicts)
	f.out.Domains, f.out.Hosts, f.out.Ranges = f.domains.rows(), f.hosts.rows(), f.ranges.rows()
	f.out.Ports, f.out.Websites, f.out.Links = f.ports.rows(), f.websites.rows(), f.links.rows()
	f.out.Tags, f.out.Executions, f.out.Marks, f.out.Paths = f.tags.rows(), f.executions.rows(), f.marks.rows(), f.paths.rows()
	f.out.Changes = append(f.out.Changes, f.history.rows...)
	f.out.Swept, f.out.Unsure = f.forget, f.history.unsure
	return &f.out, dead
}

func newFolder(in input, h history) *folder {
	f := &folder{
		history: h, marks: set[string, rows.Mark]{}, paths: set[pathKey, rows.Path]{},
		domains: set[domainKey, rows.Domain]{}, hosts: set[hostKey, rows.Host]{}, ranges: set[rangeKey, rows.Range]{},
		ports: set[portKey, rows.Port]{}, websites: set[websiteKey, rows.Website]{}, links: set[linkKey, rows.Link]{},
		tags: set[tagKey, rows.Tag]{}, executions: set[executionKey, rows.Execution]{},
	}
	f.out.Findings = make([]rows.Finding, 0, len(in.findings))
	f.out.Lines = make([]rows.Line, 0, len(in.lines))
	return f
}

func each[T any](in []entry[T], dead *[]rejected, add func(*entry[T]) error) {
	for i := range in {
		if err := add(&in[i]); err != nil {
			*dead = append(*dead, rejected{in[i].index, err})
		}
	}
}

// folder collects rows by their key.
type folder struct {
	domains    set[domainKey, rows.Domain]
	hosts      set[hostKey, rows.Host]
	ranges     set[rangeKey, rows.Range]
	ports      set[portKey, rows.Port]
	websites   set[websiteKey, rows.Website]
	links      set[linkKey, rows.Link]
	tags       set[tagKey, rows.Tag]
	executions set[executionKey, rows.Execution]
	marks      set[string, rows.Mark] // by id, which is of one project
	paths      set[pathKey, rows.Path]
	history    history
	forget     []string // resources whose own history this batch puts in doubt
	out        rows.Batch
}

type (
	domainKey struct{ project, name string }
	hostKey   struct {
		project string
		addr    netip.Addr
	}
	rangeKey struct {
		project string
		addr    netip.Addr
		bits    int
	}
	portKey struct {
		hostKey
		port     int
		protocol pipeline.Protocol
	}
	websiteKey struct {
		hostKey
		port         int
		domain, path string
	}
	linkKey struct {
		hostKey
		domain string
	}
	tagKey       struct{ project, resource, tag string }
	pathKey      struct{ website, path string }
	executionKey struct{ project, id string }
)

// set holds one row per key.
type set[K comparable, R any] map[K]*R

func (s set[K, R]) rows() []R {
	if len(s) == 0 {
		return nil
	}
	out := make([]R, 0, len(s))
	for _, r := range s {
		out = append(out, *r)
	}
	return out
}

// The times the store's columns can hold, with room to spare.
var (
	earliest = time.UnixMilli(0)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// millis is a record's time; one that the store cannot hold would fail every
// batch it is in.
func millis(t time.Time) (int64, error) {
	if t.Before(earliest) || !t.Before(latest) {
		return 0, pipeline.Errorf(pipeline.CodeInvalid, "the time %s is not within %d..%d", t.Format(time.RFC3339), earliest.Year(), latest.Year())
	}
	return t.UnixMilli(), nil
}

func (f *folder) request(e *entry[pipeline.JobRequest]) error {
	q := &e.body
	at, err := millis(q.At)
	if err != nil {
		return err
	}
	if q.ID == "" || q.ProjectID == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "the job request lacks its id or project")
	}
	body, err := json.Marshal(q)
	if err != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "encoding the job request: %w", err)
	}
	f.execution(&rows.Execution{
		ProjectID: q.ProjectID, ID: q.ID, Job: q.Job, Target: q.Target, Request: string(body), QueuedAt: at,
		Current: rows.State{Rank: uint8(pipeline.StateQueued.Rank()), At: at, State: string(pipeline.StateQueued)},
	})
	return nil
}

func (f *folder) event(e *entry[pipeline.ExecutionEvent]) error {
	x := &e.body
	at, err := millis(x.At)
	if err != nil {
		return err
	}
	if x.ExecutionID == "" || x.ProjectID == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "the execution event lacks its execution or project")
	}
	if !slices.Contains(pipeline.States(), x.State) {
		return pipeline.Errorf(pipeline.CodeInvalid, "%q is no state of an execution", x.State)
	}
	row := &rows.Execution{ProjectID: x.ProjectID, ID: x.ExecutionID, QueuedAt: at, Current: rows.State{
		Attempt: uint32(clamp(x.Attempt, 0, math.MaxInt32)), Rank: uint8(x.State.Rank()), At: at, State: string(x.State),
		Reason: string(x.Reason), Detail: x.Detail, Runner: x.Runner,
	}}
	if x.ExitCode != nil {
		row.Current.Exited, row.Current.ExitCode = 1, int32(clamp(*x.ExitCode, math.MinInt32, math.MaxInt32))
	}
	if x.State == pipeline.StateStarting || x.State == pipeline.StateRunning {
		row.Started = rows.Start{Attempt: row.Current.Attempt, Rank: row.Current.Rank, At: at}
	}
	f.execution(row)
	return nil
}

func (f *folder) execution(row *rows.Execution) {
	k := executionKey{row.ProjectID, row.ID}
	if have := f.executions[k]; have != nil {
		have.Merge(row)
		return
	}
	f.executions[k] = row
}

func clamp(n, low, high int) int { return max(low, min(high, n)) }

func (f *folder) line(e *entry[pipeline.LogLine]) error {
	l := &e.body
	at, err := millis(l.At)
	if err != nil {
		return err
	}
	level := slices.Index(pipeline.Levels(), l.Level)
	if level < 0 {
		return pipeline.Errorf(pipeline.CodeInvalid, "%q is no level of a log line", l.Level)
	}
	if l.ExecutionID == "" || l.ProjectID == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "the log line lacks its execution or project")
	}
	f.out.Lines = append(f.out.Lines, rows.Line{
		ProjectID: l.ProjectID, ExecutionID: l.ExecutionID, Attempt: uint32(clamp(l.Attempt, 0, math.MaxInt32)), Stream: string(l.Stream),
		Seq: l.Seq, Position: e.offset, At: at, Level: uint8(level), Text: l.Text,
	})
	return nil
}
