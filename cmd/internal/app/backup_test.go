package app_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/backup"
	"github.com/stalker-asm/stalker/pipeline"
)

// What a server says after it was restored elsewhere is what it said before.
func TestARestoredServerSaysWhatItSaidBefore(t *testing.T) {
	data, parent := t.TempDir(), t.TempDir()
	file, elsewhere := filepath.Join(parent, "b.tar.zst"), filepath.Join(parent, "elsewhere")
	c, stop := server(t, data)
	project := seed(t, c)
	c.settle(t, project)
	c.must(t, "POST", "/api/v1/users", map[string]any{"email": "a@example.com"}, nil)
	if _, err := backup.Create(data, file, "test", time.Now()); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("a backup of a server that runs: %v", err)
	}
	says := func(c *client) map[string]any {
		out := map[string]any{"inventory": inventory(t, c, project)}
		for _, path := range []string{
			"/users", "/groups", "/projects", "/jobs", "/subscriptions", "/audit?limit=100&action=createUser", "/counts", "/executions?limit=100",
			"/findings?limit=1000", "/projects/" + project + "/changes?limit=1000", "/domains?project=" + project, "/websites?project=" + project,
		} {
			var v any
			c.must(t, "GET", "/api/v1"+path, nil, &v)
			out[path] = v
		}
		return out
	}
	before := says(c)
	stop()
	if _, err := backup.Create(data, file, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(file, elsewhere); err != nil {
		t.Fatal(err)
	}
	c, _ = server(t, elsewhere)
	if d := cmp.Diff(says(c), before); d != "" {
		t.Errorf("after restoring (-got +want):\n%s", d)
	}
	// and it works: the chain runs from a new name
	c.must(t, "POST", "/api/v1/projects/"+project+"/domains", map[string]any{"domains": []string{"c.test"}}, nil)
	c.settle(t, project)
	if got := names(t, c, "/api/v1/websites?project="+project+"&q=domain:c.test", func(w pipeline.Website) string { return w.URL }); len(got) != 1 {
		t.Errorf("websites of the new name: %v", got)
	}
}
