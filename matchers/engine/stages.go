package engine

import (
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Stage names a step that can stop a subscription from firing.
type Stage string

// The stages, in their order.
const (
	StageEnabled    Stage = "enabled"
	StageMarks      Stage = "marks"
	StageScope      Stage = "scope"
	StageConditions Stage = "conditions"
	StageDepth      Stage = "depth"
	StageJob        Stage = "job"
	StageParameters Stage = "parameters"
	StageCooldown   Stage = "cooldown"
	StageBudget     Stage = "budget"
	StageRate       Stage = "rate"
	StageFire       Stage = "fire"
)

// Reason says how a stage decided; each belongs to one stage. "" passes on.
type Reason string

// The reasons. Every one but Fired stops the subscription for this finding.
const (
	Disabled       Reason = "disabled"
	Blocked        Reason = "blocked" // a person keeps automation away from the resource, or from all that is below another
	Merged         Reason = "merged"  // the website is another name of one that is scanned
	UnknownProject Reason = "unknown_project"
	OutOfScope     Reason = "out_of_scope" // the project's lists, or a special-purpose address it does not list
	NotMet         Reason = "not_met"
	TooDeep        Reason = "too_deep"
	NoJob          Reason = "no_job"
	BadParameters  Reason = "bad_parameters"
	Cooling        Reason = "cooling"
	OverBudget     Reason = "over_budget" // its root started too much already
	TooOften       Reason = "too_often"   // its target was aimed at too often lately
	Fired          Reason = "fired"
)

// reasons lists which reasons each stage gives, for metrics.
func reasons() map[Stage][]Reason {
	return map[Stage][]Reason{
		StageEnabled: {Disabled}, StageMarks: {Blocked, Merged}, StageScope: {UnknownProject, OutOfScope}, StageConditions: {NotMet}, StageDepth: {TooDeep},
		StageJob: {NoJob}, StageParameters: {BadParameters}, StageCooldown: {Cooling},
		StageBudget: {OverBudget}, StageRate: {TooOften}, StageFire: {Fired},
	}
}

// stage judges a candidate. What it finds out for later stages it leaves in the
// candidate; it changes nothing else.
type stage struct {
	name  Stage
	judge func(*candidate) Reason
}

// chain is every stage in its order: the cheap ones first, those that allocate last.
func chain() []stage { return stages[:] }

var stages = [...]stage{
	{StageEnabled, enabled},
	{StageMarks, left},
	{StageScope, scope},
	{StageConditions, conditions},
	{StageDepth, depth},
	{StageJob, job},
	{StageParameters, parameters},
	{StageCooldown, cooling},
	{StageBudget, budget},
	{StageRate, rate},
	{StageFire, func(*candidate) Reason { return Fired }},
}

// candidate is a subscription that reacts to the key of a finding.
type candidate struct {
	engine  *Engine
	rule    *rule.Rule
	finding *pipeline.Finding
	state   *partition
	control int64 // what the rules know of the control plane

	marked  bool   // the marks were judged, for every rule of this finding
	mark    Reason // and so
	by      string // by what was decided about this
	scoped  bool   // scope was judged, for every rule of this finding
	scope   Reason // and so
	verdict pipeline.ScopeVerdict
	args    []pipeline.Argument
	part    string // the discriminator's value
	trigger string
	at      time.Time
	past    bool  // at is when the finding came, and all that fired is in state
	err     error // why the parameters are bad
}

// judge runs the stages until one stops the candidate.
func (c *candidate) judge() (Stage, Reason) {
	for _, s := range chain() {
		if reason := s.judge(c); reason != "" {
			return s.name, reason
		}
	}
	return StageFire, Fired
}

func enabled(c *candidate) Reason {
	if !c.rule.Enabled {
		return Disabled
	}
	return ""
}

func conditions(c *candidate) Reason {
	if !c.rule.Holds(c.finding) {
		return NotMet
	}
	return ""
}

// depth counts the executions from the root to this finding: the one asked for
// would be the next.
func depth(c *candidate) Reason {
	if c.finding.Depth >= c.engine.cfg.MaxDepth {
		return TooDeep
	}
	return ""
}

func job(c *candidate) Reason {
	if _, ok := c.engine.catalog.Job(c.rule.Job); !ok {
		return NoJob
	}
	return ""
}

func parameters(c *candidate) Reason {
	if c.args, c.err = c.rule.Arguments(c.finding); c.err != nil {
		return BadParameters
	}
	c.part = c.rule.Discriminator(c.finding)
	return ""
}
