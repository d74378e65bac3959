package projector

import (
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// verdicts makes a row for each subscription that was judged.
func (f *folder) verdicts(e *entry[pipeline.Verdicts]) error {
	at, err := millis(e.body.At)
	if err != nil {
		return err
	}
	if e.body.FindingID == "" || e.body.ProjectID == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "the verdicts lack their finding or project")
	}
	for _, v := range e.body.List {
		f.out.Verdicts = append(f.out.Verdicts, rows.Verdict{
			ProjectID: e.body.ProjectID, FindingID: e.body.FindingID, SubscriptionID: v.SubscriptionID, At: at, Version: v.Version,
			Name: v.Name, Stage: v.Stage, Reason: v.Reason, Detail: v.Detail, ExecutionID: v.ExecutionID,
		})
	}
	return nil
}
