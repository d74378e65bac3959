package rebuild

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
)

// Deps is what both need.
type Deps struct {
	Bus      *bus.Bus
	Store    *clickhouse.Store
	Progress io.Writer // lines that say how far it is
}

// Options say what Replay writes.
type Options struct {
	Topics []string                   // as Topics returns them
	Since  time.Time                  // records from then on; zero means from the start
	At     map[string]map[int32]int64 // or from these offsets on; other partitions are left out
	Force  bool                       // also while the projector runs
}

// Replayed is what Replay did.
type Replayed struct {
	Records    int64    `json:"records"`
	Projects   int      `json:"projects"`
	Unreadable int64    `json:"unreadable"` // records that are dead letters
	Expired    []string `json:"expired"`    // partitions of which the beginning is gone
}

// Replay writes what the topics say into the store, from a position up to now.
func Replay(ctx context.Context, d Deps, o Options) (Replayed, error) {
	var out Replayed
	if err := alone(ctx, d.Bus, o.Force); err != nil {
		return out, err
	}
	projects, err := Projects(ctx, d.Bus)
	if err != nil {
		return out, err
	}
	if len(projects) == 0 {
		return out, pipeline.Errorf(pipeline.CodeConflict, "the control topic knows no project, so there is nothing to replay: are these the right brokers and data directory?")
	}
	from, to, expired, err := o.positions(ctx, d.Bus)
	if err != nil {
		return out, err
	}
	p := projection{bus: d.Bus, store: d.Store, projects: projects, progress: d.Progress}
	for _, e := range expired {
		fmt.Fprintf(d.Progress, "note: %s\n", e)
	}
	err = p.run(ctx, from, to)
	return Replayed{Records: p.records, Projects: len(projects), Unreadable: p.rejected, Expired: expired}, err
}

// alone refuses while projectors run: they write the same rows, and whoever replays
// because of what they wrote would have them write it again.
func alone(ctx context.Context, b *bus.Bus, force bool) error {
	n, err := b.Members(ctx, bus.GroupProjector)
	if err != nil || n == 0 || force {
		return err
	}
	return pipeline.Errorf(pipeline.CodeConflict,
		"%d consumers of the group %s are running: stop the processes with the role projector first, or give --force, which is safe when they run the same version", n, bus.GroupProjector)
}

func (o *Options) positions(ctx context.Context, b *bus.Bus) (from, to bus.Offsets, expired []string, err error) {
	starts, err := b.Starts(ctx, o.Topics...)
	if err == nil {
		to, err = b.Ends(ctx, o.Topics...)
	}
	switch {
	case err != nil:
	case o.At != nil:
		from, err = o.at(starts, to)
		for topic, parts := range to {
			maps.DeleteFunc(parts, func(p int32, _ int64) bool { _, ok := from[topic][p]; return !ok })
		}
		maps.DeleteFunc(to, func(_ string, parts map[int32]int64) bool { return len(parts) == 0 })
	case !o.Since.IsZero():
		from, err = b.Since(ctx, o.Since, o.Topics...)
	default:
		from = starts
		expired = beginnings(starts)
	}
	return from, to, expired, err
}

// at checks the offsets that were asked for.
func (o *Options) at(starts, ends bus.Offsets) (bus.Offsets, error) {
	for topic, parts := range o.At {
		for p, offset := range parts {
			end, ok := ends[topic][p]
			if !ok {
				return nil, pipeline.Errorf(pipeline.CodeInvalid, "%s has no partition %d, it has %d", topic, p, len(ends[topic]))
			}
			if start := starts[topic][p]; offset < start || offset > end {
				return nil, pipeline.Errorf(pipeline.CodeInvalid, "%s/%d holds the offsets %d to %d, not %d", topic, p, start, end, offset)
			}
		}
	}
	return o.At, nil
}

// beginnings names the partitions of which the beginning has expired.
func beginnings(starts bus.Offsets) (out []string) {
	for _, topic := range slices.Sorted(maps.Keys(starts)) {
		for _, p := range slices.Sorted(maps.Keys(starts[topic])) {
			if at := starts[topic][p]; at > 0 {
				out = append(out, fmt.Sprintf("%s/%d begins at offset %d, what was before has expired; rows made of it stay as they are", topic, p, at))
			}
		}
	}
	return out
}
