package projector

import (
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// mark makes the row of what a person decided, and the sweep of what follows for
// what is below. It makes no resource: a mark on one that is not there yet waits.
func (f *folder) mark(e *entry[pipeline.Mark]) error {
	m := &e.body
	at, err := millis(m.At)
	if err != nil {
		return err
	}
	ref, err := m.Check()
	if err != nil {
		return err
	}
	d := decided{Mark: m, at: at, version: rows.Version(at, e.offset), id: pipeline.ResourceID(m.Target), ref: ref}
	if d.place, err = placeOf(ref); err != nil {
		return err
	}
	f.decide(&d)
	return nil
}

// decided is a mark while it is folded.
type decided struct {
	*pipeline.Mark
	at      int64
	version uint64
	id      string
	ref     pipeline.Ref
	place   rows.Place
}

func (f *folder) decide(d *decided) {
	row := rows.Mark{ProjectID: d.ProjectID, ID: d.id, Place: d.place}
	switch d.Action {
	case pipeline.MarkTag, pipeline.MarkUntag:
		f.tagged(d)
		return
	case pipeline.MarkBlock, pipeline.MarkUnblock:
		row.Blocked = rows.Value[uint8]{Version: d.version, Value: blocking(d.Mark)}
		f.decision(d, "blocked", yesNo(row.Blocked.Value > 0))
		if d.Cascade {
			f.sweep(d, rows.SweepBlock, rows.Sweep{Blocked: rows.Value[uint8]{Version: d.version, Value: min(row.Blocked.Value, 1)}})
		}
	case pipeline.MarkDelete:
		row.Delete(d.at)
		f.decision(d, "", rows.Deleted)
		f.sweep(d, rows.SweepDelete, rows.Sweep{})
	case pipeline.MarkMerge, pipeline.MarkUnmerge:
		row.Merged = rows.Value[string]{Version: d.version}
		if d.Action == pipeline.MarkMerge {
			row.Merged.Value = pipeline.ResourceID(d.Into)
			f.sweep(d, rows.SweepMerge, rows.Sweep{Into: row.Merged})
		}
		f.decision(d, "merged", row.Merged.Value)
	case pipeline.MarkNote:
		row.Note = rows.Value[string]{Version: d.version, Value: d.Text}
		f.decision(d, "note", d.Text)
	case pipeline.MarkOwner:
		row.Owner = rows.Value[string]{Version: d.version, Value: d.Text}
		f.decision(d, "owner", d.Text)
	}
	if have := f.marks[d.id]; have != nil {
		have.Merge(&row)
		return
	}
	f.marks[d.id] = &row
}

func blocking(m *pipeline.Mark) uint8 {
	switch {
	case m.Action == pipeline.MarkUnblock:
		return 0
	case m.Cascade:
		return 2
	default:
		return 1
	}
}

func (f *folder) tagged(d *decided) {
	on := d.Action == pipeline.MarkTag
	row := &rows.Tag{
		ProjectID: d.ProjectID, ResourceID: d.id, Tag: d.Tag, State: rows.Value[uint8]{Version: d.version}, Addr: d.place.Addr, Domain: d.place.Domain,
	}
	if on {
		row.State.Value = 1
	}
	f.decision(d, "tag:"+d.Tag, yesNo(on))
	k := tagKey{d.ProjectID, d.id, d.Tag}
	if have := f.tags[k]; have != nil {
		have.Merge(row)
		return
	}
	f.tags[k] = row
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// decision is the change that a mark is. It is always written: decisions are few,
// and each is somebody's.
func (f *folder) decision(d *decided, attribute, value string) {
	f.out.Changes = append(f.out.Changes, rows.Change{
		ProjectID: d.ProjectID, At: d.at, ResourceID: d.id, Attribute: attribute, Kind: d.ref.Kind, Key: d.Target, Value: value, Cause: d.UserID,
	})
	if attribute == "" {
		f.forget = append(f.forget, d.id)
	}
}

// sweep adds what follows for what is below the resource.
func (f *folder) sweep(d *decided, action rows.SweepAction, w rows.Sweep) {
	w.Action, w.ProjectID, w.ID, w.Kind, w.Cause = action, d.ProjectID, d.id, d.ref.Kind, d.UserID
	w.Since, w.Until = d.at, d.at
	if action == rows.SweepDelete { // decisions are on a topic of their own: others read the findings
		w.By = f.history.memory.id
	}
	switch d.ref.Kind {
	case pipeline.KindDomain:
		w.Domain = d.place.Domain
	case pipeline.KindHost:
		w.First, w.Last = d.place.Addr, d.place.Addr
	case pipeline.KindPort:
		w.First, w.Last, w.Protocol = d.place.Addr, d.place.Addr, d.place.Protocol
		w.Ports = []uint16{d.place.Port, d.place.Port}
	case pipeline.KindRange:
		if action == rows.SweepBlock { // a range that is deleted takes nothing with it
			w.First, w.Last = bounds(netip.PrefixFrom(d.place.Addr, int(d.place.Bits)))
		}
	default:
	}
	f.out.Sweeps = append(f.out.Sweeps, w)
}

// placeOf is a reference in columns.
func placeOf(r pipeline.Ref) (p rows.Place, err error) {
	p = rows.Place{Kind: r.Kind, Domain: r.Domain, Port: uint16(r.Port), Protocol: r.Protocol, Path: r.Path}
	if r.IP == "" {
		return p, nil
	}
	if p.Addr, err = netip.ParseAddr(r.IP); err != nil {
		return p, pipeline.Errorf(pipeline.CodeInvalid, "%q is no address", r.IP)
	}
	p.Addr = p.Addr.Unmap()
	if r.Mask == nil {
		return p, nil
	}
	n, err := p.Addr.Prefix(*r.Mask)
	if err != nil {
		return p, pipeline.Errorf(pipeline.CodeInvalid, "mask %d does not fit %s", *r.Mask, r.IP)
	}
	p.Addr, p.Bits = n.Addr(), uint8(n.Bits())
	return p, nil
}

// bounds are the first and the last address of a network.
func bounds(n netip.Prefix) (first, last netip.Addr) {
	first = n.Masked().Addr()
	b := first.AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	last, _ = netip.AddrFromSlice(b) // it has the length of an address
	return first, last
}
