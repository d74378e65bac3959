package main

import (
	"context"
	"net/url"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/pipeline"
)

// previous names the program of the version before this one; .ci/upgrade.sh builds it.
const previous = "STALKER_PREVIOUS"

// TestUpgradeInTheMiddleOfWork has the previous version discover the lab, kills it in
// the middle of a second discovery, and starts this version on what it left: that
// shows what was found, finishes what was begun, and proves that nothing was lost.
func TestUpgradeInTheMiddleOfWork(t *testing.T) {
	old := os.Getenv(previous)
	if old == "" {
		t.Skip("make test-upgrade names the previous version")
	}
	data, l := t.TempDir(), running(t)
	server := launch(t, old, data)
	server.ready(t)
	cl, err := (&where{data: data}).must(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := discoverLab(t.Context(), cl, l, "before")
	if before.err != nil || !before.result.Complete() {
		t.Fatalf("the previous version: %v, differences %+v", before.err, before.result.Differences)
	}
	was := inventory(t, cl, before.result.Scan.Project.ID)

	second := make(chan outcome, 1)
	go func() { second <- discoverLab(t.Context(), cl, l, "meanwhile") }()
	begun(t, cl, "meanwhile")
	server.signal(syscall.SIGKILL)
	server = serving(t, data)

	if d := cmp.Diff(was, inventory(t, cl, before.result.Scan.Project.ID)); d != "" {
		t.Errorf("what the previous version found (-it +this one):\n%s", d)
	}
	after := <-second
	if after.err != nil || !after.result.Complete() {
		t.Errorf("begun by the previous version: %v, differences %+v", after.err, after.result.Differences)
	}
	if d := cmp.Diff(before.executions, after.executions); d != "" {
		t.Errorf("executions (-before +across the upgrade):\n%s", d)
	}
	server.signal(syscall.SIGTERM)
	if out, errs, code := short(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify: exit code %d\n%s\n%s", code, out, errs)
	}
}

// begun waits until some executions of a project have ended and some have not.
func begun(t *testing.T, cl *client.Client, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	for {
		var all pipeline.Page[pipeline.Project]
		if err := cl.Do(ctx, "GET", "/projects", nil, &all); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(all.Items, func(p pipeline.Project) bool { return p.Name == name }); i >= 0 {
			var c pipeline.Counts
			if err := cl.Do(ctx, "GET", "/counts?project="+all.Items[i].ID, nil, &c); err != nil {
				t.Fatal(err)
			}
			if c.Executions[pipeline.StateSucceeded] > 3 && c.Executions[pipeline.StateQueued]+c.Executions[pipeline.StateRunning] > 0 {
				return
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("project %q was not begun", name)
		}
	}
}

// inventory is what a project has, a line each, without times.
func inventory(t *testing.T, cl *client.Client, project string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	q := url.Values{"project": {project}}
	ports, err := client.All[pipeline.Port](ctx, cl, "/ports", q)
	if err != nil {
		t.Fatal(err)
	}
	sites, err := client.All[pipeline.Website](ctx, cl, "/websites", q)
	if err != nil {
		t.Fatal(err)
	}
	list := lines(ports, sites)
	for _, w := range sites {
		if w.Domain != "" {
			list = append(list, w.IP+" "+w.URL)
		}
	}
	domains, err := client.All[pipeline.Domain](ctx, cl, "/domains", q)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range domains {
		list = append(list, "domain "+d.Name)
	}
	slices.Sort(list)
	return list
}
