package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
)

// problem is an error for clients (RFC 9457); code is the machine-readable part.
type problem struct {
	Type   string              `json:"type"`
	Title  string              `json:"title"`
	Status int                 `json:"status"`
	Detail string              `json:"detail,omitempty"`
	Code   pipeline.Code       `json:"code"`
	Errors openapi.InputErrors `json:"errors,omitempty"`
}

// Status returns the HTTP status of a code.
func Status(c pipeline.Code) int {
	switch c {
	case pipeline.CodeInvalid:
		return http.StatusBadRequest
	case pipeline.CodeNotFound:
		return http.StatusNotFound
	case pipeline.CodeConflict:
		return http.StatusConflict
	case pipeline.CodeUnauthorized:
		return http.StatusUnauthorized
	case pipeline.CodeForbidden:
		return http.StatusForbidden
	case pipeline.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case pipeline.CodeBusy:
		return http.StatusTooManyRequests
	case pipeline.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func (a *API) fail(w http.ResponseWriter, err error) {
	code := pipeline.CodeOf(err)
	p := problem{Type: "about:blank", Title: http.StatusText(Status(code)), Status: Status(code), Detail: err.Error(), Code: code}
	p.Errors, _ = errors.AsType[openapi.InputErrors](err)
	if list, ok := errors.AsType[control.Problems](err); ok {
		p.Errors = documentErrors(list)
		p.Detail = p.Errors.Error()
	}
	if _, stale := errors.AsType[staleError](err); stale {
		p.Status = http.StatusPreconditionFailed
		p.Title = http.StatusText(p.Status)
	}
	if code == pipeline.CodeInternal {
		a.log.Error("request failed", "err", err)
		p.Detail = "something went wrong here; the server's log has the details"
	}
	if code == pipeline.CodeBusy || code == pipeline.CodeUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	write(w, p.Status, "application/problem+json", p)
}

// documentErrors are the problems of a document, or of a body that stands for one.
func documentErrors(list control.Problems) openapi.InputErrors {
	out := make(openapi.InputErrors, len(list))
	for i, p := range list {
		out[i] = openapi.InputError{In: "body", Path: p.Path, Line: p.Line, Column: p.Column, Message: p.Message}
		if p.Line > 0 {
			out[i].In = "document"
		}
	}
	return out
}

// methodNotAllowed says which methods a path has.
func (a *API) methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
				allowed = append(allowed, m)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		const status = http.StatusMethodNotAllowed
		write(w, status, "application/problem+json", problem{
			Type: "about:blank", Title: http.StatusText(status), Status: status, Code: pipeline.CodeInvalid,
			Detail: "this path takes " + strings.Join(allowed, ", "),
		})
	}
}

func reply(w http.ResponseWriter, status int, body any) { write(w, status, "application/json", body) }

func write(w http.ResponseWriter, status int, media string, body any) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}

// list answers with a whole list in the form of a page.
func list[T any](w http.ResponseWriter, items []T) {
	if items == nil {
		items = []T{}
	}
	reply(w, http.StatusOK, pipeline.Page[T]{Items: items, Total: uint64(len(items))})
}

// maxBody bounds a request body in bytes.
const maxBody = 4 << 20

// decode reads a JSON body; keys it does not know are errors.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return pipeline.Errorf(pipeline.CodeTooLarge, "the body has more than %d bytes", maxBody)
	case err != nil:
		return pipeline.Errorf(pipeline.CodeInvalid, "the body ended early: %w", err)
	case !utf8.Valid(body): // the decoder would put other characters there
		return pipeline.Errorf(pipeline.CodeInvalid, "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return pipeline.Errorf(pipeline.CodeInvalid, "the body is not what is expected: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return pipeline.Errorf(pipeline.CodeInvalid, "the body goes on after its end")
	}
	return nil
}

// decodeOptional reads a JSON body, if there is one.
func decodeOptional(w http.ResponseWriter, r *http.Request, into any) error {
	if r.ContentLength == 0 {
		return nil
	}
	return decode(w, r, into)
}

// query reads the parameters a route knows; any other is an error.
func query(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the query is not readable: %w", err)
	}
	for k, v := range q {
		if !slices.Contains(known, k) {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "unknown query parameter %q, known here: %s", k, strings.Join(known, ", "))
		}
		if len(v) > 1 {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "query parameter %q is given twice", k)
		}
	}
	return q, nil
}

// MaxLimit is how many rows a page may have.
const MaxLimit = 1000

func limit(q url.Values) (int, error) {
	s := q.Get("limit")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxLimit {
		return 0, pipeline.Errorf(pipeline.CodeInvalid, "limit: 1 to %d is expected, not %q", MaxLimit, s)
	}
	return n, nil
}

// id checks the form of an id, so that a typo is told from a thing that is gone.
func id(name, s string) error {
	if !pipeline.IsID(s) {
		return pipeline.Errorf(pipeline.CodeInvalid, "%s: an id has %d hexadecimal digits, %q is none", name, pipeline.IDLen, s)
	}
	return nil
}
