package v1

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

// oracle answers every query with the same, and remembers what it was asked.
type oracle struct {
	shelf
	asked chan pipeline.SQLQuery
	gone  chan struct{} // closed when somebody who waited went away
}

func (o oracle) Ask(ctx context.Context, q pipeline.SQLQuery) (pipeline.SQLAnswer, error) {
	o.asked <- q
	switch q.Text {
	case "SELECT wait":
		<-ctx.Done()
		close(o.gone)
		return pipeline.SQLAnswer{}, ctx.Err()
	case "SELECT wrong":
		return pipeline.SQLAnswer{}, pipeline.Errorf(pipeline.CodeInvalid, "query: no")
	}
	return pipeline.SQLAnswer{
		Columns:   []pipeline.SQLColumn{{Name: "=name", Type: "String"}, {Name: "n", Type: "Int64"}, {Name: "at", Type: "DateTime"}},
		Rows:      [][]any{{"=1+1", int64(-1), time.Unix(0, 0)}, {"a \"b\", c", nil, []any{"x"}}},
		Truncated: true,
	}, nil
}

func TestSQLIsAskedAboutOneProject(t *testing.T) {
	o := oracle{asked: make(chan pipeline.SQLQuery, 100), gone: make(chan struct{})}
	w := newWorld(t, o)
	op := w.operator()
	var own, foreign pipeline.Project
	op.must("POST", "/projects", map[string]any{"name": "Own"}, &own)
	op.must("POST", "/projects", map[string]any{"name": "Foreign"}, &foreign)
	editor, viewer := w.person("e@example.com"), w.person("v@example.com")
	op.must("PUT", "/projects/"+own.ID+"/members/user/"+editor.id, map[string]any{"role": auth.RoleEditor}, nil)
	op.must("PUT", "/projects/"+own.ID+"/members/user/"+viewer.id, map[string]any{"role": auth.RoleViewer}, nil)
	path, ask := "/projects/"+own.ID+"/sql", map[string]any{"query": "SELECT 1"}
	viewer.refused(403, "data:sql:query", "POST", path, ask)
	editor.refused(404, "no project", "POST", "/projects/"+foreign.ID+"/sql", ask)
	if len(o.asked) != 0 {
		t.Fatal("the store was asked by who may not")
	}
	var out pipeline.SQLAnswer
	editor.must("POST", path, ask, &out)
	if q := <-o.asked; q.ProjectID != own.ID || q.Text != "SELECT 1" || !out.Truncated || len(out.Rows) != 2 || out.Columns[1].Name != "n" {
		t.Errorf("asked %+v, answered %+v", q, out)
	}
	a := editor.must("POST", path+"?format=csv", ask, nil)
	const want = "'=name,n,at\r\n'=1+1,-1,1970-01-01T00:00:00Z\r\n\"a \"\"b\"\", c\",,\"[\"\"x\"\"]\"\r\n"
	if string(a.body) != want || a.header.Get("Stalker-Truncated") != "true" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") {
		t.Errorf("CSV %q %v", a.body, a.header)
	}
	editor.refused(400, "query: no", "POST", path, map[string]any{"query": "SELECT wrong"})
	var log struct{ Items []auth.Event }
	op.must("GET", "/audit?action=askSQL", nil, &log)
	details, _ := json.Marshal(log.Items)
	if len(log.Items) != 5 || !strings.Contains(string(details), "SELECT wrong") || log.Items[0].ProjectID != own.ID {
		t.Errorf("audit %s", details)
	}
}

func TestAQueryEndsWithWhoAsked(t *testing.T) {
	o := oracle{asked: make(chan pipeline.SQLQuery, 100), gone: make(chan struct{})}
	w := newWorld(t, o)
	var p pipeline.Project
	w.operator().must("POST", "/projects", map[string]any{"name": "Own"}, &p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.goAway(ctx, "/projects/"+p.ID+"/sql", `{"query": "SELECT wait"}`) }()
	<-o.asked
	cancel()
	if err := <-ended; err == nil {
		t.Error("it was answered")
	}
	<-o.gone
	w.operator().must("POST", "/projects/"+p.ID+"/sql", map[string]any{"query": "SELECT 1"}, nil)
}

// goAway makes a request of the operator's and returns when ctx ends.
func (w *world) goAway(ctx context.Context, path, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.srv.URL+Path+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.auth.LocalToken())
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.srv.Client().Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}
