package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Marks knows which resources people keep automation away from. It reads the marks
// topic from its start, every process all of it: a domain's mark concerns websites
// that are in other partitions. The topic is compacted, so it is the state and its
// changelog in one, and what it comes to does not depend on the order of its records.
type Marks struct {
	tail *bus.Tail
	log  *slog.Logger

	mu       sync.RWMutex
	projects map[string]*decisions
}

// decisions are those of one project, by correlation key.
type decisions struct {
	own     map[string]decision // blocked or not: the resource
	below   map[string]decision // and what is below it
	merged  map[string]decision
	deleted map[string]uint64 // what was decided before does not count any more
	ranges  map[string]netip.Prefix
}

// decision is what counts since a version.
type decision struct {
	version uint64
	on      bool
}

// NewMarks makes one that knows nothing; Run fills it.
func NewMarks(b *bus.Bus, log *slog.Logger) *Marks {
	m := &Marks{log: log.With("component", "matcher"), projects: map[string]*decisions{}}
	m.tail = b.Tail(bus.TopicMarks, m.apply)
	return m
}

// Run follows the topic until ctx ends.
func (m *Marks) Run(ctx context.Context) error { return m.tail.Run(ctx) }

// Ready is closed when everything is known that the topic held when Run began.
func (m *Marks) Ready() <-chan struct{} { return m.tail.Ready() }

func (m *Marks) apply(r bus.Record) error {
	if r.Value == nil {
		return nil
	}
	x, err := record.Decode[pipeline.Mark](r.Value)
	var ref pipeline.Ref
	if err == nil {
		ref, err = x.Check()
	}
	if err != nil { // the projector makes it a dead letter
		m.log.Warn("a mark is not understood and passed over", "partition", r.Partition, "offset", r.Offset, "err", err)
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.projects[x.ProjectID]
	if p == nil {
		p = &decisions{map[string]decision{}, map[string]decision{}, map[string]decision{}, map[string]uint64{}, map[string]netip.Prefix{}}
		m.projects[x.ProjectID] = p
	}
	p.decide(&x, ref, version(&x, r.Offset))
	return nil
}

// version orders decisions as the projector does.
func version(m *pipeline.Mark, offset int64) uint64 {
	return uint64(m.At.UnixMilli())<<20 | uint64(offset)&(1<<20-1)
}

func (p *decisions) decide(m *pipeline.Mark, ref pipeline.Ref, v uint64) {
	switch m.Action {
	case pipeline.MarkBlock, pipeline.MarkUnblock:
		later(p.own, m.Target, decision{v, m.Action == pipeline.MarkBlock})
		if m.Cascade {
			later(p.below, m.Target, decision{v, m.Action == pipeline.MarkBlock})
			if ref.Kind == pipeline.KindRange {
				p.ranges[m.Target] = prefixOf(ref)
			}
		}
	case pipeline.MarkMerge, pipeline.MarkUnmerge:
		later(p.merged, m.Target, decision{v, m.Action == pipeline.MarkMerge})
	case pipeline.MarkDelete:
		p.deleted[m.Target] = max(p.deleted[m.Target], v|(1<<20-1))
	default: // tags, notes and owners keep nothing away
	}
}

func later(in map[string]decision, key string, d decision) {
	if in[key].version < d.version {
		in[key] = d
	}
}

func prefixOf(r pipeline.Ref) netip.Prefix {
	addr, err := netip.ParseAddr(r.IP)
	if err != nil || r.Mask == nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, *r.Mask)
}

// judge says why automation leaves alone what a finding is about; "" lets it pass.
// Of what was decided about the resource itself and about what it is below, the
// latest counts. A link of a domain and a host is about both.
func (m *Marks) judge(f *pipeline.Finding) (r Reason, by string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p := m.projects[f.ProjectID]
	if p == nil {
		return "", ""
	}
	above, inside := lineage(f), p.around(f)
	if d := p.merged[f.CorrelationKey]; d.on && p.counts(d, f.CorrelationKey, above) {
		return Merged, f.CorrelationKey
	}
	if by := p.blocked(f.CorrelationKey, above, inside); by != "" {
		return Blocked, by
	}
	if f.Type == pipeline.HostnameIPFinding && f.Domain != "" {
		by = p.blocked("project:"+f.ProjectID+";domain:"+f.Domain, nil, nil)
	}
	if by == "" {
		return "", ""
	}
	return Blocked, by
}

func (p *decisions) blocked(key string, above, inside []string) (by string) {
	last := decision{}
	consider := func(d decision, from string) {
		if d.version > last.version && p.counts(d, from, above) {
			last, by = d, from
		}
	}
	consider(p.own[key], key)
	for _, k := range above {
		consider(p.below[k], k)
	}
	for _, k := range inside {
		consider(p.below[k], k)
	}
	if !last.on {
		return ""
	}
	return by
}

// counts reports whether a decision about a resource was made after it and all that
// it is below were deleted last.
func (p *decisions) counts(d decision, key string, above []string) bool {
	if d.version <= p.deleted[key] {
		return false
	}
	for _, k := range above {
		if isBelow(key, k) && d.version <= p.deleted[k] {
			return false
		}
	}
	return d.version > 0
}

// isBelow reports whether what key names goes with what above names. Of a finding's
// lineage only the website is below a domain.
func isBelow(key, above string) bool {
	if strings.HasPrefix(key, above+";") {
		return true
	}
	return strings.Contains(key, ";path:") && !strings.Contains(above, ";host:")
}

// around are the blocked ranges that an address is in.
func (p *decisions) around(f *pipeline.Finding) (out []string) {
	if len(p.ranges) == 0 || f.IP == "" || f.Mask != nil {
		return nil
	}
	addr, err := netip.ParseAddr(f.IP)
	if err != nil {
		return nil
	}
	for key, n := range p.ranges {
		if n.Contains(addr) {
			out = append(out, key)
		}
	}
	return out
}

// lineage are the keys of what the finding's resource is below: a port's host, and a
// website's port, host and domain.
func lineage(f *pipeline.Finding) []string {
	if f.IP == "" || f.Port == 0 {
		return nil
	}
	project := "project:" + f.ProjectID
	host := project + ";host:" + f.IP
	out := []string{host}
	port := host + ";port:" + strconv.Itoa(f.Port) + ";protocol:" + string(f.Protocol)
	if f.CorrelationKey == port {
		return out
	}
	out = append(out, host+";port:"+strconv.Itoa(f.Port)+";protocol:tcp")
	if f.Domain != "" {
		out = append(out, project+";domain:"+f.Domain)
	}
	return out
}

// left asks whether people keep automation away from the resource.
func left(c *candidate) Reason {
	if c.engine.marks == nil {
		return ""
	}
	if !c.marked {
		c.marked = true
		c.mark, c.by = c.engine.marks.judge(c.finding)
	}
	return c.mark
}

// leftAlone puts into words why automation leaves it alone.
func (c *candidate) leftAlone() string {
	switch {
	case c.mark == Merged:
		return "the website is merged into another one"
	case c.by == c.finding.CorrelationKey:
		return "the resource is blocked"
	default:
		return fmt.Sprintf("%s is blocked, with what is below it", c.by)
	}
}
