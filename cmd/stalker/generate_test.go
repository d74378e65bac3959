package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// TestGenerate puts made-up findings on the topic and into the store of a stopped
// server, and looks at both through the API when it runs again.
func TestGenerate(t *testing.T) {
	data := t.TempDir()
	serving(t, data).signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	type outcome struct {
		ProjectID                  string
		Hosts, Resources, Findings uint64
	}
	generate := func(args ...string) (o outcome, errs string, code int) {
		t.Helper()
		out, errs, code := call(t, program(ctx, t, append([]string{"generate", "--data", data, "--json", "--resources", "300", "--findings", "1500"}, args...)...))
		if code == 0 {
			if err := json.Unmarshal([]byte(out), &o); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		return o, errs, code
	}
	topic, errs, code := generate("--project", "Streamed", "--rate", "3000")
	if code != 0 {
		t.Fatal(errs)
	}
	store, errs, code := generate("--project", "Stored", "--into", "store")
	if code != 0 {
		t.Fatal(errs)
	}
	if _, errs, code := generate("--project", "stored"); code != 2 || !strings.Contains(errs, `there is a project "Stored" already`) {
		t.Errorf("a project that is there: exit code %d, %s", code, errs)
	}
	if again, errs, code := generate("--project", "Stored", "--into", "store", "--add", "--seed", "2"); code != 0 || again.ProjectID != store.ProjectID {
		t.Errorf("added: exit code %d, %+v, %s", code, again, errs)
	}
	d := serving(t, data)
	cn, err := (&where{data: data}).connect(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := func(o outcome) (c pipeline.Counts) {
		t.Helper()
		if err := cn.Do(ctx, http.MethodGet, "/counts?project="+o.ProjectID, nil, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	var c pipeline.Counts
	// a matcher says besides which websites follow, so there may be more
	for c = counts(topic); c.Findings < topic.Findings || c.Hosts < topic.Hosts; c = counts(topic) {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("of %+v the store has %+v", topic, c)
		}
	}
	if c := counts(store); c.Findings < 2*store.Findings || c.Executions[pipeline.StateSucceeded] == 0 {
		t.Errorf("of %+v, twice, the store has %+v", store, c)
	}
	d.signal(syscall.SIGTERM)
}
