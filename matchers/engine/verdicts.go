package engine

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// note keeps the verdict of a stage that will not know it later: that it fired, or
// what a guard knew. Whether conditions hold can be asked again at any time. A finding
// may come twice, with the same id, when a kill has its sender repeat it: that the second
// meets the trigger that the first has spent is no news, and would hide that it fired.
func (b *batch) note(c *candidate, s Stage, r Reason) {
	switch {
	case r == NotMet || r == Disabled || b.written >= b.engine.cfg.MaxVerdicts:
		return
	case r == Cooling && c.state.triggers.SpentBy(c.trigger, mark(c.finding)):
		return
	}
	v := pipeline.Verdict{
		SubscriptionID: c.rule.ID, Name: c.rule.Name, Version: c.rule.Version, Stage: string(s), Reason: string(r), Detail: c.detail(r),
	}
	if r == Fired {
		v.ExecutionID = executionID(c.rule.ID, c.rule.Version, c.finding, c.part)
	}
	b.noted = append(b.noted, v)
}

// record writes down what was noted about a finding.
func (b *batch) record(f *pipeline.Finding) {
	if len(b.noted) == 0 {
		return
	}
	v, err := record.Encode(pipeline.Verdicts{FindingID: f.ID, ProjectID: f.ProjectID, At: b.engine.now().UTC().Truncate(time.Millisecond), List: b.noted})
	b.noted = b.noted[:0]
	if err != nil { // texts and times: never fails
		b.engine.log.Error("verdicts cannot be written", "finding", f.ID, "err", err)
		return
	}
	b.add(bus.Record{Topic: bus.TopicVerdicts, Key: []byte(f.ID), Value: v})
	b.written++
}
