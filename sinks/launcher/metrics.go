package launcher

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
)

type metrics struct {
	pending    prometheus.Gauge
	waited     prometheus.Histogram
	ran        *prometheus.HistogramVec
	ended      *prometheus.CounterVec
	repeated   prometheus.Counter
	unreadable prometheus.Counter
	dropped    prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_launcher_" + name, Help: help})
	}
	m := &metrics{
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_launcher_pending_executions", Help: "Executions waiting for a slot."}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stalker_launcher_wait_seconds", Help: "From the request to the start of an execution.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 30, 120, 600, 3600},
		}),
		ran: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_launcher_run_seconds", Help: "How long executions ran, by how they ended.",
			Buckets: []float64{.1, .5, 1, 5, 15, 60, 300, 1800, 3600},
		}, []string{"state"}),
		ended:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_launcher_ended_executions_total", Help: "Executions that reached an end."}, []string{"state", "reason"}),
		repeated:   counter("repeated_requests_total", "Requests for an execution that runs or has ended; they start nothing."),
		unreadable: counter("unreadable_records_total", "Requests and events that were not understood."),
		dropped:    counter("dropped_log_lines_total", "Output lines beyond an execution's limit, or not taken by the bus."),
	}
	reg.MustRegister(m.pending, m.waited, m.ran, m.ended, m.repeated, m.unreadable, m.dropped)
	m.ended.WithLabelValues(string(pipeline.StateSucceeded), "")
	for _, s := range pipeline.States() {
		if s.Ended() {
			m.ran.WithLabelValues(string(s))
		}
	}
	return m
}
