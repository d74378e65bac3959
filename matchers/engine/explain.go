package engine

import (
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Decision is what became of one subscription for one finding.
type Decision struct {
	Rule    *rule.Rule
	Stage   Stage // the one that decided
	Reason  Reason
	Detail  string              // for people
	Request pipeline.JobRequest // when Reason is Fired
}

// Explain returns what would become of every subscription that reacts to the
// finding's key, were the finding to come now on partition n. It runs the stages
// Handle runs, and changes nothing.
func (e *Engine) Explain(n int32, f *pipeline.Finding) []Decision {
	rules := e.ruleSet()
	reacting := rules.set.Reacting(f)
	e.mu.Lock()
	defer e.mu.Unlock()
	state := e.parts[n]
	if state == nil {
		state = newPartition() // not ours: as if nothing had fired
	}
	c := candidate{engine: e, finding: f, state: state, control: rules.position}
	out := make([]Decision, 0, len(reacting))
	for _, c.rule = range reacting {
		d := Decision{Rule: c.rule}
		d.Stage, d.Reason = c.judge()
		d.Detail = c.detail(d.Reason)
		if d.Reason == Fired {
			d.Request = c.request()
		}
		out = append(out, d)
	}
	return out
}

// detail puts a reason into a sentence.
func (c *candidate) detail(r Reason) string {
	switch r {
	case Disabled:
		return "the subscription is switched off"
	case Blocked, Merged:
		return c.leftAlone()
	case UnknownProject:
		return fmt.Sprintf("there is no project %s", c.finding.ProjectID)
	case OutOfScope:
		t := pipeline.TargetOf(c.finding, c.state.names(c.finding))
		return c.verdict.Sentence(&t)
	case NotMet:
		return rule.FirstFailure(c.rule.Trace(c.finding))
	case TooDeep:
		return fmt.Sprintf("%d executions led here, %d may follow from one another", c.finding.Depth, c.engine.cfg.MaxDepth)
	case NoJob:
		return fmt.Sprintf("no job is named %q", c.rule.Job)
	case BadParameters:
		return c.err.Error()
	case Cooling:
		last := c.state.triggers.Last(c.trigger)
		return fmt.Sprintf("it fired at %s and may again at %s", last.Format(time.RFC3339), last.Add(c.rule.Cooldown).Format(time.RFC3339))
	case OverBudget:
		return fmt.Sprintf("%d executions follow from the root %s, %d may", c.engine.spent(c.finding.RootID), c.finding.RootID, c.engine.cfg.MaxPerRoot)
	case TooOften:
		return fmt.Sprintf("%d executions were aimed at %s within %s, no more may be", c.engine.cfg.MaxPerTarget, c.finding.PartitionKey(), c.engine.cfg.TargetWindow)
	default:
		return ""
	}
}
