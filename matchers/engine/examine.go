package engine

import (
	"fmt"

	"github.com/stalker-asm/stalker/pipeline"
)

// Examine explains every subscription that reacts to a stored finding's key. What
// was recorded when the finding came decides; the rest is worked out now by the
// stages that Handle runs. names are the domains that resolve to the finding's
// address. It works without any partition, in any process.
func (e *Engine) Examine(f *pipeline.Finding, names []string, recorded []pipeline.StoredVerdict) []pipeline.Explanation {
	rules := e.ruleSet()
	then := map[string]*pipeline.StoredVerdict{}
	for i := range recorded {
		v := &recorded[i]
		if was := then[v.SubscriptionID]; was == nil || was.Reason != string(Fired) { // of two, the one that did something
			then[v.SubscriptionID] = v
		}
	}
	state := newPartition()
	for _, name := range names {
		state.host(hostKey(f)).domains[name] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c := candidate{engine: e, finding: f, state: state, control: rules.position}
	out := []pipeline.Explanation{}
	for _, c.rule = range rules.set.Reacting(f) {
		out = append(out, c.examine(then[c.rule.ID]))
		delete(then, c.rule.ID)
	}
	for i := range recorded { // of subscriptions that are no more, or no longer about such findings
		if v := &recorded[i]; then[v.SubscriptionID] == v {
			out = append(out, bygone(v))
		}
	}
	return out
}

func (c *candidate) examine(then *pipeline.StoredVerdict) pipeline.Explanation {
	x := pipeline.Explanation{
		SubscriptionID: c.rule.ID, Name: c.rule.Name, Version: c.rule.Version, Outcome: pipeline.OutcomeUnrecorded,
		Conditions: c.rule.Trace(c.finding), Steps: []pipeline.ExplainedStep{},
	}
	if args, err := c.rule.Arguments(c.finding); err == nil {
		x.Parameters = rawParameters(args)
	}
	x.Discriminator = c.rule.Discriminator(c.finding)
	for _, s := range chain() {
		step, ends := c.step(s, then)
		if x.Steps = append(x.Steps, step); ends {
			x.Outcome, x.Stage, x.Reason, x.Detail = step.Verdict, step.Stage, step.Reason, step.Detail
			break
		}
	}
	if then != nil {
		x.RecordedAt, x.RecordedVersion, x.ExecutionID = &then.At, then.Version, then.ExecutionID
	} else if x.Outcome == pipeline.OutcomeUnrecorded {
		x.Detail = "nothing stops it now, and nothing was recorded when the finding came: the subscription, its job or the scope is newer than the finding, or the record is gone"
	}
	return x
}

// step is a stage's verdict; ends says that it decides.
func (c *candidate) step(s stage, then *pipeline.StoredVerdict) (step pipeline.ExplainedStep, ends bool) {
	step = pipeline.ExplainedStep{Stage: string(s.name), Verdict: pipeline.OutcomePassed, Recorded: then != nil}
	switch {
	case then != nil && then.Stage == string(s.name):
		if step.Verdict, step.Reason, step.Detail = pipeline.OutcomeStopped, then.Reason, then.Detail; then.Reason == string(Fired) {
			step.Verdict = pipeline.OutcomeFired
		}
		return step, true
	case then != nil:
		return step, false // it came further than this
	case !s.timeless():
		step.Verdict = pipeline.OutcomeUnknown
		return step, false
	}
	if r := s.judge(c); r != "" {
		step.Verdict, step.Reason, step.Detail = pipeline.OutcomeStopped, string(r), c.detail(r)
		return step, true
	}
	return step, false
}

// timeless reports whether the stage judges by the finding and the control plane
// alone, not by what happened before.
func (s *stage) timeless() bool {
	switch s.name {
	case StageCooldown, StageBudget, StageRate, StageFire:
		return false
	default:
		return true
	}
}

func bygone(v *pipeline.StoredVerdict) pipeline.Explanation {
	x := pipeline.Explanation{
		SubscriptionID: v.SubscriptionID, Name: v.Name, Version: v.Version, Outcome: pipeline.OutcomeStopped, Stage: v.Stage, Reason: v.Reason,
		Detail: v.Detail, RecordedAt: &v.At, RecordedVersion: v.Version, ExecutionID: v.ExecutionID, Steps: []pipeline.ExplainedStep{},
	}
	if v.Reason == string(Fired) {
		x.Outcome = pipeline.OutcomeFired
	}
	x.Steps = append(x.Steps, pipeline.ExplainedStep{Stage: v.Stage, Verdict: x.Outcome, Reason: v.Reason, Detail: v.Detail, Recorded: true})
	if x.Detail == "" {
		x.Detail = fmt.Sprintf("version %d of it; it is gone, or no longer about such findings", v.Version)
	}
	return x
}
