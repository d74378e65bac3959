package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// budget bounds how many executions may follow from one root. Each partition counts
// its own; the sum is over the partitions this process owns, so that with several
// matchers a chain that spreads over all of them may have up to that many times
// the budget, and never more.
func budget(c *candidate) Reason {
	spent := c.state.roots.get(c.finding.RootID).N
	if !c.past {
		spent = c.engine.spent(c.finding.RootID)
	}
	if spent >= c.engine.cfg.MaxPerRoot {
		return OverBudget
	}
	return ""
}

func (e *Engine) spent(root string) (n int) {
	for _, p := range e.parts {
		n += p.roots.get(root).N
	}
	return n
}

// rate bounds how many executions aim at one host, or at one domain where no host is
// named, within a window. Everything about a host is in one partition, so the
// count is exact.
func rate(c *candidate) Reason {
	w := c.state.targets.get(c.finding.PartitionKey())
	if c.engine.window(w, c.at) && w.N >= c.engine.cfg.MaxPerTarget {
		return TooOften
	}
	return ""
}

// window reports whether what was counted is of the window that now lies in.
func (e *Engine) window(w tally, now time.Time) bool {
	return now.UnixMilli()-w.At < e.cfg.TargetWindow.Milliseconds()
}

// keepRoots is how long a chain may sleep and still be counted on.
const keepRoots = 7 * 24 * time.Hour

// charge counts an execution against its root and its target.
func (p *partition) charge(c *candidate) {
	now := c.at.UnixMilli()
	root := p.roots.get(c.finding.RootID)
	p.roots.set(c.finding.RootID, tally{root.N + 1, now})
	key := c.finding.PartitionKey()
	w := p.targets.get(key)
	if !c.engine.window(w, c.at) {
		w = tally{At: now}
	}
	p.targets.set(key, tally{w.N + 1, w.At})
}

// tally is a count and the time it belongs to: when it grew last, or when its
// window began.
type tally struct {
	N  int   `json:"n"`
	At int64 `json:"at"` // milliseconds since 1970
}

// tallies are counts by name. What a batch changes lies in was, to be taken back.
type tallies struct {
	prefix string
	counts map[string]tally
	was    map[string]tally
}

func newTallies(prefix string) *tallies {
	return &tallies{prefix: prefix, counts: map[string]tally{}, was: map[string]tally{}}
}

func (t *tallies) get(key string) tally { return t.counts[key] }

// set changes a count for the batch in hand; the zero tally forgets it.
func (t *tallies) set(key string, n tally) {
	if _, ok := t.was[key]; !ok {
		t.was[key] = t.counts[key]
	}
	t.put(key, n)
}

func (t *tallies) put(key string, n tally) {
	if n == (tally{}) {
		delete(t.counts, key)
	} else {
		t.counts[key] = n
	}
}

func (t *tallies) commit() { clear(t.was) }

func (t *tallies) rollback() {
	for key, n := range t.was {
		t.put(key, n)
	}
	clear(t.was)
}

// expire forgets counts that matter no more: it looks at some, always more than the
// batch made, so that they never pile up.
func (t *tallies) expire(before time.Time) {
	look := 64 + 2*len(t.was)
	for key, n := range t.counts {
		if look--; look < 0 {
			return
		}
		if n.At < before.UnixMilli() {
			t.set(key, tally{})
		}
	}
}

// records are the changelog records of what the batch changed.
func (t *tallies) records(partition int32) []bus.Record {
	out := make([]bus.Record, 0, len(t.was))
	for key := range t.was {
		if n, ok := t.counts[key]; ok {
			out = append(out, stateRecord(partition, t.prefix+key, n))
		} else {
			out = append(out, stateRecord(partition, t.prefix+key, nil))
		}
	}
	return out
}

func (t *tallies) restore(key string, value []byte) error {
	var n tally
	if value != nil {
		if err := json.Unmarshal(value, &n); err != nil {
			return fmt.Errorf("count %s: %w", key, err)
		}
	}
	t.put(key, n)
	return nil
}
