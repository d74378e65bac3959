package rebuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/deadletter"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// Report is what Verify found.
type Report struct {
	Records  int64                   `json:"records"`  // that were folded
	Projects int                     `json:"projects"` // that exist
	Tables   []clickhouse.Difference `json:"tables"`
	// Unreadable records have to have a dead letter; Unburied are those that have none.
	Unreadable int64    `json:"unreadable"`
	Unburied   []string `json:"unburied,omitempty"`
	// Behind is how many records the projector has not come to yet.
	Behind int64 `json:"behind"`
	// Whole says that the topics hold everything that ever was on them, and that
	// nothing moved meanwhile: only then is a row nobody can explain a fault.
	Whole bool `json:"whole"`

	Lost       uint64  `json:"lost"` // rows the store lacks, or has with less than it should
	Duplicated uint64  `json:"duplicated"`
	Extra      uint64  `json:"extra"` // rows the topics do not account for
	OK         bool    `json:"ok"`
	Seconds    float64 `json:"seconds"`
}

// Verify holds the store against the topics, up to where the projector says that it
// is. It changes nothing of the store; it needs room for a second one meanwhile.
func Verify(ctx context.Context, d Deps) (r Report, err error) {
	began := time.Now()
	v := verification{Deps: d}
	if err := v.positions(ctx); err != nil {
		return r, err
	}
	beside, drop, err := v.beside(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	p := projection{bus: d.Bus, store: beside, projects: v.projects, progress: d.Progress}
	if err := p.run(ctx, v.from, v.to); err != nil {
		return r, err
	}
	fmt.Fprintln(d.Progress, "comparing the rows")
	if r.Tables, err = d.Store.Compare(ctx, beside, v.projects); err != nil {
		return r, err
	}
	r.Records, r.Projects, r.Unreadable = p.records, len(v.projects), p.rejected
	if r.Unburied, err = v.unburied(ctx, p.unreadable); err != nil {
		return r, err
	}
	if r.Behind, r.Whole, err = v.moved(ctx); err != nil {
		return r, err
	}
	r.judge()
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

func (r *Report) judge() {
	for _, d := range r.Tables {
		r.Lost += d.Lost + d.Stale
		r.Duplicated += d.Duplicated
		r.Extra += d.Unknown
	}
	r.OK = r.Lost == 0 && r.Duplicated == 0 && len(r.Unburied) == 0 && (r.Extra == 0 || !r.Whole)
}

// verification is one run of Verify.
type verification struct {
	Deps
	projects       []string
	from, to, ends bus.Offsets
}

func (v *verification) positions(ctx context.Context) (err error) {
	topics := projector.Topics()
	if v.projects, err = Projects(ctx, v.Bus); err != nil {
		return err
	}
	if v.from, err = v.Bus.Starts(ctx, topics...); err != nil {
		return err
	}
	// committed before ends: what is committed now is in the store now
	if v.to, err = v.Bus.Committed(ctx, bus.GroupProjector, topics...); err != nil {
		return err
	}
	v.ends, err = v.Bus.Ends(ctx, topics...)
	return err
}

// beside makes the database to compare with.
func (v *verification) beside(ctx context.Context) (*clickhouse.Store, func() error, error) {
	s, err := v.Store.Beside(v.Store.Database() + "_verify_" + pipeline.NewID()[:12])
	if err != nil {
		return nil, nil, err
	}
	drop := func() error { // also when ctx has ended: it would stay otherwise
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return errors.Join(s.DropDatabase(ctx), s.Close())
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, nil, errors.Join(err, drop())
	}
	return s, drop, nil
}

// unburied names the unreadable records that have no dead letter.
func (v *verification) unburied(ctx context.Context, unreadable []bus.DeadLetter) ([]string, error) {
	if len(unreadable) == 0 {
		return nil, nil
	}
	letters, err := deadletter.New(v.Bus, nil).Sources(ctx, bus.GroupProjector)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range unreadable {
		at := deadletter.Source{Topic: l.Record.Topic, Partition: int(l.Record.Partition), Offset: l.Record.Offset}
		if !letters[at] {
			out = append(out, fmt.Sprintf("%s/%d at %d: %s", at.Topic, at.Partition, at.Offset, l.Reason))
		}
	}
	return out, nil
}

// moved tells whether records came or went while it ran, and how far the projector
// is behind.
func (v *verification) moved(ctx context.Context) (behind int64, whole bool, err error) {
	ends, err := v.Bus.Ends(ctx, projector.Topics()...)
	if err != nil {
		return 0, false, err
	}
	starts, err := v.Bus.Starts(ctx, projector.Topics()...)
	if err != nil {
		return 0, false, err
	}
	behind = v.to.Len(v.ends)
	return behind, behind == 0 && v.ends.Len(ends) == 0 && bus.Offsets{}.Len(starts) == 0, nil
}
