package launcher

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

// waiting reads "id project priority target" per word group, separated by commas.
func waiting(l limits, items string) *pending {
	if l.reserve == nil {
		l.reserve = func(*item) (string, func(), bool) { return "", nil, true }
	}
	p := newPending(l)
	for s := range strings.SplitSeq(items, ",") {
		var it item
		_, _ = fmt.Sscan(s+" 3 -", &it.req.ID, &it.req.ProjectID, &it.req.Priority, &it.req.Target)
		it.req.Target = strings.Trim(it.req.Target, "-")
		p.push(it)
	}
	return p
}

// popAll pops until nothing more may run.
func popAll(p *pending, now time.Time) (ids []string, items []item) {
	for {
		it, ok := p.pop(now)
		if !ok {
			return ids, items
		}
		ids, items = append(ids, it.req.ID), append(items, it)
	}
}

func TestPendingOrder(t *testing.T) {
	now := time.Unix(1000, 0)
	const onHost = "project:p;host:10.0.0.1;port:80;protocol:tcp"
	for name, tc := range map[string]struct {
		limits limits
		items  string
		want   string // what runs at once
		then   string // what runs when the first has ended
	}{
		"the lowest priority number first":        {items: "a p 3,b p 1,c p 2", want: "b c a"},
		"projects take turns":                     {items: "a1 a,a2 a,a3 a,b1 b,c1 c", want: "a1 b1 c1 a2 a3"},
		"a project at its limit lets others pass": {limits: limits{project: 1}, items: "a1 a,a2 a,b1 b", want: "a1 b1", then: "a2"},
		"a target at its limit lets others pass": {
			limits: limits{target: 1}, want: "b c d", then: "a",
			items: "a p 3 " + onHost + ",b p 1 " + onHost + ";domain:x;path:/,c p 3 project:p;host:10.0.0.2,d p 3 project:p;domain:x",
		},
		"within a gate the order stays": {limits: limits{project: 1}, items: "a1 a,a2 a 3,a3 a 3,a4 a 1", want: "a4", then: "a1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := waiting(tc.limits, tc.items)
			ids, items := popAll(p, now)
			if got := strings.Join(ids, " "); got != tc.want {
				t.Fatalf("ran %s, want %s", got, tc.want)
			}
			p.release(&items[0])
			ids, _ = popAll(p, now)
			if got := strings.Join(ids, " "); got != tc.then {
				t.Errorf("then ran %q, want %q", got, tc.then)
			}
		})
	}
}

func TestATargetIsStartedOnlySoOften(t *testing.T) {
	now := time.Unix(1000, 0)
	p := waiting(limits{interval: 10 * time.Second}, "a p 3 project:p;domain:x,b p 3 project:p;domain:x,c p 3 project:p;domain:x,d p 3 project:p;domain:y")
	var got []string
	for range 4 {
		ids, _ := popAll(p, now)
		got = append(got, strings.Join(ids, " "))
		rest := p.rest(now)
		got = append(got, rest.String())
		now = now.Add(10 * time.Second)
	}
	if d := cmp.Diff(got, []string{"a d", "5s", "b", "5s", "c", "5s", "", "5s"}); d != "" {
		t.Errorf("what ran, and for how long nothing can (-got +want):\n%s", d)
	}
}

// TestAFullClassDelaysItselfOnly is the promise of design.md §5: no head-of-line
// blocking, here with a hundred times as many that do not fit.
func TestAFullClassDelaysItselfOnly(t *testing.T) {
	asked, room := 0, map[string]int{"XL": 1, "S": 1 << 30}
	l := limits{reserve: func(it *item) (string, func(), bool) {
		asked++
		class := strings.TrimRight(it.req.ID, "0123456789")
		if room[class] == 0 {
			return class, nil, false
		}
		room[class]--
		return class, func() { room[class]++ }, true
	}}
	var items []string
	for i := range 10_000 {
		items = append(items, fmt.Sprintf("XL%d p", i))
	}
	for i := range 100 {
		items = append(items, fmt.Sprintf("S%d p", i))
	}
	p := waiting(l, strings.Join(items, ","))
	ids, ran := popAll(p, time.Now())
	if len(ids) != 101 || ids[0] != "XL0" || ids[1] != "S0" || ids[100] != "S99" {
		t.Fatalf("%d ran, the first %v, the last %s", len(ids), ids[:3], ids[len(ids)-1])
	}
	asked = 0
	for i := 1; i <= 500; i++ { // one at a time, in order, without asking about all the others
		p.release(&ran[0])
		ids, ran = popAll(p, time.Now())
		if len(ids) != 1 || ids[0] != fmt.Sprintf("XL%d", i) {
			t.Fatalf("then %v ran, want XL%d", ids, i)
		}
	}
	if asked > 1500 {
		t.Errorf("asked %d times for room to start 500", asked)
	}
}

// TestPendingLosesNothing lets random things end in random order under every limit.
func TestPendingLosesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	room := 7
	p := newPending(limits{project: 5, target: 2, interval: time.Second, reserve: func(*item) (string, func(), bool) {
		if room == 0 {
			return "one", nil, false
		}
		room--
		return "one", func() { room++ }, true
	}})
	now, seen, running := time.Unix(0, 0), map[string]bool{}, []item(nil)
	const all = 3000
	for i := range all {
		project := strconv.Itoa(rnd.IntN(4))
		p.push(item{req: pipeline.JobRequest{
			ID: strconv.Itoa(i), ProjectID: project, Priority: 1 + rnd.IntN(3),
			Target: fmt.Sprintf("project:%s;host:10.0.0.%d", project, rnd.IntN(200)),
		}})
	}
	for step := 0; len(seen) < all; step++ {
		if step > 100*all {
			t.Fatalf("%d of %d ran, %d wait", len(seen), all, p.len())
		}
		if it, ok := p.pop(now); ok {
			if seen[it.req.ID] {
				t.Fatalf("%s ran twice", it.req.ID)
			}
			seen[it.req.ID] = true
			running = append(running, it)
			continue
		}
		if len(running) > 7 {
			t.Fatalf("%d run, 7 fit", len(running))
		}
		if len(running) > 0 && rnd.IntN(2) == 0 {
			i := rnd.IntN(len(running))
			p.release(&running[i])
			running = append(running[:i], running[i+1:]...)
		}
		now = now.Add(100 * time.Millisecond)
	}
	for i := range running {
		p.release(&running[i])
	}
	if p.len() != 0 || room != 7 || len(p.running) != 0 || len(p.parked) != 0 {
		t.Errorf("left: %d waiting, %d room, running %v, parked %d", p.len(), room, p.running, len(p.parked))
	}
}

func TestTakeRemovesFromEverywhere(t *testing.T) {
	p := waiting(limits{project: 1}, "a1 a,a2 a,b1 b,a3 a")
	if it, ok := p.pop(time.Now()); !ok || it.req.ID != "a1" {
		t.Fatal("a1 should run")
	}
	_, _ = p.pop(time.Now()) // b1 runs, a2 and a3 are parked
	_, _ = p.pop(time.Now())
	taken := p.take(func(it *item) bool { return it.req.ID == "a2" || it.req.ID == "b1" })
	if len(taken) != 1 || taken[0].req.ID != "a2" || p.len() != 1 {
		t.Errorf("took %d, %d wait", len(taken), p.len())
	}
}
