package schema

import (
	"errors"
	"fmt"
	"regexp"
)

// Retention says for how many days rows are kept, by what they are; 0 means forever.
// Resources are always kept.
type Retention struct {
	// Findings is how long findings are kept, in days.
	Findings int `yaml:"findings"`
	// History is how long it is kept what became of resources, in days. What was before
	// is then not known any more, also of resources that have not changed since.
	History int `yaml:"history"`
	// Executions is how long executions are kept, in days, with what they were asked.
	Executions int `yaml:"executions"`
	// Logs is how long the log lines of executions are kept, in days.
	Logs int `yaml:"logs"`
	// Verdicts is for how many days it is kept why a guard let a subscription start
	// something for a finding, or did not. What conditions say can be asked at any time.
	Verdicts int `yaml:"verdicts"`
}

// DefaultRetention keeps a year of findings and executions, three months of logs and verdicts, and
// the history forever: a resource that never changes has one row of it.
func DefaultRetention() Retention {
	return Retention{Findings: 365, Executions: 365, Logs: 90, Verdicts: 90}
}

// longest is a hundred years: what is longer is a mistake.
const longest = 36500

// Validate reports every problem.
func (r *Retention) Validate() error {
	var errs []error
	for _, x := range []struct {
		key  string
		days int
	}{{"findings", r.Findings}, {"history", r.History}, {"executions", r.Executions}, {"logs", r.Logs}, {"verdicts", r.Verdicts}} {
		if x.days < 0 || x.days > longest {
			errs = append(errs, fmt.Errorf("%s is %d days, must be 0 (forever) to %d", x.key, x.days, longest))
		}
	}
	return errors.Join(errs...)
}

// lateness is for how many days a record may still come that is held against sweeps:
// twice as long as topics keep records.
const lateness = 60

// Keep returns the tables with their rows kept as long as r says.
func Keep(tables []Table, r Retention) []Table {
	days := map[string]int{
		findings.Name: r.Findings, findingIDs.Name: r.Findings, changes.Name: r.History, executions.Name: r.Executions, logs.Name: r.Logs, verdicts.Name: r.Verdicts,
	}
	if r.Findings > 0 {
		days[sweeps.Name] = max(r.Findings, lateness)
	}
	out := make([]Table, len(tables))
	for i, t := range tables {
		t.Days = days[t.Name]
		out[i] = t
	}
	return out
}

// ttl is the expression of when a row goes, "" for never, as the server writes it.
func (t *Table) ttl() string {
	if t.Days == 0 || t.Age == "" {
		return ""
	}
	return fmt.Sprintf("toDateTime(%s) + toIntervalDay(%d)", t.Age, t.Days)
}

// forget returns what makes the table forget as it should; have is how it does now.
func (t *Table) forget(have string) []string {
	switch want := t.ttl(); {
	case have == want:
		return nil
	case want == "":
		return []string{t.alter() + " REMOVE TTL"}
	default:
		return []string{t.alter() + " MODIFY TTL " + want}
	}
}

// ttlForm finds the expression in what the server says of a table's engine.
var ttlForm = regexp.MustCompile(` TTL (.*?)(?: SETTINGS |$)`)

func ttlOf(engine string) string {
	if m := ttlForm.FindStringSubmatch(engine); m != nil {
		return m[1]
	}
	return ""
}
