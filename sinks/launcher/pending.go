package launcher

import (
	"slices"
	"strings"
	"time"
)

// limits say what may run at once; 0 means any number.
type limits struct {
	project  int
	target   int
	interval time.Duration // between two starts for a target
	reserve  func(*item) (class string, release func(), ok bool)
}

// pending decides what runs next. What may not run yet because of its project, its
// target or the room it needs is parked behind that gate, out of the way of
// everything else. One item leaves a gate whenever the gate may have opened, and
// takes the next with it when it gets through, so an item moves a few times however
// long the queue is, and nothing waits behind what it has nothing to do with.
type pending struct {
	limits  limits
	ready   *queue
	parked  map[string]*queue // by gate
	waiting int
	running map[string]int       // by project or target gate
	next    map[string]time.Time // earliest next start, by target gate
	due     time.Time            // earliest of next that something is parked for; zero when none
	swept   int                  // size of next when it was last swept
}

func newPending(l limits) *pending {
	return &pending{limits: l, ready: newQueue(), parked: map[string]*queue{}, running: map[string]int{}, next: map[string]time.Time{}}
}

func (p *pending) len() int { return p.waiting }

func (p *pending) push(it item) {
	p.waiting++
	p.ready.push(it, false)
}

func projectGate(it *item) string { return "project/" + it.req.ProjectID }

func classGate(class string) string { return "class/" + class }

// targetGate is that of the host or domain an execution is about, "" when it is
// about neither.
func targetGate(it *item) string {
	project, rest, _ := strings.Cut(it.req.Target, ";")
	thing, _, _ := strings.Cut(rest, ";")
	if thing == "" {
		return ""
	}
	return "target/" + project + ";" + thing
}

// pop returns what runs next and counts it as running until release.
func (p *pending) pop(now time.Time) (item, bool) {
	p.timeMayHaveCome(now)
	for p.ready.n > 0 {
		it := p.ready.pop()
		gate := p.blocked(&it, now)
		if gate == "" {
			p.waiting--
			p.enter(&it, now)
			return it, true
		}
		if p.parked[gate] == nil {
			p.parked[gate] = newQueue()
		}
		p.parked[gate].push(it, it.unparked)
	}
	return item{}, false
}

// blocked returns the gate that holds an item up, "" when none does and its room
// is reserved.
func (p *pending) blocked(it *item, now time.Time) string {
	if g := projectGate(it); p.limits.project > 0 && p.running[g] >= p.limits.project {
		return g
	}
	if g := targetGate(it); g != "" {
		if p.limits.target > 0 && p.running[g] >= p.limits.target {
			return g
		}
		if at := p.next[g]; now.Before(at) {
			p.dueBy(at)
			return g
		}
	}
	class, release, ok := p.limits.reserve(it)
	it.class, it.release = class, release
	if !ok {
		return classGate(class)
	}
	return ""
}

// enter counts an item as running and lets the next try the gates it came by.
func (p *pending) enter(it *item, now time.Time) {
	it.counted = true
	project, target := projectGate(it), targetGate(it)
	p.running[project]++
	if target != "" {
		p.running[target]++
		if p.limits.interval > 0 {
			p.next[target] = now.Add(p.limits.interval)
		}
		p.open(target)
	}
	p.open(project)
	p.open(classGate(it.class))
}

// release ends what pop began.
func (p *pending) release(it *item) {
	if !it.counted {
		return
	}
	for _, g := range []string{projectGate(it), targetGate(it)} {
		if p.running[g]--; p.running[g] <= 0 {
			delete(p.running, g)
		}
		p.open(g)
	}
	if it.release != nil {
		it.release()
		p.open(classGate(it.class))
	}
}

// open lets one item out of a gate, to try.
func (p *pending) open(gate string) {
	q := p.parked[gate]
	if q == nil {
		return
	}
	it := q.pop()
	it.unparked = true
	if q.n == 0 {
		delete(p.parked, gate)
	}
	p.ready.push(it, true)
}

// roomMayBeFree tries one item of every class.
func (p *pending) roomMayBeFree() {
	for gate := range p.parked {
		if strings.HasPrefix(gate, "class/") {
			p.open(gate)
		}
	}
}

func (p *pending) dueBy(at time.Time) {
	if p.due.IsZero() || at.Before(p.due) {
		p.due = at
	}
}

// timeMayHaveCome opens the targets whose interval is over.
func (p *pending) timeMayHaveCome(now time.Time) {
	if !p.due.IsZero() && !now.Before(p.due) {
		p.due = time.Time{}
		for gate := range p.parked {
			if at, timed := p.next[gate]; timed && now.Before(at) {
				p.dueBy(at)
			} else if timed {
				p.open(gate)
			}
		}
	}
	if len(p.next) < 2*p.swept+1000 {
		return
	}
	for gate, at := range p.next {
		if !now.Before(at) {
			delete(p.next, gate)
		}
	}
	p.swept = len(p.next)
}

// longestRest bounds how long a signal that was missed matters.
const longestRest = 5 * time.Second

// rest is how long to wait for something to end or to arrive.
func (p *pending) rest(now time.Time) time.Duration {
	if p.due.IsZero() {
		return longestRest
	}
	return max(min(longestRest, p.due.Sub(now)), time.Millisecond)
}

// take removes what matches and returns it.
func (p *pending) take(match func(*item) bool) []item {
	taken := p.ready.take(match)
	for gate, q := range p.parked {
		taken = append(taken, q.take(match)...)
		if q.n == 0 {
			delete(p.parked, gate)
		}
	}
	p.waiting -= len(taken)
	return taken
}

// drop removes what came from a partition.
func (p *pending) drop(partition int32) []item {
	return p.take(func(it *item) bool { return it.partition == partition })
}

// queue holds items. The lowest priority number goes first; within a priority
// projects take turns, so that one with a thousand requests does not hold up
// another with one; within a project the first goes first.
type queue struct {
	lanes map[int]*lane
	n     int
}

type lane struct {
	projects map[string]*line
	turns    []string // projects with something waiting, next first
}

// line is what waits of one project: again, the last first, then fresh.
type line struct{ again, fresh []item }

func newQueue() *queue { return &queue{lanes: map[int]*lane{}} }

// push adds an item behind the others of its project, or before them.
func (q *queue) push(it item, front bool) {
	l := q.lanes[it.req.Priority]
	if l == nil {
		l = &lane{projects: map[string]*line{}}
		q.lanes[it.req.Priority] = l
	}
	project := it.req.ProjectID
	waiting := l.projects[project]
	if waiting == nil {
		waiting = &line{}
		l.projects[project] = waiting
		l.turns = append(l.turns, project)
	}
	if front {
		waiting.again = append(waiting.again, it)
	} else {
		waiting.fresh = append(waiting.fresh, it)
	}
	q.n++
}

// pop returns the next of a queue that has one.
func (q *queue) pop() item {
	first, found := 0, false
	for priority := range q.lanes {
		if !found || priority < first {
			first, found = priority, true
		}
	}
	l := q.lanes[first]
	project := l.turns[0]
	l.turns = l.turns[1:]
	it, more := l.projects[project].pop()
	if more {
		l.turns = append(l.turns, project)
	} else {
		delete(l.projects, project)
	}
	if len(l.turns) == 0 {
		delete(q.lanes, first)
	}
	q.n--
	return it
}

func (l *line) pop() (it item, more bool) {
	if n := len(l.again); n > 0 {
		it, l.again[n-1] = l.again[n-1], item{} // let go of the request
		l.again = l.again[:n-1]
	} else {
		it, l.fresh[0] = l.fresh[0], item{}
		l.fresh = l.fresh[1:]
	}
	return it, len(l.again)+len(l.fresh) > 0
}

func (q *queue) take(match func(*item) bool) []item {
	var taken []item
	pick := func(it item) bool {
		if match(&it) {
			taken = append(taken, it)
			return true
		}
		return false
	}
	for priority, l := range q.lanes {
		for project, waiting := range l.projects {
			waiting.again, waiting.fresh = slices.DeleteFunc(waiting.again, pick), slices.DeleteFunc(waiting.fresh, pick)
			if len(waiting.again)+len(waiting.fresh) == 0 {
				delete(l.projects, project)
				l.turns = slices.DeleteFunc(l.turns, func(p string) bool { return p == project })
			}
		}
		if len(l.turns) == 0 {
			delete(q.lanes, priority)
		}
	}
	q.n -= len(taken)
	return taken
}
