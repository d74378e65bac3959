package projector_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// BenchmarkProject is the way from a batch of records to acknowledged rows in the
// embedded store: decoding, folding, writing, and closing what a look did not see. The
// naive one writes every thousand findings.
func BenchmarkProject(b *testing.B) {
	recs := recordtest.Records(b, 1, 200_000)
	b.Run("ours", func(b *testing.B) { write(b, recs, 40_000) })
	b.Run("naive", func(b *testing.B) { write(b, recs[:20_000], 1000) })
}

func write(b *testing.B, recs []bus.Record, each int) {
	b.Helper()
	for b.Loop() {
		p := projector.New(deps(clickhousetest.Open(b), &letters{}, prometheus.NewRegistry()))
		m := recordtest.Start(b)
		for at := 0; at < len(recs); at += each {
			if err := p.Handle(b.Context(), recs[at:min(at+each, len(recs))]); err != nil {
				b.Fatal(err)
			}
		}
		m.Stop(len(recs))
	}
}

// BenchmarkConsume is BenchmarkProject with the embedded broker before it: from
// bytes on the topic to committed offsets.
func BenchmarkConsume(b *testing.B) {
	recs := recordtest.Records(b, 1, 200_000)
	for b.Loop() {
		bb := bustest.New(b)
		bustest.Produce(b, bb, recs...)
		p := projector.New(deps(clickhousetest.Open(b), &letters{}, prometheus.NewRegistry()))
		var done atomic.Int64
		m := recordtest.Start(b)
		stop := bustest.Run(b, "projector", bb.Consumer(bus.ConsumerConfig{Group: bus.GroupProjector, Topics: projector.Topics()}, bus.HandlerFunc(func(ctx context.Context, batch []bus.Record) error {
			err := p.Handle(ctx, batch)
			done.Add(int64(len(batch)))
			return err
		})).Run)
		bustest.Eventually(b, "all records projected", func() bool { return done.Load() >= int64(len(recs)) })
		m.Stop(len(recs))
		stop()
	}
}
