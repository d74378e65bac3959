package embedded_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

const cutGroup = "cut"

// TestACommitThatAKillCutIsFinished kills the broker with none, some or all of the
// partitions of a transaction marked, and its offsets not committed.
func TestACommitThatAKillCutIsFinished(t *testing.T) {
	for name, tc := range map[string]struct {
		marked []string // topics
		whole  bool     // and so it must be made
	}{
		"before it began":     {nil, false},
		"in the middle":       {[]string{bus.TopicState}, true},
		"before the offsets":  {[]string{bus.TopicState, bus.TopicJobs}, true},
		"in the other middle": {[]string{bus.TopicJobs}, true},
	} {
		t.Run(name, func(t *testing.T) {
			killed := filepath.Join(t.TempDir(), "killed")
			cut(t, t.TempDir(), killed, tc.marked)
			for range 2 { // and it is finished once
				broker, err := embedded.OpenBroker(killed, slog.New(slog.NewTextHandler(t.Output(), nil)))
				if err != nil {
					t.Fatal(err)
				}
				t.Run("next life", func(t *testing.T) { checkCut(t, broker.Bus(bus.DefaultConfig()), tc.whole) })
				if err := broker.Close(killed); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// cut writes a record of a transaction to two topics, marks some of them, and copies
// the data as a kill would leave them.
func cut(t *testing.T, dir, killed string, marked []string) {
	t.Helper()
	broker, err := embedded.OpenBroker(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	cfg := broker.Bus(bus.DefaultConfig())
	t.Run("first life", func(t *testing.T) {
		b := bustest.Connect(t, cfg)
		if err := b.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.Dialer(cfg.Dial), kgo.TransactionalID("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c := bus.Commit{Group: cutGroup, Wrote: map[string]map[int32]bus.Span{}, Read: map[string]map[int32]int64{bus.TopicFindings: {1: 7}}}
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		var epoch int16
		for _, topic := range []string{bus.TopicState, bus.TopicJobs} {
			r := &kgo.Record{Topic: topic, Partition: 1, Key: []byte("k"), Value: []byte("of " + topic)}
			if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
				t.Fatal(err)
			}
			c.Producer, epoch, c.Wrote[topic] = r.ProducerID, r.ProducerEpoch, map[int32]bus.Span{1: {First: r.Offset, Last: r.Offset}}
		}
		if err := cfg.Ledger.Committing(c); err != nil {
			t.Fatal(err)
		}
		for _, topic := range marked {
			var set kadm.TopicsSet
			set.Add(topic, 1)
			said, err := kadm.NewClient(client).WriteTxnMarkers(t.Context(), kadm.TxnMarkers{ProducerID: c.Producer, ProducerEpoch: epoch, Commit: true, Topics: set})
			for _, r := range said.SortedPartitions() {
				err = errors.Join(err, r.Err)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	})
	if err := broker.Close(dir); err != nil {
		t.Fatal(err)
	}
}

func checkCut(t *testing.T, cfg bus.Config, whole bool) {
	t.Helper()
	b := bustest.Connect(t, cfg)
	var want []string
	var at int64
	if whole {
		want, at = []string{"of"}, 7
	}
	for _, topic := range []string{bus.TopicState, bus.TopicJobs} {
		var got []string
		for _, r := range bustest.Read(t, b, topic) {
			if r.Partition != 1 || string(r.Key) != "k" || string(r.Value) != "of "+topic {
				t.Errorf("%s holds %+v", topic, r)
			}
			got = append(got, "of")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d records, want %d", topic, len(got), len(want))
		}
	}
	done, err := b.Committed(t.Context(), cutGroup, bus.TopicFindings)
	if err != nil || done[bus.TopicFindings][1] != at {
		t.Errorf("the group goes on at %d (%v), want %d", done[bus.TopicFindings][1], err, at)
	}
}
