package v1

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
)

type eventKey struct{}

// audited writes what a request changed, or tried to, to the audit log: who, from
// where, what, and how it ended. Bodies are not written, so no secret can be.
func (a *API) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		e := &auth.Event{At: a.now(), Via: "none", Address: address(r), Target: pipeline.Head(strings.TrimPrefix(r.URL.Path, Path), 300)}
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(ww, r.WithContext(context.WithValue(r.Context(), eventKey{}, e)))
		e.Status = ww.Status()
		if e.Action == "" {
			return // no such route
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
		defer cancel()
		if err := a.Auth.Record(ctx, *e); err != nil {
			a.log.Error("audit log could not be written", "action", e.Action, "actor", e.ActorID, "status", e.Status, "err", err)
		}
	})
}

// did puts into the request's event what the gate knows.
func did(r *http.Request, op *openapi.Operation, params map[string]string) {
	if strings.HasSuffix(op.Scope, ":read") {
		return // it has a body, and changes nothing
	}
	if e, ok := r.Context().Value(eventKey{}).(*auth.Event); ok {
		e.Action, e.ProjectID = op.ID, params["projectId"]
		if id := r.URL.Query().Get("project"); e.ProjectID == "" && pipeline.IsID(id) {
			e.ProjectID = id
		}
	}
}

// by puts into the request's event who makes it.
func by(r *http.Request, c *auth.Caller) {
	actor(r, c.User)
	e, ok := r.Context().Value(eventKey{}).(*auth.Event)
	switch {
	case !ok:
	case c.Key != nil:
		e.Via = "api-key:" + c.Key.ID
	case c.Session != nil:
		e.Via = "session"
	default:
		e.Via = "operator"
	}
}

func actor(r *http.Request, u auth.User) {
	if e, ok := r.Context().Value(eventKey{}).(*auth.Event); ok {
		e.ActorID, e.Actor = u.ID, u.Email
		if e.Actor == "" {
			e.Actor = u.Name
		}
	}
}

// about says which project a request is about, where only the handler knows.
func about(r *http.Request, projectID string) {
	if e, ok := r.Context().Value(eventKey{}).(*auth.Event); ok {
		e.ProjectID = projectID
	}
}

// note adds a detail, such as the address somebody tried to log in with.
func note(r *http.Request, detail string) {
	if e, ok := r.Context().Value(eventKey{}).(*auth.Event); ok {
		e.Detail = pipeline.Head(detail, 300)
	}
}

func eventQuery(v url.Values) (q auth.EventQuery, err error) {
	q = auth.EventQuery{ActorID: v.Get("actor"), Action: v.Get("action"), ProjectID: v.Get("project"), Text: v.Get("q"), Limit: 50}
	for name, into := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if s := v.Get(name); s != "" {
			if *into, err = time.Parse(time.RFC3339, s); err != nil {
				return q, pipeline.Errorf(pipeline.CodeInvalid, "%s: a time such as 2026-11-25T10:00:00Z is expected", name)
			}
		}
	}
	if n, err := limit(v); err != nil || n > 0 {
		q.Limit = n
	}
	if s := v.Get("cursor"); s != "" {
		if q.Before, err = strconv.ParseInt(s, 10, 64); err != nil || q.Before < 1 {
			return q, pipeline.Errorf(pipeline.CodeInvalid, "cursor: it is none of a page before")
		}
	}
	return q, nil
}

// eventPage is a page without a total: the log only grows.
type eventPage struct {
	Items []auth.Event `json:"items"`
	Next  string       `json:"next,omitempty"`
}

func (a *API) listAudit(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuery(r.URL.Query())
	p := eventPage{Items: []auth.Event{}}
	if err == nil {
		var events []auth.Event
		events, err = a.Auth.Events(r.Context(), q)
		p.Items = append(p.Items, events...)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if len(p.Items) == q.Limit {
		p.Next = strconv.FormatInt(p.Items[q.Limit-1].Seq, 10)
	}
	reply(w, http.StatusOK, p)
}

// exportAudit writes the whole selection, page by page, so that memory stays what
// it is.
func (a *API) exportAudit(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuery(r.URL.Query())
	if err != nil {
		a.fail(w, err)
		return
	}
	q.Limit = MaxLimit
	events, err := a.Auth.Events(r.Context(), q)
	if err != nil {
		a.fail(w, err)
		return
	}
	put, flush := eventWriter(w, r.URL.Query().Get("format"))
	for {
		for i := range events {
			put(&events[i])
		}
		if flush(); len(events) < q.Limit {
			return
		}
		q.Before = events[len(events)-1].Seq
		if events, err = a.Auth.Events(r.Context(), q); err != nil {
			a.log.Error("audit export ended early", "err", err)
			panic(http.ErrAbortHandler) // so that the client notices
		}
	}
}

func eventWriter(w http.ResponseWriter, format string) (put func(*auth.Event), flush func()) {
	if format != "csv" {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
		e := json.NewEncoder(w)
		return func(x *auth.Event) { _ = e.Encode(x) }, func() {}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	c := csv.NewWriter(w)
	_ = c.Write([]string{"seq", "at", "actor_id", "actor", "via", "action", "target", "project_id", "status", "address", "detail"})
	return func(x *auth.Event) {
		_ = c.Write([]string{
			strconv.FormatInt(x.Seq, 10), x.At.Format(time.RFC3339Nano), cell(x.ActorID), cell(x.Actor), x.Via, x.Action, cell(x.Target),
			x.ProjectID, strconv.Itoa(x.Status), x.Address, cell(x.Detail),
		})
	}, c.Flush
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
