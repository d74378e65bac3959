package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
)

type metrics struct {
	requests *prometheus.CounterVec
	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

const codeOK = "ok"

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_gateway_requests_total", Help: "Requests of jobs, by what became of them."}, []string{"kind", "code"}),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_gateway_accepted_items_total", Help: "Findings and log lines stored on the bus."}, []string{"kind"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_gateway_rejected_items_total", Help: "Findings and log lines refused, with their reason told to the job."}, []string{"kind"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_gateway_request_seconds", Help: "How long a request took, acknowledgement of the bus included.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 30},
		}, []string{"kind"}),
	}
	reg.MustRegister(m.requests, m.accepted, m.rejected, m.seconds)
	for _, kind := range []string{kindFindings, kindLogs, kindReference} {
		m.accepted.WithLabelValues(kind)
		m.rejected.WithLabelValues(kind)
		m.requests.WithLabelValues(kind, codeOK)
		for _, c := range pipeline.Codes() {
			m.requests.WithLabelValues(kind, string(c))
		}
	}
	return m
}

func (m *metrics) request(kind string, code pipeline.Code, took time.Duration) {
	if code == "" {
		code = codeOK
	}
	m.requests.WithLabelValues(kind, string(code)).Inc()
	m.seconds.WithLabelValues(kind).Observe(took.Seconds())
}

func (m *metrics) items(kind string, a answer) {
	m.accepted.WithLabelValues(kind).Add(float64(a.Accepted))
	m.rejected.WithLabelValues(kind).Add(float64(len(a.Rejected)))
}
