package launcher

import (
	"encoding/json"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// said reads a line that a container job printed: a JSON object with a type is a
// finding, anything else is text. It knows no gateway, so the launcher speaks for
// it; the number of the line is the finding's, so that a line read twice says one
// thing.
func said(text string, seq uint64, o normal.Origin) (r bus.Record, isFinding bool, err error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return bus.Record{}, false, nil
	}
	var w map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &w) != nil || w["type"] == nil {
		return bus.Record{}, false, nil //nolint:nilerr // a line that is no finding is output
	}
	if w["seq"], err = json.Marshal(seq); err != nil {
		return bus.Record{}, true, err
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return bus.Record{}, true, err
	}
	f, err := normal.Finding(raw, o)
	if err != nil {
		return bus.Record{}, true, err
	}
	v, err := record.EncodeFinding(&f)
	return bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At}, true, err
}

// origin is that of what an execution says.
func (l *Launcher) origin(it item) normal.Origin {
	c := it.req.Cause
	return normal.Origin{
		ProjectID: it.req.ProjectID, Source: pipeline.SourceJob, ExecutionID: it.req.ID, JobName: it.req.Job,
		RootID: c.RootID, Depth: c.Depth + 1, Control: l.catalog.Position(), At: l.now(),
	}
}
