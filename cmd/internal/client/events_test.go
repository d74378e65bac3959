package client_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestEventsGoOnWhereTheyBrokeOff(t *testing.T) {
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			_, _ = w.Write([]byte(": hello\n\nid: 1\nevent: line\ndata: one\n\nid: 2\nevent: line\ndata: tw")) // in the middle
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"detail":"later","code":"busy"}`))
		default:
			_, _ = w.Write([]byte("event: line\ndata: after " + r.Header.Get("Last-Event-ID") + "\n\nevent: end\ndata: {}\n\n"))
		}
	}))
	t.Cleanup(s.Close)
	var got []string
	err := client.New(s.URL, "t").Events(t.Context(), "/x", func(e client.Event) error {
		got = append(got, e.Data)
		if e.Name == "end" {
			return client.ErrEnough
		}
		return nil
	})
	if err != nil || !slices.Equal(got, []string{"one", "after 1", "{}"}) {
		t.Errorf("%v, %q", err, got)
	}
}

func TestEventsThatAreRefusedAreNotAskedForAgain(t *testing.T) {
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"detail":"nothing has this id","code":"not_found"}`))
	}))
	t.Cleanup(s.Close)
	err := client.New(s.URL, "t").Events(t.Context(), "/x", func(client.Event) error { return nil })
	if pipeline.CodeOf(err) != pipeline.CodeNotFound || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}
