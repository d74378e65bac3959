package launcher

import (
	"cmp"
	"slices"
)

// pending holds what waits to run. The lowest priority number goes first; within
// a priority projects take turns, so that one with a thousand requests does not
// hold up another with one; within a project the oldest goes first.
type pending struct {
	lanes map[int]*lane
	n     int
}

type lane struct {
	queues map[string][]item // by project
	turns  []string          // projects with something waiting, next first
}

func newPending() *pending { return &pending{lanes: map[int]*lane{}} }

func (p *pending) len() int { return p.n }

func (p *pending) push(it item) {
	l := p.lanes[it.req.Priority]
	if l == nil {
		l = &lane{queues: map[string][]item{}}
		p.lanes[it.req.Priority] = l
	}
	project := it.req.ProjectID
	if len(l.queues[project]) == 0 {
		l.turns = append(l.turns, project)
	}
	l.queues[project] = append(l.queues[project], it)
	p.n++
}

func (p *pending) pop() (item, bool) {
	if p.n == 0 {
		return item{}, false
	}
	first := 0
	found := false
	for priority, l := range p.lanes {
		if len(l.turns) > 0 && (!found || priority < first) {
			first, found = priority, true
		}
	}
	p.n--
	return p.lanes[first].pop(), true
}

func (l *lane) pop() item {
	project := l.turns[0]
	l.turns = l.turns[1:]
	q := l.queues[project]
	it := q[0]
	q[0] = item{} // let go of the request
	if q = q[1:]; len(q) > 0 {
		l.queues[project] = q
		l.turns = append(l.turns, project)
	} else {
		delete(l.queues, project)
	}
	return it
}

// drop removes what came from a partition.
func (p *pending) drop(partition int32) []item {
	var dropped, kept []item
	for {
		it, ok := p.pop()
		if !ok {
			break
		}
		if it.partition == partition {
			dropped = append(dropped, it)
		} else {
			kept = append(kept, it)
		}
	}
	slices.SortStableFunc(kept, func(a, b item) int { return cmp.Compare(a.req.At.UnixMilli(), b.req.At.UnixMilli()) })
	for _, it := range kept {
		p.push(it)
	}
	return dropped
}
