package v1

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// logQuery reads which lines are wanted.
func (a *API) logQuery(r *http.Request) (q pipeline.LogQuery, v url.Values, err error) {
	v, err = query(r, "level", "q", "after", "limit")
	q = pipeline.LogQuery{ExecutionID: chi.URLParam(r, "id"), Level: pipeline.Level(v.Get("level")), Text: v.Get("q"), After: v.Get("after")}
	return q, v, err
}

func (a *API) listLogs(w http.ResponseWriter, r *http.Request) {
	q, v, err := a.logQuery(r)
	if err == nil {
		q.Limit, err = limit(v)
	}
	if err == nil {
		err = a.seesExecution(r, q.ExecutionID)
	}
	var p pipeline.LogPage
	if err == nil {
		p, err = a.Store.Logs(r.Context(), q)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, p)
}

// seesExecution reports whether the caller may see an execution.
func (a *API) seesExecution(r *http.Request, id string) error {
	e, err := a.Store.Execution(r.Context(), id)
	if err == nil {
		err = allow(r, e.ProjectID)
	}
	return hide(err)
}

// maxTails is how many logs are followed at once: each asks the store again and again.
const maxTails = 200

// Stop ends what would otherwise go on for as long as its client likes.
func (a *API) Stop() { a.stop() }

// followLogs streams a log as server-sent events, from its start or from where
// Last-Event-ID or after says, until the execution has ended and all of it was sent.
func (a *API) followLogs(w http.ResponseWriter, r *http.Request) {
	q, _, err := a.logQuery(r)
	if at := r.Header.Get("Last-Event-ID"); at != "" {
		q.After = at
	}
	var e pipeline.Execution
	if err == nil {
		e, err = a.execution(r)
	}
	if err == nil { // a cursor that is none is told before the stream begins
		_, err = a.Store.Logs(r.Context(), pipeline.LogQuery{ExecutionID: q.ExecutionID, Level: q.Level, After: q.After, Limit: 1})
	}
	if err == nil {
		select {
		case a.tails <- struct{}{}:
			defer func() { <-a.tails }()
		default:
			err = pipeline.Errorf(pipeline.CodeBusy, "%d logs are being followed, which is as many as may at once", maxTails)
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	t := &tail{api: a, events: newEvents(w), query: q}
	t.run(r.Context(), e)
}

// tail follows one log.
type tail struct {
	api    *API
	events *events
	query  pipeline.LogQuery
	state  string // what was said last
}

// How often a log is looked at: often while lines come, less often when none do.
const (
	tailFast = 200 * time.Millisecond
	tailSlow = 2 * time.Second
)

func (t *tail) run(ctx context.Context, e pipeline.Execution) {
	t.query.Limit = MaxLimit
	if !t.say(&e) {
		return
	}
	for pause := tailFast; ; {
		last := e.State.Ended()
		if last {
			t.api.caughtUp(ctx)
		}
		n, err := t.lines(ctx)
		if err == nil && last {
			if e, err = t.api.Store.Execution(ctx, e.ID); err == nil { // with its final counts
				t.events.send("end", "", &e)
			}
			return
		}
		if err != nil || t.events.broken {
			return // the client asks again, from where it is
		}
		if pause = min(2*pause, tailSlow); n > 0 {
			pause = tailFast
		}
		select {
		case <-ctx.Done():
			return
		case <-t.api.stopping:
			return
		case <-time.After(pause):
		}
		if e, err = t.api.Store.Execution(ctx, e.ID); err != nil || !t.say(&e) {
			return
		}
	}
}

// say tells where the execution stands, when that has changed.
func (t *tail) say(e *pipeline.Execution) bool {
	now := fmt.Sprint(e.State, e.Attempt, e.Reason)
	if now == t.state {
		t.events.alive()
	} else {
		t.state = now
		t.events.send("state", "", e)
	}
	return !t.events.broken
}

// lines sends what came since the last time.
func (t *tail) lines(ctx context.Context) (n int, err error) {
	for {
		p, err := t.api.Store.Logs(ctx, t.query)
		if err != nil {
			return n, err
		}
		for i := range p.Items {
			t.events.send("line", p.Places[i], &p.Items[i])
		}
		t.events.flush()
		n, t.query.After = n+len(p.Items), p.Next
		if len(p.Items) < t.query.Limit || t.events.broken {
			return n, nil
		}
	}
}

// caughtUp waits, within a bound, until every line that was written is readable.
func (a *API) caughtUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if ends, err := a.Progress.Ends(ctx, bus.TopicLogs); err == nil {
		_ = a.Progress.WaitCommitted(ctx, bus.GroupProjector, ends) // what is there is sent in any case
	}
}

// events writes server-sent events.
type events struct {
	w      http.ResponseWriter
	ctl    *http.ResponseController
	last   time.Time
	broken bool // the client went away
}

func newEvents(w http.ResponseWriter) *events {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that gathers them would defeat the purpose
	w.WriteHeader(http.StatusOK)
	return &events{w: w, ctl: http.NewResponseController(w)}
}

func (s *events) send(name, id string, v any) {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: ", name)
	if err := json.NewEncoder(&b).Encode(v); err != nil { // ends with a newline
		s.broken = true
		return
	}
	b.WriteByte('\n')
	s.write(b.Bytes())
	if name != "line" {
		s.flush()
	}
}

// alive keeps the connection from looking dead.
func (s *events) alive() {
	if time.Since(s.last) > 15*time.Second {
		s.write([]byte(": still here\n\n"))
		s.flush()
	}
}

func (s *events) write(b []byte) {
	s.last = time.Now()
	_ = s.ctl.SetWriteDeadline(s.last.Add(slowClient)) // without support the server's own holds
	if _, err := s.w.Write(b); err != nil {
		s.broken = true
	}
}

func (s *events) flush() {
	if err := s.ctl.Flush(); err != nil {
		s.broken = true
	}
}
