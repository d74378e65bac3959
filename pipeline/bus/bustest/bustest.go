// Package bustest starts a broker for a test and reads what is on its topics. When
// STALKER_TEST_KAFKA names a broker (make test-kafka), tests use that instead, each
// with topics and groups of its own.
package bustest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// External returns the address of the real brokers tests are to use, "" for none.
func External() string { return os.Getenv("STALKER_TEST_KAFKA") }

// Config starts an in-process broker that lives as long as the test, and returns
// how to reach it. Nothing listens on the network.
func Config(t testing.TB) bus.Config {
	t.Helper()
	if addr := External(); addr != "" {
		cfg := bus.DefaultConfig()
		cfg.Brokers, cfg.Partitions, cfg.Prefix = []string{addr}, 3, "test-"+rand.Text()[:12]+"."
		return cfg
	}
	network := new(kfake.VirtualNetwork)
	c, err := kfake.NewCluster(kfake.ListenFn(network.Listen), kfake.Ports(9092))
	if err != nil {
		t.Fatalf("starting the broker: %v", err)
	}
	t.Cleanup(c.Close)
	cfg := bus.DefaultConfig()
	cfg.Brokers, cfg.Dial, cfg.Partitions = c.ListenAddrs(), network.DialContext, 3
	return cfg
}

// New starts a broker with every topic and returns a bus to it.
func New(t testing.TB) *bus.Bus {
	t.Helper()
	b := Connect(t, Config(t))
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// Connect returns a bus, closed with the test.
func Connect(t testing.TB, cfg bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.New(cfg, bus.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Produce writes records and returns them with their offsets.
func Produce(t testing.TB, b *bus.Bus, recs ...bus.Record) []bus.Record {
	t.Helper()
	p, err := b.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Produce(t.Context(), recs); err != nil {
		t.Fatalf("producing: %v", err)
	}
	return recs
}

// Read returns everything committed on a topic now.
func Read(t testing.TB, b *bus.Bus, topic string) []bus.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []bus.Record
	done := make(chan error, 1)
	tail := b.Tail(topic, func(r bus.Record) error { got = append(got, r); return nil })
	go func() { done <- tail.Run(ctx) }()
	select {
	case <-tail.Ready():
	case err := <-done:
		t.Fatalf("reading %s: %v", topic, err)
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatalf("reading %s: %v", topic, err)
	}
	return got
}

// Run runs a component until the test ends and fails it when the component does.
func Run(t testing.TB, name string, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("%s did not stop", name)
		}
	}
	t.Cleanup(stop)
	return stop
}

// Eventually polls until ok holds, for at most a minute.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}
