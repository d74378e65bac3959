package bus

import "github.com/prometheus/client_golang/prometheus"

// Reasons for which a consumer closes a batch.
const (
	closedBySize = "size"
	closedByAge  = "age"
	closedByIdle = "idle"
)

type metrics struct {
	produced    *prometheus.CounterVec
	produceErrs *prometheus.CounterVec
	consumed    *prometheus.CounterVec
	batches     *prometheus.CounterVec
	handling    *prometheus.HistogramVec
	retries     *prometheus.CounterVec
	commits     *prometheus.CounterVec
	aborts      *prometheus.CounterVec
	dead        *prometheus.CounterVec
	restoring   *prometheus.HistogramVec
	outstanding *prometheus.GaugeVec
	lag         *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_bus_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_bus_" + name, Help: help,
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 30},
		}, []string{"group"})
		reg.MustRegister(h)
		return h
	}
	m := &metrics{
		produced:    counter("produced_records_total", "Records acknowledged by the brokers.", "topic"),
		produceErrs: counter("produce_failures_total", "Records the brokers did not acknowledge.", "topic"),
		consumed:    counter("consumed_records_total", "Records given to a handler.", "group"),
		batches:     counter("batches_total", "Batches given to a handler, by what closed them.", "group", "closed_by"),
		handling:    seconds("handle_seconds", "How long handling a batch took."),
		retries:     counter("retries_total", "Batches handled again after a passing failure.", "group"),
		commits:     counter("commits_total", "Offset commits and committed transactions.", "group"),
		aborts:      counter("aborted_transactions_total", "Transactions that were aborted; their batch comes again.", "group"),
		dead:        counter("dead_letters_total", "Records nobody could handle.", "group"),
		restoring:   seconds("restore_seconds", "How long rebuilding state after an assignment took."),
	}
	m.outstanding = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "stalker_bus_queue_unfinished_records", Help: "Records taken from a queue and not finished.",
	}, []string{"group"})
	m.lag = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "stalker_bus_lag_records", Help: "Records of a topic that a group has not committed.",
	}, []string{"group", "topic"})
	reg.MustRegister(m.outstanding, m.lag)
	for _, t := range Topics() {
		m.produced.WithLabelValues(t.Name)
		m.produceErrs.WithLabelValues(t.Name)
	}
	for _, g := range Groups() {
		for _, v := range []*prometheus.CounterVec{m.consumed, m.retries, m.commits, m.aborts, m.dead} {
			v.WithLabelValues(g)
		}
	}
	return m
}
