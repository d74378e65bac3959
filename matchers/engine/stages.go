package engine

import (
	"net/netip"
	"time"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Stage names a step that can stop a subscription from firing.
type Stage string

// The stages, in their order.
const (
	StageEnabled    Stage = "enabled"
	StageScope      Stage = "scope"
	StageConditions Stage = "conditions"
	StageDepth      Stage = "depth"
	StageJob        Stage = "job"
	StageParameters Stage = "parameters"
	StageCooldown   Stage = "cooldown"
	StageFire       Stage = "fire"
)

// Reason says how a stage decided.
type Reason string

// The reasons. Every one but Fired stops the subscription for this finding.
const (
	Fired          Reason = "fired"
	Disabled       Reason = "disabled"
	UnknownProject Reason = "unknown_project"
	OutOfScope     Reason = "out_of_scope" // a special-purpose address the project does not list
	NotMet         Reason = "not_met"
	TooDeep        Reason = "too_deep"
	NoJob          Reason = "no_job"
	BadParameters  Reason = "bad_parameters"
	Cooling        Reason = "cooling"
)

// verdicts lists which reasons each stage gives, for metrics.
func verdicts() map[Stage][]Reason {
	return map[Stage][]Reason{
		StageEnabled: {Disabled}, StageScope: {UnknownProject, OutOfScope}, StageConditions: {NotMet}, StageDepth: {TooDeep},
		StageJob: {NoJob}, StageParameters: {BadParameters}, StageCooldown: {Cooling}, StageFire: {Fired},
	}
}

// Decision is what became of one subscription for one finding.
type Decision struct {
	Rule    *rule.Rule
	Stage   Stage // the one that decided
	Reason  Reason
	Detail  string              // for people, where the reason alone is not enough
	Request pipeline.JobRequest // when Reason is Fired

	trigger string
}

// decide runs the stages. It changes nothing.
func (e *Engine) decide(p *partition, r *rule.Rule, f *pipeline.Finding) Decision {
	stop := func(s Stage, reason Reason, detail string) Decision {
		return Decision{Rule: r, Stage: s, Reason: reason, Detail: detail}
	}
	if !r.Enabled {
		return stop(StageEnabled, Disabled, "")
	}
	if reason, detail := e.scope(f); reason != "" {
		return stop(StageScope, reason, detail)
	}
	if !r.Holds(f) {
		return stop(StageConditions, NotMet, "")
	}
	if f.Depth > e.cfg.MaxDepth {
		return stop(StageDepth, TooDeep, "")
	}
	if _, ok := e.catalog.Job(r.Job); !ok {
		return stop(StageJob, NoJob, "no job is named "+r.Job)
	}
	args, err := r.Arguments(f)
	if err != nil {
		return stop(StageParameters, BadParameters, err.Error())
	}
	part := r.Discriminator(f)
	trigger := cooldown.Key(r.ID, f.CorrelationKey, part)
	now := e.now().UTC().Truncate(time.Millisecond)
	if reason := cooldown.Decide(p.triggers.Last(trigger), now, r.Cooldown); !reason.Fires() {
		return stop(StageCooldown, Cooling, "")
	}
	return Decision{Rule: r, Stage: StageFire, Reason: Fired, trigger: trigger, Request: request(r, f, args, part, now)}
}

func request(r *rule.Rule, f *pipeline.Finding, args []pipeline.Argument, part string, now time.Time) pipeline.JobRequest {
	return pipeline.JobRequest{
		ID:        pipeline.DeriveID("execution", r.ID, f.CorrelationKey, part, f.ID),
		ProjectID: f.ProjectID, Job: r.Job, Arguments: args, Priority: pipeline.PriorityAutomation, At: now,
		Target: f.CorrelationKey, Control: f.Control,
		Cause: pipeline.Cause{
			SubscriptionID: r.ID, SubscriptionName: r.Name, FindingID: f.ID, ParentID: f.ExecutionID,
			RootID: f.RootID, Depth: f.Depth,
		},
	}
}

// scope keeps automation away from addresses that are nobody's on the internet and
// that the project does not list as its own. A finding without an address passes.
func (e *Engine) scope(f *pipeline.Finding) (Reason, string) {
	project, ok := e.catalog.Project(f.ProjectID)
	if !ok {
		return UnknownProject, ""
	}
	if f.IP == "" {
		return "", ""
	}
	addr, err := netip.ParseAddr(f.IP)
	if err != nil {
		return OutOfScope, f.IP + " is no address"
	}
	in := project.MayScan(addr)
	if f.Mask != nil {
		n, err := addr.Prefix(*f.Mask)
		in = err == nil && project.MayScanRange(n)
	}
	if !in {
		return OutOfScope, f.IP + " is a special-purpose address and not among the project's internal networks"
	}
	return "", ""
}

// Explain returns what would become of every subscription that reacts to the
// finding's key, were the finding to come now, on the state of its partition.
func (e *Engine) Explain(n int32, f *pipeline.Finding) []Decision {
	everywhere, project := e.ruleSet().Candidates(f)
	p := e.partition(n)
	out := make([]Decision, 0, len(everywhere)+len(project))
	for _, list := range [2][]*rule.Rule{everywhere, project} {
		for _, r := range list {
			out = append(out, e.decide(p, r, f))
		}
	}
	return out
}
