package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/matchers/schedule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Leaders die wherever they can, before, between and after every step, while one that
// thinks it still leads goes on writing ticks: every tick starts its job for every
// resource, once.
func TestNoTickIsLostOrDoubledWhenLeadersDie(t *testing.T) {
	for seed := range uint64(10) {
		l := newLine(t, "2026-01-10T00:00:00Z", cron("all", "*/30 * * * *", "overlap: true\ninput: ALL_DOMAINS\n"), cron("one", "15 * * * *", "overlap: true\n"))
		l.page = 2
		got := map[string]int{}
		l.jobs = func(q *pipeline.JobRequest) { got[q.ID]++ }
		deaths := dieOften(l, rand.New(rand.NewPCG(seed, 1)), 24*time.Hour)
		if want := 48*7 + 24; len(got) != want || deaths < 20 {
			t.Errorf("seed %d: %d jobs after %d deaths, want %d", seed, len(got), deaths, want)
		}
		for id, n := range got {
			if n != 1 {
				t.Errorf("seed %d: %s was asked for %d times", seed, id, n)
			}
		}
	}
}

func dieOften(l *line, random *rand.Rand, d time.Duration) (deaths int) {
	leader, zombie := l.lead(), l.lead()
	next := func() { zombie, leader, deaths = leader, l.lead(), deaths+1 }
	for end := l.now.Add(d); l.now.Before(end); {
		l.now = l.now.Add(5 * time.Minute)
		leader.beat()
		if random.IntN(3) == 0 {
			zombie.beat() // it does not know yet
		}
		for steps := 0; len(l.topic) > 0; steps++ {
			commit, rollback := leader.handle(1 + random.IntN(5))
			switch random.IntN(8) {
			case 0:
				next() // died before it committed
			case 1:
				commit()
				next()
			case 2:
				rollback() // the broker refused
			default:
				commit()
			}
			if steps > 10_000 {
				l.t.Fatal("it never ends")
			}
		}
		if random.IntN(10) == 0 {
			next()
		}
	}
	return deaths
}

// pair is two replicas on one broker.
type pair struct {
	t     *testing.T
	b     *bus.Bus
	cat   *fakeCatalog
	clock atomic.Int64
}

func (p *pair) now() time.Time { return time.UnixMilli(p.clock.Load()).UTC() }

// start runs a replica; stop ends it as it would end with its process.
func (p *pair) start() (s *schedule.Scheduler, stop func()) {
	producer, err := p.b.Producer()
	if err != nil {
		p.t.Fatal(err)
	}
	cfg := schedule.DefaultConfig()
	cfg.PageSize = 1 // many steps, so that most ends are in the middle
	s, err = schedule.New(cfg, schedule.Deps{
		Catalog: p.cat, Inventory: inventory{7}, Producer: producer, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	s.SetClock(p.now)
	end := bustest.Run(p.t, "transactor", s.Transactor(p.b).Run)
	return s, func() { end(); producer.Close() }
}

// asked returns how often each job was asked for.
func (p *pair) asked() map[string]int {
	got := map[string]int{}
	for _, r := range bustest.Read(p.t, p.b, bus.TopicJobs) {
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		if err != nil {
			p.t.Fatal(err)
		}
		got[q.ID]++
	}
	return got
}

// The same with a broker: one of two replicas is ended in the middle of each tick.
func TestTheOtherReplicaTakesOver(t *testing.T) {
	at := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	c := cron("s", "@hourly", "overlap: true\ninput: ALL_DOMAINS\n")
	c.UpdatedAt = at
	p := &pair{t: t, b: bustest.New(t), cat: &fakeCatalog{subs: []pipeline.Subscription{c}}}
	p.clock.Store(at.UnixMilli())
	leader, stop := p.start()
	standby, stopOther := p.start()
	const ticks = 3
	for k := range ticks {
		p.clock.Add(time.Hour.Milliseconds())
		beat := func(enough int) func() bool {
			return func() bool {
				for _, s := range []*schedule.Scheduler{leader, standby} {
					if err := s.Tick(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				return len(p.asked()) >= enough
			}
		}
		bustest.Eventually(t, "some of the tick", beat(7*k+1))
		stop()
		leader, stop = standby, stopOther
		standby, stopOther = p.start()
		bustest.Eventually(t, "all of the tick", beat(7*k+7))
	}
	stop()
	stopOther()
	for id, n := range p.asked() {
		if n != 1 {
			t.Errorf("%s was asked for %d times", id, n)
		}
	}
	if n := len(p.asked()); n != 7*ticks {
		t.Errorf("%d jobs, want %d", n, 7*ticks)
	}
}

// crowd is an inventory of very many domains, which are made as they are asked for.
type crowd struct {
	inventory
	n int
}

func (c crowd) Resources(_ context.Context, q schedule.Query) (p schedule.Page, err error) {
	from, _ := strconv.Atoi(q.Cursor)
	to := min(c.n, from+q.Limit)
	p.Resources = make([]schedule.Resource, 0, to-from)
	for i := from; i < to; i++ {
		name := fmt.Sprintf("host-%d.a-long-name-as-they-are-in-clouds.example.com", i)
		p.Resources = append(p.Resources, schedule.Resource{Key: "project:" + q.ProjectID + ";domain:" + name, Locators: pipeline.Locators{Domain: name}})
	}
	if to < c.n {
		p.Next = strconv.Itoa(to)
	}
	return p, nil
}

// However many resources an input has, one page of them is in memory.
func TestMemoryDoesNotGrowWithTheInput(t *testing.T) {
	const n, page = 200_000, 500
	l := newLine(t, "2026-01-10T00:00:00Z", sub("s", "name: n\ntriggerType: cron\ncronExpression: '@hourly'\ninput: ALL_DOMAINS\n"+job))
	l.page, l.stock = page, crowd{n: n}
	jobs, peak, base := 0, uint64(0), heap()
	l.jobs = func(*pipeline.JobRequest) {
		if jobs++; jobs%10_000 == 0 {
			peak = max(peak, heap())
		}
	}
	l.lead().pass(time.Hour, time.Hour)
	if jobs != n {
		t.Errorf("%d jobs, want %d", jobs, n)
	}
	if l.most > page+10 {
		t.Errorf("a transaction has %d records for a page of %d", l.most, page)
	}
	if grown := int64(peak) - int64(base); grown > 8<<20 {
		t.Errorf("%d MiB more were in use with %d resources", grown>>20, n)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
