// Package openapitest checks in tests that a server answers as the API's document
// says.
package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stalker-asm/stalker/api/openapi"
)

// Transport sends requests and reports to a test every answer below /api/v1 that
// differs from the document. It remembers which operations answered with success.
type Transport struct {
	t   testing.TB
	doc *openapi.Document

	mu   sync.Mutex
	seen map[string]bool
}

// New returns a transport that reports to t.
func New(t testing.TB) *Transport {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &Transport{t: t, doc: doc, seen: map[string]bool{}}
}

// RoundTrip sends a request and checks the answer.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	path, ours := strings.CutPrefix(r.URL.Path, "/api/v1")
	if !ours || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if op := t.operation(r.Method, path); op != nil {
		if err := op.CheckAnswer(resp.StatusCode, resp.Header, body); err != nil {
			t.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		if resp.StatusCode < 300 {
			t.mu.Lock()
			t.seen[op.ID] = true
			t.mu.Unlock()
		}
	} else if resp.StatusCode < 300 {
		t.t.Errorf("%s %s is not described", r.Method, r.URL.Path)
	}
	return resp, nil
}

// Missing lists the operations that did not answer with success yet.
func (t *Transport) Missing() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for _, op := range t.doc.Operations() {
		if !t.seen[op.ID] {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

// operation finds the operation of a path; one without parameters wins.
func (t *Transport) operation(method, path string) *openapi.Operation {
	if op := t.doc.Operation(method, path); op != nil {
		return op
	}
	for _, op := range t.doc.Operations() {
		if op.Method == method && fits(op.Path, path) {
			return op
		}
	}
	return nil
}

func fits(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, w := range want {
		if w != got[i] && !strings.HasPrefix(w, "{") {
			return false
		}
	}
	return true
}
