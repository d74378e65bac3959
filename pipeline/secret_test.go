package pipeline_test

import (
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestSecretRef(t *testing.T) {
	for text, want := range map[string]string{
		"${secrets.Key}": "Key", " ${ Secrets.a-b.c } ": "a-b.c", "${SECRETS.x}": "x",
		"x${secrets.Key}": "", "${secrets.}": "", "${secrets.a b}": "", "${ip}": "", "": "", "secrets.Key": "",
	} {
		if got, ok := pipeline.SecretRef(text); got != want || ok != (want != "") {
			t.Errorf("SecretRef(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestStopRequestCovers(t *testing.T) {
	now := time.Now()
	before, after := pipeline.JobRequest{ID: "a", ProjectID: "p", At: now.Add(-1)}, pipeline.JobRequest{ID: "b", ProjectID: "p", At: now.Add(1)}
	for _, tc := range []struct {
		stop pipeline.StopRequest
		req  pipeline.JobRequest
		want bool
	}{
		{pipeline.StopRequest{ExecutionID: "a", At: now}, before, true},
		{pipeline.StopRequest{ExecutionID: "b", At: now}, after, true},
		{pipeline.StopRequest{ExecutionID: "a", ProjectID: "p", At: now}, after, false},
		{pipeline.StopRequest{ProjectID: "p", At: now}, before, true},
		{pipeline.StopRequest{ProjectID: "p", At: now}, after, false},
		{pipeline.StopRequest{ProjectID: "q", At: now}, before, false},
		{pipeline.StopRequest{At: now}, before, true},
	} {
		if got := tc.stop.Covers(&tc.req); got != tc.want {
			t.Errorf("%+v covers %+v: %v, want %v", tc.stop, tc.req, got, tc.want)
		}
	}
}
