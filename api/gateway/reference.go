package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/trace"
	"github.com/stalker-asm/stalker/pipeline/veil"
)

// The reference product's door, for images that hold its SDK: one line or one batch
// of findings a request, the credential in the body. Nothing is numbered, so a
// finding said twice in the same words is one.

// ReferencePath is where such images expect it on the server they are given.
const ReferencePath = "/Jobs"

const kindReference = "reference"

// referenceRequest is what POST /Jobs/Finding and /Jobs/Status take.
type referenceRequest struct {
	Finding        string
	Status         string
	RedKiteContext string
}

// speak answers one of those requests; the answer has no body, as there.
func (g *Gateway) speak(say func(context.Context, jobtoken.Claims, referenceRequest) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := g.now()
		err := g.hear(w, r, say)
		g.metrics.request(kindReference, pipeline.CodeOf(err), g.now().Sub(start))
		switch pipeline.CodeOf(err) {
		case "":
			w.WriteHeader(http.StatusOK)
		case pipeline.CodeUnauthorized: // 400 is what it says there
			g.fail(w, pipeline.Errorf(pipeline.CodeInvalid, "%s", err))
		default:
			g.fail(w, err)
		}
	}
}

func (g *Gateway) hear(w http.ResponseWriter, r *http.Request, say func(context.Context, jobtoken.Claims, referenceRequest) error) error {
	size := g.cfg.MaxBody
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength)
	}
	if !g.room.take(size) {
		return pipeline.Errorf(pipeline.CodeBusy, "too many requests are in work, try again")
	}
	defer g.room.give(size)
	body, err := g.whole(http.MaxBytesReader(w, r.Body, g.cfg.MaxBody))
	if err != nil {
		return err
	}
	var req referenceRequest
	if err := json.Unmarshal(bytes.ToValidUTF8(body, []byte("\uFFFD")), &req); err != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "the body is no JSON object with RedKiteContext: %w", err)
	}
	claims, err := g.tokens.VerifyReference(req.RedKiteContext)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.cfg.Timeout)
	defer cancel()
	ctx, span := g.tracer.Start(trace.Within(ctx, claims.Trace, r.Header.Get(trace.Header)), "take "+kindReference, g.now(), "execution", claims.ExecutionID, "job", claims.Job)
	err = say(ctx, claims, req)
	span.End(err)
	return err
}

// referenceLevels are the prefixes of log lines.
var referenceLevels = map[string]pipeline.Level{
	"@debug": pipeline.LevelDebug, "@info": pipeline.LevelInfo, "@warning": pipeline.LevelWarning, "@error": pipeline.LevelError,
}

// sayFinding takes "@finding {…}" or a log line, "@info text".
func (g *Gateway) sayFinding(ctx context.Context, c jobtoken.Claims, r referenceRequest) error {
	prefix, text, spaced := strings.Cut(r.Finding, " ")
	text = strings.TrimSpace(text)
	level, isLine := referenceLevels[prefix]
	switch {
	case spaced && isLine:
		return g.sayLines(ctx, c, level, text)
	case spaced && prefix == "@finding":
		return g.sayFindings(ctx, c, []byte(text))
	}
	return pipeline.Errorf(pipeline.CodeInvalid, "Invalid finding: it begins with none of @finding, @debug, @info, @warning, @error and a space")
}

// sayFindings keeps what is good of a batch. The SDK at the other end reads no
// answer, so what was refused is told in the execution's log.
func (g *Gateway) sayFindings(ctx context.Context, c jobtoken.Claims, text []byte) error {
	items, err := split(text, "", kindFindings)
	if err != nil {
		return err
	}
	if len(items) > g.cfg.MaxItems {
		return pipeline.Errorf(pipeline.CodeTooLarge, "%d findings, at most %d are allowed: send smaller batches", len(items), g.cfg.MaxItems)
	}
	if v := veil.New(c.Secrets); v.Hides() {
		for i := range items {
			items[i] = v.JSON(items[i])
		}
	}
	a, err := g.findings(ctx, c, items)
	if err != nil {
		return err
	}
	g.metrics.items(kindReference, a)
	refused := make([]string, len(a.Rejected))
	for i, r := range a.Rejected {
		refused[i] = fmt.Sprintf("finding %d of %d was refused: %s", r.Index+1, len(items), r.Reason)
	}
	return g.sayLines(ctx, c, pipeline.LevelError, refused...)
}

// sayStatus takes the job's own verdict. That it failed is told to the launcher, which
// ends the execution so; the rest is for people, since the process says the same.
func (g *Gateway) sayStatus(ctx context.Context, c jobtoken.Claims, r referenceRequest) error {
	switch r.Status {
	case "Success":
		return g.sayLines(ctx, c, pipeline.LevelDebug, "the job says that it succeeded")
	case "Failed":
		if err := g.report(ctx, c, "the job said so"); err != nil {
			return err
		}
		return g.sayLines(ctx, c, pipeline.LevelError, "the job says that it failed")
	case "Ended":
		return g.sayLines(ctx, c, pipeline.LevelDebug, "the job says that it ended")
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "Status %q is none of Success, Failed, Ended", r.Status)
	}
}

// report tells the launcher of an execution that its job says it failed.
func (g *Gateway) report(ctx context.Context, c jobtoken.Claims, detail string) error {
	now := g.now().UTC().Truncate(time.Millisecond)
	v, err := record.Encode(pipeline.StopRequest{Report: &pipeline.Report{ExecutionID: c.ExecutionID, Attempt: c.Attempt, Detail: detail, At: now}})
	if err != nil {
		return err
	}
	return g.produce(ctx, []bus.Record{{Topic: bus.TopicStops, Key: []byte(c.ExecutionID), Value: v, Time: now}})
}

// sayLines writes lines to the execution's log. Their numbers are the time, since
// they have none of their own.
func (g *Gateway) sayLines(ctx context.Context, c jobtoken.Claims, level pipeline.Level, texts ...string) error {
	hidden := veil.New(c.Secrets)
	recs := make([]bus.Record, 0, len(texts))
	for i, text := range texts {
		now := g.now()
		v, err := record.Encode(logLine(c, line{
			Seq: uint64(now.UnixNano()) + uint64(i), Level: level, Text: hidden.Text(text),
		}, g.when(now.UnixMilli())))
		if err != nil {
			return err
		}
		recs = append(recs, bus.Record{Topic: bus.TopicLogs, Key: []byte(c.ExecutionID), Value: v})
	}
	return g.produce(ctx, recs)
}
