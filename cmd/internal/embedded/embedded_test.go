package embedded_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

func TestLockNamesTheHolder(t *testing.T) {
	dir := t.TempDir()
	unlock, err := embedded.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = embedded.Lock(dir)
	if pipeline.CodeOf(err) != pipeline.CodeConflict || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("second Lock() = %v, want a conflict that names process %d", err, os.Getpid())
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = embedded.Lock(dir); err != nil {
		t.Errorf("Lock() after unlock = %v", err)
	} else {
		_ = unlock()
	}
}

func TestBrokerKeepsTopicsRecordsAndOffsets(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean stop %v", clean), func(t *testing.T) {
			dir := t.TempDir()
			var want []string
			for life := range 3 {
				broker, err := embedded.OpenBroker(dir, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				t.Run("life", func(t *testing.T) { want = append(want, live(t, broker, life, want)) })
				if err := broker.Close(dir); err != nil {
					t.Fatal(err)
				}
				if !clean { // as after a kill: the mark is still there
					if err := os.WriteFile(dir+"/dirty", nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// live checks that a life sees what earlier ones wrote, and writes one record.
func live(t *testing.T, broker *embedded.Broker, life int, want []string) string {
	t.Helper()
	b := bustest.Connect(t, broker.Bus(bus.DefaultConfig()))
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range bustest.Read(t, b, bus.TopicControl) {
		got = append(got, string(r.Value))
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("life %d (-got +want):\n%s", life, d)
	}
	value := fmt.Sprint("life ", life)
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte(value), Value: []byte(value)})
	return value
}

// TestATransactionThatAKillLeftOpenHidesNoEnd leaves a transaction open at the end of
// a topic, and reads that to its end in the next life.
func TestATransactionThatAKillLeftOpenHidesNoEnd(t *testing.T) {
	dir, killed := t.TempDir(), filepath.Join(t.TempDir(), "killed")
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
		bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte("k"), Value: []byte("committed")})
		client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.Dialer(cfg.Dial), kgo.TransactionalID("t"))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		topics, err := kadm.NewClient(client).ListTopics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range topics.Names() {
			if strings.HasSuffix(topic, bus.TopicControl) {
				err = errors.Join(err, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("open")}).FirstErr())
			}
		}
		if err := errors.Join(err, client.Flush(t.Context()), os.CopyFS(killed, os.DirFS(dir))); err != nil {
			t.Fatal(err)
		}
	})
	if err := broker.Close(dir); err != nil {
		t.Fatal(err)
	}
	if broker, err = embedded.OpenBroker(killed, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Run("next life", func(t *testing.T) {
		got := bustest.Read(t, bustest.Connect(t, broker.Bus(bus.DefaultConfig())), bus.TopicControl)
		if len(got) != 1 || string(got[0].Value) != "committed" {
			t.Errorf("read %d records", len(got))
		}
	})
	if err := broker.Close(killed); err != nil {
		t.Fatal(err)
	}
}
