package engine

import (
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/pipeline"
)

// cooling asks whether the subscription fired lately for this resource and
// discriminator.
func cooling(c *candidate) Reason {
	c.trigger = cooldown.Key(c.rule.ID, c.finding.CorrelationKey, c.part)
	if !c.past {
		c.at = c.engine.now().UTC().Truncate(time.Millisecond)
	}
	if !cooldown.Decide(c.state.triggers.Last(c.trigger), c.at, c.rule.Cooldown).Fires() {
		return Cooling
	}
	return ""
}

// request is what a candidate that fired asks for. Its id follows from the rule, the
// finding and the resource, so asking again asks for the same execution. Control is
// what the launcher must know, or it might look for the job too early.
func (c *candidate) request() pipeline.JobRequest {
	r, f := c.rule, c.finding
	return pipeline.JobRequest{
		ID:        executionID(r.ID, r.Version, f, c.part),
		ProjectID: f.ProjectID, Job: r.Job, Arguments: c.args, Priority: pipeline.PriorityAutomation, At: c.at,
		Target: f.CorrelationKey, Control: max(f.Control, c.control),
		Cause: pipeline.Cause{
			SubscriptionID: r.ID, SubscriptionName: r.Name, FindingID: f.ID, ParentID: f.ExecutionID,
			RootID: f.RootID, Depth: f.Depth,
		},
	}
}

func executionID(subscription string, version int64, f *pipeline.Finding, part string) string {
	return pipeline.DeriveID("execution", subscription, strconv.FormatInt(version, 10), f.CorrelationKey, part, f.ID)
}
