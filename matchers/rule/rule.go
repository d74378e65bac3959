// Package rule is the subscription language: a document is parsed, every problem
// found, and compiled to an immutable Rule that matches findings. RULES.md beside
// this file is the language; the code follows it.
//
// Nothing here does I/O, logs, or knows the time.
package rule

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// Trigger is what makes a subscription look.
type Trigger string

// The triggers.
const (
	Event     Trigger = "event"     // a finding
	Cron      Trigger = "cron"      // the time
	Reconcile Trigger = "reconcile" // a resource of which something is not known, or not lately
)

// Document is a subscription as it was written, checked but not compiled.
type Document struct {
	Name          string
	Trigger       Trigger
	Findings      []string // event
	Cooldown      time.Duration
	Discriminator string
	Job           string
	Parameters    []Parameter
	Conditions    []Condition
	Enabled       *bool  // only when the document says so
	ProjectID     string // only when the document says so

	// of cron and reconcile
	Schedule string
	TimeZone string // IANA name; "" is UTC
	Missed   string // Missed…
	Overlap  bool   // may start while what an earlier tick started is not finished
	Input    string
	Filter   string // search text on the input
	Batch    *Batch
	Expect   *Expect // reconcile
}

// What becomes of ticks that nobody was there for.
const (
	MissedOnce = "once" // one run makes up for all of them
	MissedSkip = "skip" // nothing
)

// Expect is what every resource of a reconcile subscription's input should have:
// a finding with the key, not older than MaxAge.
type Expect struct {
	Finding string
	MaxAge  time.Duration
}

// Parameter gives a job's parameter a value, which may hold variables.
type Parameter struct {
	Name  string
	Value any
}

// Batch gathers the resources of a cron subscription.
type Batch struct {
	Enabled bool
	Size    int // 0 means all in one
}

// Condition is a comparison when Operator is set, else a junction of All or Any.
type Condition struct {
	Operator string
	Left     any
	Right    any
	All      []Condition
	Any      []Condition
	Junction string // "and", "or", or "" for a comparison
}

// Rule is a compiled subscription. It is immutable.
type Rule struct {
	ID, Name  string
	Version   int64
	ProjectID string // "" means every project
	Enabled   bool
	Trigger   Trigger
	Findings  []string
	Cooldown  time.Duration
	Job       string

	document      *Document
	parameters    []parameter
	conditions    node
	discriminator vars.Template
	access        [][]posting // the ways to be found in an index
}

type parameter struct {
	name  string
	value vars.Template
}

// Compile makes the rule of a checked document.
func Compile(d *Document, s pipeline.Subscription) *Rule {
	r := &Rule{
		ID: s.ID, Name: d.Name, Version: s.Version, ProjectID: s.ProjectID, Enabled: s.Enabled,
		Trigger: d.Trigger, Findings: d.Findings, Cooldown: d.Cooldown, Job: d.Job, document: d,
		conditions: junction("and", d.Conditions), discriminator: vars.Compile(d.Discriminator),
	}
	for _, p := range d.Parameters {
		r.parameters = append(r.parameters, parameter{p.Name, vars.Compile(p.Value)})
	}
	if d.Trigger == Event {
		r.access = r.conditions.access()
	}
	return r
}

// Document returns what the rule was made of; it must not be changed.
func (r *Rule) Document() *Document { return r.document }

// Reacts reports whether the rule is about findings with this key.
func (r *Rule) Reacts(key string) bool {
	return slices.ContainsFunc(r.Findings, func(p string) bool { return Glob(p, key) })
}

// Holds reports whether the conditions hold for the finding.
func (r *Rule) Holds(f *pipeline.Finding) bool { return r.conditions.holds(f) }

// Discriminator returns the part of the resource for which cooldowns are kept.
func (r *Rule) Discriminator(f *pipeline.Finding) string {
	v := r.discriminator.Eval(f)
	return v.String()
}

// Arguments returns the job's arguments for the finding.
func (r *Rule) Arguments(f *pipeline.Finding) ([]pipeline.Argument, error) {
	args := make([]pipeline.Argument, 0, len(r.parameters))
	for i := range r.parameters {
		p := &r.parameters[i]
		v, err := json.Marshal(p.value.Expand(f))
		if err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "parameter %s: %w", p.name, err)
		}
		args = append(args, pipeline.Argument{Name: p.name, Value: v})
	}
	return args, nil
}
