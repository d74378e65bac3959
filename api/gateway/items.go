package gateway

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
)

func (g *Gateway) findings(ctx context.Context, c jobtoken.Claims, items []json.RawMessage) (answer, error) {
	origin := normal.Origin{
		ProjectID: c.ProjectID, Source: pipeline.SourceJob, ExecutionID: c.ExecutionID, JobName: c.Job,
		RootID: c.RootID, Depth: c.Depth + 1, Control: g.position(), At: g.now(), Since: c.IssuedAt,
	}
	var a answer
	recs := make([]bus.Record, 0, len(items))
	for i, raw := range items {
		r, err := findingRecord(raw, origin)
		if err != nil {
			a.Rejected = append(a.Rejected, rejected(i, raw, err))
			continue
		}
		recs = append(recs, r)
	}
	a.Accepted = len(recs)
	return a, g.produce(ctx, recs)
}

func findingRecord(raw json.RawMessage, o normal.Origin) (bus.Record, error) {
	f, err := normal.Finding(raw, o)
	if err != nil {
		return bus.Record{}, err
	}
	v, err := record.EncodeFinding(&f)
	return bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v, Time: f.At}, err
}

// rejected keeps the item's own number, when it has one, so that the job can tell
// which of its findings it was.
func rejected(i int, raw json.RawMessage, err error) rejection {
	var n struct {
		Seq uint64 `json:"seq"`
	}
	_ = json.Unmarshal(raw, &n) // no number, then
	return rejection{Index: i, Seq: n.Seq, Code: pipeline.CodeOf(err), Reason: err.Error()}
}

// MaxLine is the longest log line in bytes; longer ones are cut, visibly.
const MaxLine = 16 << 10

const cut = " … (line cut)"

type line struct {
	Seq   uint64         `json:"seq"`
	Level pipeline.Level `json:"level"`
	Text  string         `json:"text"`
	At    int64          `json:"at"`
}

func (g *Gateway) logs(ctx context.Context, c jobtoken.Claims, items []json.RawMessage) (answer, error) {
	var a answer
	recs := make([]bus.Record, 0, len(items))
	for i, raw := range items {
		l, err := g.logLine(c, raw)
		if err != nil {
			a.Rejected = append(a.Rejected, rejected(i, raw, err))
			continue
		}
		v, err := record.Encode(l)
		if err != nil {
			return a, err
		}
		recs = append(recs, bus.Record{Topic: bus.TopicLogs, Key: []byte(c.ExecutionID), Value: v, Time: l.At})
	}
	a.Accepted = len(recs)
	return a, g.produce(ctx, recs)
}

func (g *Gateway) logLine(c jobtoken.Claims, raw json.RawMessage) (pipeline.LogLine, error) {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return pipeline.LogLine{}, pipeline.Errorf(pipeline.CodeInvalid, "log line is not readable: %w", err)
	}
	switch l.Level {
	case pipeline.LevelDebug, pipeline.LevelInfo, pipeline.LevelWarning, pipeline.LevelError:
	default:
		return pipeline.LogLine{}, pipeline.Errorf(pipeline.CodeInvalid, "level %q is none of %v", l.Level, pipeline.Levels())
	}
	return logLine(c, l, g.when(l.At)), nil
}

func logLine(c jobtoken.Claims, l line, at time.Time) pipeline.LogLine {
	if len(l.Text) > MaxLine {
		l.Text = strings.ToValidUTF8(l.Text[:MaxLine], "") + cut
	}
	return pipeline.LogLine{
		ExecutionID: c.ExecutionID, ProjectID: c.ProjectID, Attempt: c.Attempt, Stream: pipeline.StreamSDK,
		Seq: l.Seq, Level: l.Level, Text: l.Text, At: at,
	}
}

// when trusts the job's clock only near our own: its order of lines matters, a
// wrong date does not help anyone.
func (g *Gateway) when(ms int64) time.Time {
	now := g.now().UTC().Truncate(time.Millisecond)
	at := time.UnixMilli(ms).UTC()
	if at.Before(now.Add(-5*time.Minute)) || at.After(now.Add(time.Minute)) {
		return now
	}
	return at
}

func (g *Gateway) produce(ctx context.Context, recs []bus.Record) error {
	if len(recs) == 0 {
		return nil
	}
	return g.producer.Produce(ctx, recs)
}
