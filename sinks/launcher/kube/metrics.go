package kube

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	created prometheus.Histogram
	calls   *prometheus.CounterVec
	adopted prometheus.Counter
	streams prometheus.Gauge
}

// Kinds of calls that failed and were tried again.
const (
	callCreate = "create"
	callDelete = "delete"
	callLogs   = "logs"
	callWatch  = "watch"
)

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		created: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stalker_kube_create_seconds", Help: "How long it took to create a Job and its Secret.",
			Buckets: []float64{.005, .01, .02, .05, .1, .2, .5, 1, 5, 30},
		}),
		calls:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_kube_failed_calls_total", Help: "Calls that the API server did not answer well."}, []string{"call"}),
		adopted: prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_kube_adopted_jobs_total", Help: "Jobs found at work that another life of the launcher had created."}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_kube_log_streams", Help: "Pods whose log is being followed."}),
	}
	reg.MustRegister(m.created, m.calls, m.adopted, m.streams)
	for _, c := range []string{callCreate, callDelete, callLogs, callWatch} {
		m.calls.WithLabelValues(c)
	}
	return m
}
