package catalog

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	position   prometheus.Gauge
	unreadable prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		position:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_catalog_position_offset", Help: "Offset after the last control-plane change that was applied."}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_catalog_unreadable_records_total", Help: "Control-plane changes that were not understood and passed over."}),
	}
	reg.MustRegister(m.position, m.unreadable)
	return m
}
