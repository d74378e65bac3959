package notify

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	events   prometheus.Counter
	attempts *prometheus.CounterVec
	failures prometheus.Counter
}

// Ends of attempts to send a message.
const (
	endDelivered = "delivered"
	endRetried   = "retried"
	endFailed    = "failed"
)

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stalker_notify_events_total", Help: "Changes and findings that notifications told somebody about.",
		}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_notify_attempts_total", Help: "Attempts to send a message, by how they ended: delivered, retried, failed (given up).",
		}, []string{"end"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stalker_notify_failures_total", Help: "Times it could not be found out what happened, or be kept.",
		}),
	}
	reg.MustRegister(m.events, m.attempts, m.failures)
	for _, end := range []string{endDelivered, endRetried, endFailed} {
		m.attempts.WithLabelValues(end)
	}
	return m
}
