package engine

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	findings   prometheus.Counter
	verdicts   map[Reason]prometheus.Counter
	requests   prometheus.Counter
	derived    prometheus.Counter
	unjoined   *prometheus.CounterVec
	unreadable prometheus.Counter
	rules      prometheus.Gauge
	unindexed  prometheus.Gauge
	broken     prometheus.Gauge
	compiling  prometheus.Histogram
	triggers   *prometheus.GaugeVec
	hosts      *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_matcher_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_matcher_" + name, Help: help})
	}
	perPartition := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "stalker_matcher_" + name, Help: help}, []string{"partition"})
	}
	m := &metrics{
		findings:   counter("findings_total", "Findings matched against the subscriptions."),
		requests:   counter("job_requests_total", "Jobs asked for."),
		derived:    counter("derived_findings_total", "Websites derived from names and HTTP ports."),
		unreadable: counter("unreadable_state_records_total", "State records that were not understood when state was restored."),
		rules:      gauge("rules", "Subscriptions that take part."),
		unindexed:  gauge("unindexed_rules", "Rules without a condition to find them by: each costs time for every finding of its keys."),
		broken:     gauge("broken_subscriptions", "Subscriptions with problems."),
		compiling: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stalker_matcher_compile_seconds", Help: "How long making the rule set took after a change.", Buckets: []float64{.001, .01, .1, 1, 10},
		}),
		unjoined: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_matcher_unjoined_total", Help: "Names and HTTP ports not joined into websites because their host has too many.",
		}, []string{"what"}),
		triggers: perPartition("triggers", "Triggers remembered for cooldowns."),
		hosts:    perPartition("hosts", "Hosts whose names or HTTP ports are remembered."),
		verdicts: map[Reason]prometheus.Counter{},
	}
	verdicts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "stalker_matcher_verdicts_total", Help: "What became of subscriptions that reacted to a finding's key.",
	}, []string{"stage", "reason"})
	reg.MustRegister(m.findings, verdicts, m.requests, m.derived, m.unjoined, m.unreadable, m.rules, m.unindexed, m.broken, m.compiling, m.triggers, m.hosts)
	for stage, list := range reasons() {
		for _, r := range list {
			m.verdicts[r] = verdicts.WithLabelValues(string(stage), string(r))
		}
	}
	m.unjoined.WithLabelValues("name")
	m.unjoined.WithLabelValues("port")
	return m
}

// remember shows how much is kept for a partition.
func (m *metrics) remember(n int32, p *partition) {
	label := strconv.Itoa(int(n))
	m.triggers.WithLabelValues(label).Set(float64(p.triggers.Len()))
	m.hosts.WithLabelValues(label).Set(float64(len(p.hosts)))
}

func (m *metrics) forget(n int32) {
	m.triggers.DeleteLabelValues(strconv.Itoa(int(n)))
	m.hosts.DeleteLabelValues(strconv.Itoa(int(n)))
}
