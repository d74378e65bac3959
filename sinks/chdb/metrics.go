package chdb

import "github.com/prometheus/client_golang/prometheus"

type outcome string

const (
	outcomeOK        outcome = "ok"
	outcomeFailed    outcome = "failed"    // the engine gave an error
	outcomeRefused   outcome = "refused"   // not a statement this engine runs
	outcomeCancelled outcome = "cancelled" // the caller went away
)

type metrics struct {
	statements  *prometheus.CounterVec
	connections prometheus.Gauge
	discarded   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		statements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_chdb_statements_total", Help: "Statements given to the embedded ClickHouse, by how they ended.",
		}, []string{"outcome"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "stalker_chdb_connections_busy", Help: "Connections of the embedded ClickHouse that are running a statement.",
		}),
		discarded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stalker_chdb_connections_discarded_total", Help: "Connections of the embedded ClickHouse closed after an error.",
		}),
	}
	for _, o := range []outcome{outcomeOK, outcomeFailed, outcomeRefused, outcomeCancelled} {
		m.statements.WithLabelValues(string(o))
	}
	reg.MustRegister(m.statements, m.connections, m.discarded)
	return m
}

func (m *metrics) ended(o outcome) { m.statements.WithLabelValues(string(o)).Inc() }
