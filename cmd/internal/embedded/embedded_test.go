package embedded_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
