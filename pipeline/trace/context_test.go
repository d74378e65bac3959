package trace_test

import (
	"testing"

	"github.com/stalker-asm/stalker/pipeline/trace"
)

const (
	own      = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	inside   = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
	foreign  = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	unheeded = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func TestTheContextTravelsAsText(t *testing.T) {
	for _, tc := range []struct{ name, parent, want string }{
		{"followed", own, own},
		{"not followed", unheeded, ""},
		{"none", "", ""},
		{"no traceparent", "00-what-is-this", ""},
	} {
		if got := trace.Of(trace.Below(t.Context(), tc.parent)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestAJobSpeaksOnlyWithinItsOwnTrace(t *testing.T) {
	for _, tc := range []struct{ name, own, said, want string }{
		{"says nothing", own, "", own},
		{"a span of its own", own, inside, inside},
		{"somebody else's trace", own, foreign, own},
		{"no traceparent", own, "x", own},
		{"is not followed and wants to be", "", foreign, ""},
	} {
		if got := trace.Of(trace.Within(t.Context(), tc.own, tc.said)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
