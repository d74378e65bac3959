package engine

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	findings   prometheus.Counter
	verdicts   *prometheus.CounterVec
	requests   prometheus.Counter
	derived    prometheus.Counter
	unreadable prometheus.Counter
	rules      prometheus.Gauge
	broken     prometheus.Gauge
	compiling  prometheus.Histogram
	triggers   *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_matcher_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_matcher_" + name, Help: help})
	}
	m := &metrics{
		findings:   counter("findings_total", "Findings matched against the subscriptions."),
		requests:   counter("job_requests_total", "Jobs asked for."),
		derived:    counter("derived_findings_total", "Websites derived from names and HTTP ports."),
		unreadable: counter("unreadable_state_records_total", "State records that were not understood when state was restored."),
		rules:      gauge("rules", "Subscriptions that take part."),
		broken:     gauge("broken_subscriptions", "Subscriptions with problems."),
		compiling: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stalker_matcher_compile_seconds", Help: "How long compiling all subscriptions took.", Buckets: []float64{.001, .01, .1, 1, 10},
		}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_matcher_verdicts_total", Help: "What became of subscriptions that reacted to a finding's key.",
		}, []string{"stage", "reason"}),
		triggers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "stalker_matcher_triggers", Help: "Triggers remembered for cooldowns.",
		}, []string{"partition"}),
	}
	reg.MustRegister(m.findings, m.requests, m.derived, m.unreadable, m.rules, m.broken, m.compiling, m.verdicts, m.triggers)
	for stage, reasons := range verdicts() {
		for _, r := range reasons {
			m.verdicts.WithLabelValues(string(stage), string(r))
		}
	}
	return m
}

func (m *metrics) verdict(s Stage, r Reason) {
	m.verdicts.WithLabelValues(string(s), string(r)).Inc()
}
