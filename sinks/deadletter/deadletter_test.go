package deadletter_test

import (
	"context"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/deadletter"
)

// refuse makes every record a dead letter.
func refuse(b *bus.Bus, p *bus.Producer) *bus.Consumer {
	dead := b.DeadLetters(bus.GroupProjector, p)
	return b.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: []string{bus.TopicFindings}}, bus.HandlerFunc(func(ctx context.Context, batch []bus.Record) error {
		var letters []bus.DeadLetter
		for _, r := range batch {
			letters = append(letters, bus.NewDeadLetter(r, pipeline.Errorf(pipeline.CodeInvalid, "no good")))
		}
		return dead.Write(ctx, letters)
	}))
}

func TestALetterIsListedShownReplayedAndComesBack(t *testing.T) {
	b := bustest.New(t)
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	bustest.Produce(t, b,
		bus.Record{Topic: bus.TopicFindings, Key: []byte("k"), Value: []byte("first"), Headers: map[string]string{"h": "v"}},
		bus.Record{Topic: bus.TopicFindings, Key: []byte("k"), Value: []byte("second")})
	bustest.Run(t, "consumer", refuse(b, p).Run)
	letters := deadletter.New(b, p)
	count := func(f deadletter.Filter, n int) func() bool {
		return func() bool {
			_, total, err := letters.List(t.Context(), f, 100)
			return err == nil && total == n
		}
	}
	bustest.Eventually(t, "two letters", count(deadletter.Filter{}, 2))
	got, _, err := letters.List(t.Context(), deadletter.Filter{}, 1)
	if err != nil || len(got) != 1 || got[0].Value != "second" || got[0].Attempt != 1 || got[0].Code != "invalid" || got[0].Reason != "no good" {
		t.Fatalf("List() = %+v, %v: want the newest", got, err)
	}
	first, err := letters.Show(t.Context(), got[0].Offset-1)
	if err != nil || first.Value != "first" || first.Headers["h"] != "v" || first.Topic != bus.TopicFindings {
		t.Fatalf("Show() = %+v, %v", first, err)
	}
	if n, err := letters.Replay(t.Context(), []deadletter.Letter{first}); err != nil || n != 1 {
		t.Fatal(err)
	}
	bustest.Eventually(t, "it came back as a letter of its own", count(deadletter.Filter{Replayed: true}, 3))
	open, total, err := letters.List(t.Context(), deadletter.Filter{}, 100)
	if err != nil || total != 2 || open[0].Attempt != 2 || open[0].Value != "first" || open[0].Headers["h"] != "v" {
		t.Errorf("List() = %+v, %v: want the second, and the first again", open, err)
	}
	if again, err := letters.Show(t.Context(), first.Offset); err != nil || again.Replayed == nil {
		t.Errorf("Show() = %+v, %v: want it replayed", again, err)
	}
}

func TestWhatAFilterSelects(t *testing.T) {
	b := bustest.New(t)
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	letter := bus.NewDeadLetter(bus.Record{Topic: bus.TopicJobs, Offset: 5, Value: []byte("x")}, pipeline.Errorf(pipeline.CodeInvalid, "bad"))
	for range 2 { // the same twice, as after a crash
		if err := b.DeadLetters(bus.GroupMatcher, p).Write(t.Context(), []bus.DeadLetter{letter}); err != nil {
			t.Fatal(err)
		}
	}
	letters := deadletter.New(b, p)
	for _, tc := range []struct {
		f    deadletter.Filter
		want int
	}{
		{deadletter.Filter{}, 1},
		{deadletter.Filter{Group: bus.GroupMatcher, Topic: bus.TopicJobs, Code: "invalid"}, 1},
		{deadletter.Filter{Group: bus.GroupProjector}, 0},
		{deadletter.Filter{Topic: bus.TopicFindings}, 0},
		{deadletter.Filter{Code: "internal"}, 0},
	} {
		if _, n, err := letters.List(t.Context(), tc.f, 10); err != nil || n != tc.want {
			t.Errorf("%+v: %d letters, %v; want %d", tc.f, n, err, tc.want)
		}
	}
	if _, err := letters.Show(t.Context(), 99); pipeline.CodeOf(err) != pipeline.CodeNotFound {
		t.Errorf("Show(99) = %v", err)
	}
}
