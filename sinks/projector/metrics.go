package projector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type stage string

const (
	stageDecode stage = "decode"
	stageFold   stage = "fold"
	stageWrite  stage = "write"
)

type metrics struct {
	records  *prometheus.CounterVec
	rejected *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	heard    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_projector_records_total", Help: "Records handled: in the store, or among the dead letters.",
		}, []string{"topic"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_projector_rejected_total", Help: "Records that went to the dead letters.",
		}, []string{"topic"}),
		heard: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stalker_projector_foreign_sweeps_total", Help: "Deletions and looks at ranges that another projector handled and this one heard of.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_projector_batch_seconds", Help: "Time of one batch, by stage.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}, []string{"stage"}),
	}
	for _, t := range Topics() {
		m.records.WithLabelValues(t)
		m.rejected.WithLabelValues(t)
	}
	for _, s := range []stage{stageDecode, stageFold, stageWrite} {
		m.seconds.WithLabelValues(string(s))
	}
	reg.MustRegister(m.records, m.rejected, m.seconds, m.heard)
	return m
}

// took records how long a stage took and returns when the next one begins.
func (m *metrics) took(s stage, start time.Time) time.Time {
	now := time.Now()
	m.seconds.WithLabelValues(string(s)).Observe(now.Sub(start).Seconds())
	return now
}
