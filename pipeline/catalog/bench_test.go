package catalog

import (
	"fmt"
	"log/slog"
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// BenchmarkLoad is what it takes to know 100,000 subscriptions, one change after the
// other; naive is a copy of all of them for each, measured with a tenth of them.
func BenchmarkLoad(b *testing.B) {
	const n = 100_000
	recs := make([]bus.Record, n)
	for i := range recs {
		s := pipeline.Subscription{ID: fmt.Sprintf("%024x", i), Name: "s", Enabled: true, Document: "name: s\nfindings: [PortFinding]\n"}
		c := record.Change{Kind: record.ChangeSubscription, ID: s.ID, Subscription: &s}
		v, err := record.Encode(c)
		if err != nil {
			b.Fatal(err)
		}
		recs[i] = bus.Record{Offset: int64(i), Key: []byte(c.Key()), Value: v}
	}
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			c := New(Deps{Bus: bustest.New(b), Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
			for i := range recs {
				if err := c.apply(recs[i]); err != nil {
					b.Fatal(err)
				}
			}
			if len(c.Subscriptions()) != n {
				b.Fatal("some are missing")
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	})
	b.Run("naive", func(b *testing.B) {
		for b.Loop() {
			all := map[string]pipeline.Subscription{}
			for i := range n / 10 {
				all = maps.Clone(all)
				all[fmt.Sprintf("%024x", i)] = pipeline.Subscription{}
			}
		}
		b.ReportMetric(float64(n/10)*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	})
}
