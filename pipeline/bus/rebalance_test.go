package bus_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// load produces numbered records in small batches until stop, and returns them.
func load(t *testing.T, b *bus.Bus, topic string) (stop func() []bus.Record) {
	t.Helper()
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	quit := make(chan struct{})
	var all []bus.Record
	var wg sync.WaitGroup
	wg.Go(func() {
		defer p.Close()
		for n := 0; ; n += 25 {
			select {
			case <-quit:
				return
			default:
			}
			recs := numbered(topic, n, 25)
			if err := p.Produce(t.Context(), recs); err != nil {
				t.Errorf("producing: %v", err)
				return
			}
			all = append(all, recs...)
			time.Sleep(5 * time.Millisecond) // load, not a flood: what is produced must be read back
		}
	})
	return func() []bus.Record { close(quit); wg.Wait(); return all }
}

// churn lets members come and go while records come in, and ends with one. new
// returns a member and how to tell that it takes part.
func churn(t *testing.T, moves int, seed uint64, start func(i int) (stop func(), taking func() bool)) (stopAll func()) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	type member struct {
		stop   func()
		taking func() bool
	}
	var members []member
	join := func(i int) {
		stop, taking := start(i)
		members = append(members, member{stop, taking})
	}
	join(0)
	for i := 1; i <= moves; i++ {
		if len(members) < 2 || len(members) < 3 && random.IntN(2) == 0 {
			join(i)
			m := members[len(members)-1]
			bustest.Eventually(t, fmt.Sprintf("member %d takes part", i), m.taking)
			continue
		}
		gone := random.IntN(len(members))
		members[gone].stop()
		members = slices.Delete(members, gone, gone+1)
	}
	return func() {
		for _, m := range members {
			m.stop()
		}
	}
}

func TestTransactorCountsRightWhileMembersChurn(t *testing.T) {
	b := bustest.New(t)
	stopLoad := load(t, b, bus.TopicFindings)
	var overlap []*counter
	stopAll := churn(t, 12, 1, func(i int) (func(), func() bool) {
		c := newCounter()
		overlap = append(overlap, c)
		stop := bustest.Run(t, fmt.Sprintf("member %d", i), transactor(b, c).Run)
		return stop, func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.restored) > 0 && c.handled > 0 }
	})
	inputs := stopLoad()
	bustest.Eventually(t, "all inputs committed", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	stopAll()
	checkNumbers(t, b, inputs)
	for i, c := range overlap {
		if c.overlap {
			t.Errorf("member %d handled a partition before its state was restored", i)
		}
	}
	t.Logf("%d records, %d members", len(inputs), len(overlap))
}

// TestQueueLosesNothingWhileMembersChurn finishes records late and out of order.
func TestQueueLosesNothingWhileMembersChurn(t *testing.T) {
	b := bustest.New(t)
	stopLoad := load(t, b, bus.TopicJobs)
	var mu sync.Mutex
	finished := map[string]int{}
	stopAll := churn(t, 10, 2, func(i int) (func(), func() bool) {
		w := &lateWorker{finish: func(v string) { mu.Lock(); defer mu.Unlock(); finished[v]++ }}
		stop := bustest.Run(t, fmt.Sprintf("member %d", i), queue(b, w, 200).Run)
		return stop, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.taken > 0 }
	})
	inputs := stopLoad()
	bustest.Eventually(t, "all requests finished", caughtUp(t, b, bus.GroupLauncher, bus.TopicJobs))
	stopAll()
	for _, r := range inputs {
		if finished[string(r.Value)] == 0 {
			t.Errorf("record %s was never finished", r.Value)
		}
	}
	t.Logf("%d records", len(inputs))
}

// lateWorker finishes records a moment later and in any order, so that there is
// always something unfinished when a partition moves.
type lateWorker struct {
	mu     sync.Mutex
	taken  int
	finish func(value string)
}

func (*lateWorker) Restore(int32, bus.Record) error { return nil }
func (*lateWorker) Restored(int32)                  {}
func (w *lateWorker) Revoke(int32)                  {}

func (w *lateWorker) Take(_ context.Context, r bus.Record, done func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken++
	time.AfterFunc(rand.N(30*time.Millisecond), func() { w.finish(string(r.Value)); done() })
	return nil
}

// Two processes with the same stable id are one too many: one of them ends with an
// error, and what they did together is still right.
func TestAStableTransactionalIDFencesTheOther(t *testing.T) {
	cfg := bustest.Config(t)
	cfg.StableTransactions, cfg.Worker = true, "worker-1"
	b := bustest.Connect(t, cfg)
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 2 {
		go func() { ended <- transactor(bustest.Connect(t, cfg), newCounter()).Run(ctx) }()
	}
	var inputs []bus.Record
	var fenced error
	bustest.Eventually(t, "one is fenced", func() bool {
		inputs = append(inputs, bustest.Produce(t, b, numbered(bus.TopicFindings, len(inputs), 20)...)...)
		select {
		case fenced = <-ended:
			return true
		default:
			return false
		}
	})
	if fenced == nil {
		t.Error("the fenced one ended without an error, its process would go on")
	}
	done := caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings)
	bustest.Eventually(t, "all inputs committed by the other", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the other ended with %v, the first with %v", err, fenced)
		default:
		}
		return done()
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the other ended with %v", err)
	}
	checkNumbers(t, b, inputs)
}
