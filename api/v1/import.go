package v1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/api/importer"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Bounds of imports.
const (
	maxImports  = 4         // that run at once
	importBatch = 1000      // entries that are checked and passed on together
	maxProblems = 100       // that are told; the others are counted
	maxSeen     = 1_000_000 // ids that are remembered of one file
	slowSender  = time.Minute
)

// imported says what became of a file.
type imported struct {
	Format    importer.Format `json:"format"`
	Lines     int             `json:"lines"`
	Findings  int             `json:"findings"` // that the file holds
	New       int             `json:"new"`      // that were not imported before
	Known     int             `json:"known"`
	Rejected  int             `json:"rejected"` // lines that say nothing that can be taken
	Truncated bool            `json:"truncated"`
	Unplaced  int             `json:"unplaced"` // about websites of names of which no address is known
	Problems  []importProblem `json:"problems"`
	Visible   bool            `json:"visible"`
}

type importProblem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// importing is one file on its way.
type importing struct {
	api    *API
	ctx    context.Context //nolint:containedctx // of the request whose handler this is
	origin normal.Origin
	out    imported
	batch  []importer.Item
	ends   bus.Offsets
	seen   map[string]bool // ids of this file's findings
}

// importFile takes what another tool wrote. Findings are passed on while the file is
// read; should that break off, sending the file again goes on where it ended, since
// what is known already is not said again.
func (a *API) importFile(w http.ResponseWriter, r *http.Request) {
	p, err := a.project(r)
	v, bad := query(r, "format", "dryRun")
	if err = errors.Join(err, bad); err != nil {
		a.fail(w, err)
		return
	}
	select {
	case a.imports <- struct{}{}:
		defer func() { <-a.imports }()
	default:
		a.fail(w, pipeline.Errorf(pipeline.CodeBusy, "%d imports are running, which is as many as may at once", maxImports))
		return
	}
	in := &importing{
		api: a, ctx: r.Context(), ends: bus.Offsets{}, seen: map[string]bool{}, out: imported{Problems: []importProblem{}, Visible: true},
		origin: normal.Origin{ProjectID: p.ID, Source: pipeline.SourceImport, UserID: user(r).ID, Control: a.Position(), At: a.now()},
	}
	body := &patient{from: r.Body, control: http.NewResponseController(w)}
	res, err := importer.Read(body, importer.Format(v.Get("format")), func(i importer.Item) error { return in.take(i, v.Get("dryRun") == "true") })
	if err == nil {
		err = in.flush(v.Get("dryRun") == "true")
	}
	if err != nil {
		if in.out.New > 0 {
			err = fmt.Errorf("%w (%d findings were taken until then; send the file again and the rest follows)", err, in.out.New)
		}
		a.fail(w, err)
		return
	}
	in.out.Format, in.out.Lines, in.out.Truncated = res.Format, res.Lines, res.Truncated
	note(r, fmt.Sprintf("%s, %d findings, %d new", res.Format, in.out.Findings, in.out.New))
	in.out.Visible = len(in.ends) == 0 || a.passed(r.Context(), in.ends)
	reply(w, map[bool]int{true: http.StatusOK, false: http.StatusAccepted}[in.out.Visible], in.out)
}

// take collects a batch.
func (in *importing) take(i importer.Item, dry bool) error {
	if bad := i.Err; bad != nil { // of the line, not of the import
		in.reject(i.Line, bad)
		return nil
	}
	if in.batch = append(in.batch, i); len(in.batch) < importBatch {
		return nil
	}
	return in.flush(dry)
}

func (in *importing) reject(line int, err error) {
	in.out.Rejected++
	if len(in.out.Problems) < maxProblems {
		in.out.Problems = append(in.out.Problems, importProblem{line, pipeline.Head(err.Error(), 500)})
	}
}

// flush passes on what of a batch is new.
func (in *importing) flush(dry bool) error {
	batch, err := in.placed()
	if err != nil {
		return err
	}
	in.batch = in.batch[:0]
	found := map[string]*pipeline.Finding{}
	var order []string
	for i := range batch {
		f, err := in.finding(&batch[i].Finding)
		if err != nil {
			in.reject(batch[i].Line, err)
			continue
		}
		in.out.Findings++
		if found[f.ID] != nil || in.seen[f.ID] {
			in.out.Known++
			continue
		}
		if len(in.seen) < maxSeen { // beyond, it is the store that knows
			in.seen[f.ID] = true
		}
		found[f.ID], order = &f, append(order, f.ID)
	}
	known, err := in.api.Store.Known(in.ctx, in.origin.ProjectID, order)
	if err != nil {
		return err
	}
	var recs []bus.Record
	for _, id := range order {
		if known[id] {
			in.out.Known++
			continue
		}
		f := found[id]
		v, err := record.EncodeFinding(f)
		if err != nil {
			return err
		}
		recs = append(recs, bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At})
	}
	in.out.New += len(recs)
	if len(recs) == 0 || dry {
		return nil
	}
	if err := in.api.Producer.Produce(in.ctx, recs); err != nil {
		in.out.New -= len(recs)
		return err
	}
	in.reached(recs)
	return nil
}

// finding checks a finding as those of jobs are. At is now, whenever the tool ran:
// what is known of a resource from later must not be undone by an old file.
func (in *importing) finding(f *importer.Finding) (pipeline.Finding, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return pipeline.Finding{}, fmt.Errorf("encoding finding: %w", err)
	}
	o := in.origin
	o.Ran = f.Ran
	return normal.Finding(raw, o)
}

// placed repeats findings about websites for every address that is known of their
// name, and leaves out those of which none is.
func (in *importing) placed() ([]importer.Item, error) {
	names := map[string]bool{}
	for i := range in.batch {
		if f := &in.batch[i].Finding; f.Unplaced && f.Domain != nil {
			names[*f.Domain] = true
		}
	}
	addresses, err := in.api.Store.AddressesOf(in.ctx, in.origin.ProjectID, slices.Sorted(maps.Keys(names)))
	if err != nil {
		return nil, err
	}
	out := make([]importer.Item, 0, len(in.batch))
	for _, i := range in.batch {
		if !i.Finding.Unplaced {
			out = append(out, i)
			continue
		}
		list := addresses[*i.Finding.Domain]
		if len(list) == 0 {
			in.out.Unplaced++
		}
		for _, i.Finding.IP = range list {
			out = append(out, i)
		}
	}
	return out, nil
}

func (in *importing) reached(recs []bus.Record) {
	for i := range recs {
		r := &recs[i]
		if in.ends[r.Topic] == nil {
			in.ends[r.Topic] = map[int32]int64{}
		}
		in.ends[r.Topic][r.Partition] = max(in.ends[r.Topic][r.Partition], r.Offset+1)
	}
}

// patient reads a body that may be long in coming, as long as something comes.
type patient struct {
	from    io.Reader
	control *http.ResponseController
}

// Read reads; without support for deadlines the server's own hold.
func (p *patient) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(slowSender))
	_ = p.control.SetWriteDeadline(time.Now().Add(2 * slowSender))
	n, err := p.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		// an end of the connection is no end of the file
		err = pipeline.Errorf(pipeline.CodeInvalid, "the file could not be read to its end: %s", err.Error())
	}
	return n, err
}
