package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/pipeline"
)

// restarted is a server that answers one token only, as a process does that was
// started again.
func restarted(t *testing.T, token string, calls *atomic.Int64) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"detail":"who are you","code":"unauthorized"}`))
			return
		}
		_, _ = w.Write([]byte(`{"answer":42}`))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAClientThatFollowsFindsItsServerAgain(t *testing.T) {
	for _, gone := range []bool{true, false} { // away, or back at the same place with a new token
		var calls atomic.Int64
		old, fresh := restarted(t, "old", &calls), restarted(t, "new", &calls)
		c := client.New(old.URL+"/", "was valid once")
		if gone {
			old.Close()
		}
		var looked int
		c.Follow(func(context.Context) (string, string, bool) {
			looked++
			return fresh.URL, "new", looked > 1 // not back at the first look
		})
		var out struct{ Answer int }
		if err := c.Do(t.Context(), http.MethodGet, "/counts", nil, &out); err != nil || out.Answer != 42 {
			t.Errorf("gone %v: Do() = %v, answer %d", gone, err, out.Answer)
		}
		if err := c.Do(t.Context(), http.MethodPost, "/projects", nil, &out); err != nil {
			t.Errorf("gone %v: the place was forgotten: %v", gone, err)
		}
	}
}

func TestARequestThatChangesSomethingIsNotRepeated(t *testing.T) {
	var calls atomic.Int64
	s := restarted(t, "right", &calls)
	c := client.New(s.URL, "wrong")
	c.Follow(func(context.Context) (string, string, bool) { return s.URL, "right", true })
	if err := c.Do(t.Context(), http.MethodPost, "/projects", nil, nil); pipeline.CodeOf(err) != pipeline.CodeUnauthorized || calls.Load() != 1 {
		t.Errorf("Do() = %v after %d calls", err, calls.Load())
	}
}

func TestACreationIsSentAgainAsTheSameOne(t *testing.T) {
	var keys []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if keys = append(keys, r.Header.Get("Idempotency-Key")); len(keys)%2 == 1 {
			panic(http.ErrAbortHandler) // taken or not, nobody knows
		}
	}))
	defer s.Close()
	c := client.New(s.URL, "t")
	c.Follow(func(context.Context) (string, string, bool) { return s.URL, "t", true })
	for range 2 {
		if err := c.Create(t.Context(), "/projects", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 4 || keys[0] == "" || keys[0] != keys[1] || keys[2] != keys[3] || keys[0] == keys[2] {
		t.Errorf("the requests had the keys %q", keys)
	}
}

func TestAServerThatIsNotFollowedIsAskedOnce(t *testing.T) {
	s := restarted(t, "right", new(atomic.Int64))
	s.Close()
	err := client.New(s.URL, "right").Do(t.Context(), http.MethodGet, "/me", nil, nil)
	if pipeline.CodeOf(err) != pipeline.CodeUnavailable || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Do() = %v", err)
	}
}

func TestTheSearchEndsWithTheContext(t *testing.T) {
	s := restarted(t, "right", new(atomic.Int64))
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c := client.New(s.URL, "right")
	c.Follow(func(context.Context) (string, string, bool) { cancel(); return "", "", false })
	if err := c.Do(ctx, http.MethodGet, "/me", nil, nil); err == nil {
		t.Error("Do() = nil without a server")
	}
}
