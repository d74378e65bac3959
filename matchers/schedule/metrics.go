package schedule

import "github.com/prometheus/client_golang/prometheus"

// Outcome says what became of a tick, for a project of it, or of one resource.
type Outcome string

// The outcomes.
const (
	Started     Outcome = "started"      // a job was asked for
	Disabled    Outcome = "disabled"     // the subscription is gone or switched off
	Repeated    Outcome = "repeated"     // the tick was handled already
	Missed      Outcome = "missed"       // nobody was there in time, and nothing makes up for it
	Overlapping Outcome = "overlapping"  // what an earlier tick started is not finished
	NoJob       Outcome = "no_job"       // no job has the name
	Cooling     Outcome = "cooling"      // it started lately for this project or resource
	OutOfScope  Outcome = "out_of_scope" // the project's lists, or a special-purpose address
	Blocked     Outcome = "blocked"      // a person blocked the resource
	Merged      Outcome = "merged"       // a website that is another name of one
	TooNew      Outcome = "too_new"      // it was found after the tick
	Fresh       Outcome = "fresh"        // what is expected of it is there
	NotMet      Outcome = "not_met"      // the conditions do not hold
	BadValues   Outcome = "bad_parameters"
	Failed      Outcome = "failed" // the store did not answer, or refused the filter
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{
		Started, Disabled, Repeated, Missed, Overlapping, NoJob, Cooling, OutOfScope, Blocked, Merged, TooNew, Fresh, NotMet, BadValues, Failed,
	}
}

type metrics struct {
	leader     prometheus.Gauge
	rules      prometheus.Gauge
	outcomes   *prometheus.CounterVec
	lateness   prometheus.Histogram
	unreadable prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		leader:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_scheduler_leader", Help: "1 in the replica that leads, 0 in the others."}),
		rules:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "stalker_scheduler_subscriptions", Help: "Cron and reconcile subscriptions that take part."}),
		outcomes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_scheduler_outcomes_total", Help: "What became of ticks and of the resources they met."}, []string{"outcome"}),
		lateness:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "stalker_scheduler_lateness_seconds", Help: "How long after its time a tick was handled.", Buckets: []float64{1, 2, 5, 15, 60, 600, 3600}}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{Name: "stalker_scheduler_unreadable_state_records_total", Help: "State records that were not understood when state was restored."}),
	}
	reg.MustRegister(m.leader, m.rules, m.outcomes, m.lateness, m.unreadable)
	for _, o := range Outcomes() {
		m.outcomes.WithLabelValues(string(o))
	}
	return m
}
