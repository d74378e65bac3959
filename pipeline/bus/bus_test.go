package bus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

func numbered(topic string, from, n int) []bus.Record {
	recs := make([]bus.Record, n)
	for i := range recs {
		k := strconv.Itoa(from + i)
		recs[i] = bus.Record{Topic: topic, Key: []byte(k), Value: []byte(k)}
	}
	return recs
}

func values(recs []bus.Record) map[string]int {
	n := map[string]int{}
	for _, r := range recs {
		n[string(r.Value)]++
	}
	return n
}

func onceEach(n int) map[string]int {
	want := map[string]int{}
	for i := range n {
		want[strconv.Itoa(i)] = 1
	}
	return want
}

func TestProduceKeepsKeysTogetherAndPinnedRecordsInPlace(t *testing.T) {
	b := bustest.New(t)
	recs := bustest.Produce(t, b,
		bus.Record{Topic: bus.TopicFindings, Key: []byte("a"), Value: []byte("1"), Headers: map[string]string{"h": "v"}},
		bus.Record{Topic: bus.TopicFindings, Key: []byte("a"), Value: []byte("2")},
		bus.Record{Topic: bus.TopicFindings, Key: []byte("a"), Value: []byte("3"), Pinned: true, Partition: 2})
	if recs[0].Partition != recs[1].Partition || recs[0].Partition != int32(bus.PartitionOf([]byte("a"), 3)) {
		t.Errorf("same key on partitions %d and %d", recs[0].Partition, recs[1].Partition)
	}
	if recs[1].Offset != recs[0].Offset+1 {
		t.Errorf("offsets %d, %d: not in order", recs[0].Offset, recs[1].Offset)
	}
	if recs[2].Partition != 2 {
		t.Errorf("pinned record went to partition %d", recs[2].Partition)
	}
	got := bustest.Read(t, b, bus.TopicFindings)
	if i := slices.IndexFunc(got, func(r bus.Record) bool { return string(r.Value) == "1" }); i < 0 || got[i].Headers["h"] != "v" {
		t.Errorf("headers did not survive: %v", got)
	}
}

// What a matcher that was behind derives is dated when its cause was said. That must
// not count as having waited for the broker.
func TestARecordDatedLongAgoIsProduced(t *testing.T) {
	b := bustest.New(t)
	before := time.Now().Add(-time.Minute)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicFindings, Value: []byte("late"), Time: time.Now().Add(-time.Hour)})
	got := bustest.Read(t, b, bus.TopicFindings)
	if len(got) != 1 || got[0].Time.Before(before) {
		t.Errorf("read %v: want it, with the time it was produced", got)
	}
}

func TestTooLargeRecordSaysSo(t *testing.T) {
	b := bustest.New(t)
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = p.Produce(t.Context(), []bus.Record{{Topic: bus.TopicFindings, Value: make([]byte, 2<<20)}})
	if pipeline.CodeOf(err) != pipeline.CodeTooLarge {
		t.Errorf("Produce() = %v, want code too_large", err)
	}
}

// sink remembers what was written, and fails when told to.
type sink struct {
	mu   sync.Mutex
	seen map[string]int
	fail func(call int) error
	call int
}

func (s *sink) Handle(_ context.Context, batch []bus.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call++
	if s.fail != nil {
		if err := s.fail(s.call); err != nil {
			return err
		}
	}
	for _, r := range batch {
		s.seen[string(r.Value)]++
	}
	return nil
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

func consumer(b *bus.Bus, h bus.Handler) *bus.Consumer {
	return b.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: []string{bus.TopicFindings, bus.TopicJobs}, MaxRecords: 50}, h)
}

func TestConsumerRetriesAPassingFailureAndLosesNothing(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 300)...)
	s := &sink{seen: map[string]int{}, fail: func(call int) error {
		if call%2 == 1 && call < 6 {
			return pipeline.Errorf(pipeline.CodeUnavailable, "store is away")
		}
		return nil
	}}
	stop := bustest.Run(t, "consumer", consumer(b, s).Run)
	bustest.Eventually(t, "300 records handled", func() bool { return s.count() == 300 })
	stop()
	if d := cmp.Diff(s.seen, onceEach(300)); d != "" {
		t.Errorf("records (-got +want):\n%s", d)
	}
}

func TestConsumerThatDiesBetweenSinkAndCommitReadsAgain(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 100)...)
	died := &sink{seen: map[string]int{}}
	err := consumer(b, bus.HandlerFunc(func(ctx context.Context, batch []bus.Record) error {
		_ = died.Handle(ctx, batch)
		return errors.New("killed after the write")
	})).Run(t.Context())
	if err == nil {
		t.Fatal("Run() hid the failure")
	}
	again := &sink{seen: map[string]int{}}
	stop := bustest.Run(t, "consumer", consumer(b, again).Run)
	bustest.Eventually(t, "all records handled by the successor", func() bool { return again.count() == 100 })
	stop()
	third := &sink{seen: map[string]int{}}
	stop = bustest.Run(t, "consumer", consumer(b, third).Run)
	bustest.Produce(t, b, numbered(bus.TopicJobs, 1000, 1)...)
	bustest.Eventually(t, "the new record handled", func() bool { return third.count() > 0 })
	stop()
	if d := cmp.Diff(third.seen, map[string]int{"1000": 1}); d != "" {
		t.Errorf("committed records came again (-got +want):\n%s", d)
	}
}

func TestConsumerReportsAPanic(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 1)...)
	err := consumer(b, bus.HandlerFunc(func(context.Context, []bus.Record) error { panic("boom") })).Run(t.Context())
	if err == nil || pipeline.CodeOf(err) != pipeline.CodeInternal {
		t.Errorf("Run() = %v, want an internal error", err)
	}
}

// counter is a TxHandler that numbers the records of each partition; the numbers
// live in memory and in the changelog.
type counter struct {
	mu        sync.Mutex
	n         map[int32]int
	restored  map[int32]bool
	overlap   bool
	handled   int
	rollbacks int
	fail      func(handled int) error
}

func newCounter() *counter { return &counter{n: map[int32]int{}, restored: map[int32]bool{}} }

func (c *counter) Restore(p int32, r bus.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := strconv.Atoi(string(r.Value))
	c.n[p] = max(c.n[p], n)
	return err
}

func (c *counter) Restored(p int32) { c.mu.Lock(); defer c.mu.Unlock(); c.restored[p] = true }

func (c *counter) Revoke(p int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.restored, p)
	delete(c.n, p)
}

func (c *counter) Handle(_ context.Context, batch []bus.Record) (bus.Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handled++
	next := maps.Clone(c.n)
	var out bus.Outcome
	for _, r := range batch {
		if !c.restored[r.Partition] {
			c.overlap = true
		}
		if string(r.Value) == "poison" {
			out.Dead = append(out.Dead, bus.NewDeadLetter(r, pipeline.Errorf(pipeline.CodeInvalid, "poison")))
			continue
		}
		next[r.Partition]++
		n := strconv.Itoa(next[r.Partition])
		out.Records = append(out.Records,
			bus.Record{Topic: bus.TopicJobs, Key: r.Key, Value: fmt.Appendf(nil, "%d/%s", r.Partition, n)},
			bus.Record{Topic: bus.TopicState, Pinned: true, Partition: r.Partition, Key: []byte("n"), Value: []byte(n)})
	}
	out.Commit = func() { c.mu.Lock(); defer c.mu.Unlock(); maps.Copy(c.n, next) }
	out.Rollback = func() { c.mu.Lock(); defer c.mu.Unlock(); c.rollbacks++ }
	if c.fail != nil {
		return out, c.fail(c.handled)
	}
	return out, nil
}

func transactor(b *bus.Bus, h bus.TxHandler) *bus.Transactor {
	return b.Transactor(bus.TransactorConfig{Group: bus.GroupMatcher, Topic: bus.TopicFindings, Changelog: bus.TopicState, MaxRecords: 40}, h)
}

// checkNumbers fails unless the outputs number the records of each partition 1..n
// without a gap or a repetition.
func checkNumbers(t *testing.T, b *bus.Bus, inputs []bus.Record) {
	t.Helper()
	want := map[string]int{}
	per := map[int32]int{}
	for _, r := range inputs {
		per[r.Partition]++
		want[fmt.Sprintf("%d/%d", r.Partition, per[r.Partition])] = 1
	}
	if d := cmp.Diff(values(bustest.Read(t, b, bus.TopicJobs)), want); d != "" {
		t.Errorf("outputs (-got +want):\n%s", d)
	}
}

func caughtUp(t *testing.T, b *bus.Bus, group, topic string) func() bool {
	t.Helper()
	return func() bool {
		lag, err := b.Lag(t.Context(), group, topic)
		return err == nil && lag[topic] == 0
	}
}

func TestTransactorCommitsOutputStateAndOffsetsTogether(t *testing.T) {
	b := bustest.New(t)
	inputs := bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 200)...)
	crash := newCounter()
	crash.fail = func(handled int) error {
		if handled == 3 {
			return errors.New("killed in the middle")
		}
		return nil
	}
	if err := transactor(b, crash).Run(t.Context()); err == nil {
		t.Fatal("Run() hid the failure")
	}
	second := newCounter()
	stop := bustest.Run(t, "transactor", transactor(b, second).Run)
	bustest.Eventually(t, "all inputs committed", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	inputs = append(inputs, bustest.Produce(t, b, numbered(bus.TopicFindings, 200, 100)...)...)
	bustest.Eventually(t, "all inputs committed", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	stop()
	checkNumbers(t, b, inputs)
	if second.overlap {
		t.Error("a partition was handled before its state was restored")
	}
}

func TestTransactorMovesStateWhenMembersComeAndGo(t *testing.T) {
	b := bustest.New(t)
	members := []*counter{newCounter(), newCounter()}
	stopFirst := bustest.Run(t, "first", transactor(b, members[0]).Run)
	inputs := bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 150)...)
	stopSecond := bustest.Run(t, "second", transactor(b, members[1]).Run)
	for i := range 20 {
		inputs = append(inputs, bustest.Produce(t, b, numbered(bus.TopicFindings, 150+i*20, 20)...)...)
	}
	bustest.Eventually(t, "the second member has a partition", func() bool {
		members[1].mu.Lock()
		defer members[1].mu.Unlock()
		return len(members[1].restored) > 0
	})
	stopFirst()
	inputs = append(inputs, bustest.Produce(t, b, numbered(bus.TopicFindings, 1000, 100)...)...)
	bustest.Eventually(t, "all inputs committed", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	stopSecond()
	checkNumbers(t, b, inputs)
}

func TestTransactorSetsPoisonAside(t *testing.T) {
	b := bustest.New(t)
	inputs := bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 5)...)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicFindings, Key: []byte("p"), Value: []byte("poison")})
	stop := bustest.Run(t, "transactor", transactor(b, newCounter()).Run)
	bustest.Eventually(t, "all inputs committed", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	stop()
	checkNumbers(t, b, inputs)
	dead := bustest.Read(t, b, bus.TopicDead)
	if len(dead) != 1 || string(dead[0].Value) != "poison" || dead[0].Headers[bus.HeaderTopic] != bus.TopicFindings || dead[0].Headers[bus.HeaderReason] != "poison" {
		t.Errorf("dead letters = %v", dead)
	}
}

// worker is a QueueHandler that finishes records when told to.
type worker struct {
	mu      sync.Mutex
	open    map[string]func()
	taken   []string
	history []string
}

func (w *worker) Restore(_ int32, r bus.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, string(r.Value))
	return nil
}
func (w *worker) Restored(int32) {}
func (w *worker) Revoke(int32)   {}
func (w *worker) Take(_ context.Context, r bus.Record, done func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = append(w.taken, string(r.Value))
	w.open[string(r.Value)] = done
	return nil
}

func (w *worker) has(n int) func() bool {
	return func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.taken) >= n }
}

func (w *worker) finish(except string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for v, done := range w.open {
		if v != except {
			done()
			done() // twice is once
		}
	}
}

func queue(b *bus.Bus, h bus.QueueHandler, limit int) *bus.Queue {
	return b.Queue(bus.QueueConfig{Group: bus.GroupLauncher, Topic: bus.TopicJobs, History: bus.TopicExecutions, MaxOutstanding: limit}, h)
}

func TestQueueGivesUnfinishedRecordsAgainWithTheirHistory(t *testing.T) {
	b := bustest.New(t)
	pin := func(recs []bus.Record) []bus.Record {
		for i := range recs {
			recs[i].Pinned = true
		}
		return recs
	}
	bustest.Produce(t, b, pin(numbered(bus.TopicJobs, 0, 10))...)
	first := &worker{open: map[string]func(){}}
	stop := bustest.Run(t, "queue", queue(b, first, 100).Run)
	bustest.Eventually(t, "ten taken", first.has(10))
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicExecutions, Pinned: true, Value: []byte("4 started")})
	first.finish("4")
	stop()
	second := &worker{open: map[string]func(){}}
	stop = bustest.Run(t, "queue", queue(b, second, 100).Run)
	bustest.Eventually(t, "the rest taken", second.has(6))
	stop()
	if d := cmp.Diff(second.taken, []string{"4", "5", "6", "7", "8", "9"}); d != "" {
		t.Errorf("taken again (-got +want): everything from the oldest unfinished record\n%s", d)
	}
	if d := cmp.Diff(second.history, []string{"4 started"}); d != "" {
		t.Errorf("history (-got +want):\n%s", d)
	}
}

func TestQueueBoundsUnfinishedRecords(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicJobs, 0, 50)...)
	w := &worker{open: map[string]func(){}}
	stop := bustest.Run(t, "queue", queue(b, w, 10).Run)
	bustest.Eventually(t, "ten taken", w.has(10))
	for n := 10; n < 50; n += 10 {
		w.mu.Lock()
		taken := len(w.taken)
		w.mu.Unlock()
		if taken > n {
			t.Fatalf("%d taken while %d could be", taken, n)
		}
		w.finish("")
		bustest.Eventually(t, "ten more taken", w.has(n+10))
	}
	w.finish("")
	bustest.Eventually(t, "all committed", caughtUp(t, b, bus.GroupLauncher, bus.TopicJobs))
	stop()
}

func TestWaitCommittedSeesTransactionMarkersPassed(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 30)...)
	bustest.Run(t, "transactor", transactor(b, newCounter()).Run)
	s := &sink{seen: map[string]int{}}
	bustest.Run(t, "consumer", consumer(b, s).Run)
	bustest.Eventually(t, "matcher done", caughtUp(t, b, bus.GroupMatcher, bus.TopicFindings))
	ends, err := b.Ends(t.Context(), bus.TopicFindings, bus.TopicJobs)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.WaitCommitted(t.Context(), bus.GroupProjector, ends); err != nil {
		t.Errorf("WaitCommitted() = %v", err)
	}
}

// remembering is a sink that is told of partitions that come to it.
type remembering struct {
	*sink
	told atomic.Int32
}

func (r *remembering) Assigned() { r.told.Add(1) }

// A handler that remembers is told of partitions before it gets records of them, and
// again when it takes over those of a member that leaves.
func TestAHandlerIsToldOfPartitions(t *testing.T) {
	b := bustest.New(t)
	bustest.Produce(t, b, numbered(bus.TopicFindings, 0, 30)...)
	one, other := &remembering{}, &remembering{}
	one.sink = &sink{seen: map[string]int{}, fail: func(int) error {
		if one.told.Load() == 0 {
			t.Error("records came before the partitions")
		}
		return nil
	}}
	other.sink = &sink{seen: map[string]int{}}
	stop := bustest.Run(t, "consumer", consumer(b, one).Run)
	bustest.Eventually(t, "all records handled", func() bool { return one.count() == 30 })
	stopOther := bustest.Run(t, "other", consumer(b, other).Run)
	bustest.Eventually(t, "the other has partitions", func() bool { return other.told.Load() > 0 })
	before := one.told.Load()
	stopOther()
	bustest.Eventually(t, "they are back", func() bool { return one.told.Load() > before })
	stop()
}
