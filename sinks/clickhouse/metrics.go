package clickhouse

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

type metrics struct {
	rows    *prometheus.CounterVec
	inserts *prometheus.HistogramVec
	reads   *prometheus.HistogramVec
	steps   *prometheus.CounterVec
	refused prometheus.Counter
}

// questions are the values of the label of read times.
var questions = []string{"domains", "hosts", "ip_ranges", "ports", "websites", "findings", "executions", "logs", "counts"}

func newMetrics(reg prometheus.Registerer) *metrics {
	buckets := prometheus.ExponentialBuckets(0.001, 2, 15) // to 16 s
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_clickhouse_rows_written_total", Help: "Rows the store has acknowledged, by table.",
		}, []string{"table"}),
		inserts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_clickhouse_insert_seconds", Help: "Time of one INSERT, by table.", Buckets: buckets,
		}, []string{"table"}),
		reads: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_clickhouse_read_seconds", Help: "Time to answer one question, by what was asked for.", Buckets: buckets,
		}, []string{"question"}),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stalker_clickhouse_schema_steps_total", Help: "Steps of schema migrations, by outcome.",
		}, []string{"outcome"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "stalker_clickhouse_reads_refused_total", Help: "Questions that were told to come again, because too many were asked at once.",
		}),
	}
	for _, t := range schema.Tables() {
		m.rows.WithLabelValues(t.Name)
		m.inserts.WithLabelValues(t.Name)
	}
	for _, q := range questions {
		m.reads.WithLabelValues(q)
	}
	for _, o := range []string{"applied", "skipped"} {
		m.steps.WithLabelValues(o)
	}
	reg.MustRegister(m.rows, m.inserts, m.reads, m.steps, m.refused)
	return m
}
