package bus_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

func TestWatchLagMeasuresWhatIsNotCommitted(t *testing.T) {
	reg := prometheus.NewRegistry()
	b, err := bus.New(bustest.Config(t), bus.Deps{Log: slog.New(slog.DiscardHandler), Metrics: reg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicJobs, Key: []byte("a")}, bus.Record{Topic: bus.TopicJobs, Key: []byte("b")})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.WatchLag(ctx, map[string][]string{bus.GroupLauncher: {bus.TopicJobs}}) }()
	want := "# HELP stalker_bus_lag_records Records of a topic that a group has not committed.\n# TYPE stalker_bus_lag_records gauge\n" +
		`stalker_bus_lag_records{group="stalker.launcher",topic="stalker.jobs"} 2` + "\n"
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := testutil.GatherAndCompare(reg, strings.NewReader(want), "stalker_bus_lag_records")
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("WatchLag() = %v", err)
	}
}
