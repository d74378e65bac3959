package projector

import (
	"context"
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/sinks/rows"
)

// othersStore tells what other projectors that write to the same store swept.
type othersStore interface {
	// Others returns at most limit sweeps that others than by stored since a time, and
	// some of before.
	Others(ctx context.Context, by string, since time.Time, limit int) ([]rows.Sweep, error)
	// Concerned returns the ids of the resources whose history sweeps may have changed,
	// among them those of now.
	Concerned(ctx context.Context, sweeps []rows.Sweep, now map[string]bool) ([]string, error)
}

// maxOthers is how many sweeps of others are looked at one by one; when there are
// more, the memory begins anew.
const maxOthers = 10_000

// others follows what other projectors swept: what this one remembers of the
// resources concerned is not so any more. It belongs to the goroutine that handles.
type others struct {
	looked time.Time // when it was looked the last time
	heard  map[string]bool
}

// hear makes the memory forget what others swept since, and reports whether a
// resource of the batch is concerned. The rows of the batch are written by now, and
// whoever sweeps reads them after his sweep is stored: either he sees them and says
// in the history what they are, or his sweep is seen here.
func (p *Projector) hear(ctx context.Context, b *rows.Batch) (bool, error) {
	store, ok := p.store.(othersStore)
	now := seenIn(b)
	if !ok || len(now) == 0 {
		return false, nil // nothing was left out of the history
	}
	begin := time.Now()
	sweeps, err := store.Others(ctx, p.memory.id, p.others.looked, maxOthers+1)
	if err != nil {
		return false, err
	}
	if len(sweeps) > maxOthers {
		p.memory.clear()
		p.others.looked = begin
		return true, nil
	}
	fresh, heard := p.others.fresh(sweeps)
	var ids []string
	if len(fresh) > 0 {
		if ids, err = store.Concerned(ctx, fresh, now); err != nil {
			return false, err
		}
		p.metrics.heard.Add(float64(len(fresh)))
	}
	p.others = others{looked: begin, heard: heard}
	p.memory.doubt(ids)
	for _, id := range ids {
		if now[id] {
			return true, nil
		}
	}
	return false, nil
}

// fresh are the sweeps that were not heard of before, with all that are heard of now.
func (o *others) fresh(sweeps []rows.Sweep) (out []rows.Sweep, heard map[string]bool) {
	heard = make(map[string]bool, len(sweeps))
	for i := range sweeps {
		w := &sweeps[i]
		k := w.ProjectID + " " + w.ID + " " + string(w.Action) + " " + strconv.FormatInt(w.Until, 10)
		if heard[k] = true; !o.heard[k] {
			out = append(out, *w)
		}
	}
	return out, heard
}

// seenIn are the ids of the resources that a batch says were seen.
func seenIn(b *rows.Batch) map[string]bool {
	out := make(map[string]bool, len(b.Domains)+len(b.Hosts)+len(b.Ranges)+len(b.Ports)+len(b.Websites))
	for i := range b.Domains {
		out[b.Domains[i].ID] = true
	}
	for i := range b.Hosts {
		out[b.Hosts[i].ID] = true
	}
	for i := range b.Ranges {
		out[b.Ranges[i].ID] = true
	}
	for i := range b.Ports {
		out[b.Ports[i].ID] = true
	}
	for i := range b.Websites {
		out[b.Websites[i].ID] = true
	}
	return out
}
