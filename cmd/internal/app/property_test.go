package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/api/openapi/openapitest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// idle runs nothing: what is generated must not be executed here.
type idle struct{}

func (idle) Name() string { return "idle" }

func (idle) Run(context.Context, launcher.Spec, func(pipeline.Stream, string)) launcher.Result {
	return launcher.Result{State: pipeline.StateSucceeded}
}

// TestEveryRouteHoldsAgainstGeneratedRequests sends requests that are made from the
// API's document to every route of a real server with everything behind it. Nothing
// may answer 5xx, and every answer must be what the document says: the transport
// checks that.
func TestEveryRouteHoldsAgainstGeneratedRequests(t *testing.T) {
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen, cfg.Bus.Partitions = t.TempDir(), "127.0.0.1:0", 2
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := app.New(t.Context(), app.Options{Config: cfg, Runner: idle{}, Catalogue: catalogue, SDK: sdk, Version: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := &prober{t: t, url: a.URL(), token: a.Token(), http: &http.Client{Transport: openapitest.New(t)}, gen: openapitest.NewGenerator(t, 1), statuses: map[int]int{}}
	c := connect(t, p.url, p.token)
	for round := range rounds {
		if round%4 == 0 { // what was there may be gone
			p.gen.Learn([]byte(`{"id":"` + c.stock(t) + `"}`))
		}
		p.gen.Wild = []int{0, 8}[round%2]
		for _, op := range doc.Operations() {
			if strings.HasSuffix(op.Path, "/stream") {
				continue // it does not end
			}
			p.probe(op)
		}
	}
	t.Logf("statuses: %v, operations that succeeded: %d of %d", p.statuses, len(p.succeeded), len(doc.Operations()))
	if p.statuses[200] < len(doc.Operations())*rounds/10 {
		t.Errorf("hardly anything that was generated was taken: %v", p.statuses)
	}
}

// stock makes a project with something in it, and returns its id.
func (c *client) stock(t *testing.T) string {
	t.Helper()
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Stock " + time.Now().Format(time.RFC3339Nano), "internal": []string{"127.0.70.0/24"}}, &p)
	c.must(t, "POST", "/api/v1/projects/"+p.ID+"/domains", map[string]any{"domains": []string{"a.test", "b.test"}}, nil)
	c.must(t, "POST", "/api/v1/projects/"+p.ID+"/hosts", map[string]any{"ips": []string{"192.0.2.7", "2001:db8::7"}}, nil)
	c.must(t, "POST", "/api/v1/projects/"+p.ID+"/ip-ranges", map[string]any{"ranges": []string{"192.0.2.0/24"}}, nil)
	return p.ID
}

type prober struct {
	t          *testing.T
	url, token string
	http       *http.Client
	gen        *openapitest.Generator
	statuses   map[int]int
	succeeded  map[string]bool
}

func (p *prober) probe(op *openapi.Operation) {
	r := p.gen.Make(op)
	// what the document's examples name is not to be looked for outside
	r.Body = bytes.ReplaceAll(r.Body, []byte("git.example.com"), []byte("127.0.0.1"))
	ctx, cancel := context.WithTimeout(p.t.Context(), 60*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, op.Method, p.url+"/api/v1"+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return // no client could send it
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	for k, v := range r.Headers {
		req.Header.Set(k, v)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		p.t.Errorf("%s %s: %v", op.Method, r.Path, err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Errorf("%s %s: %v", op.Method, r.Path, err)
	}
	if p.succeeded == nil {
		p.succeeded = map[string]bool{}
	}
	p.statuses[resp.StatusCode]++
	if resp.StatusCode < 300 {
		p.succeeded[op.ID] = true
		p.gen.Learn(body)
	}
	if resp.StatusCode >= 500 {
		p.t.Errorf("%s %s\nheaders %v\nbody %.2000s\nanswered %d %s", op.Method, r.Path, r.Headers, r.Body, resp.StatusCode, body)
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
		if !strings.Contains(resp.Header.Get(header), want) {
			p.t.Errorf("%s %s: the header %s is %q", op.Method, r.Path, header, resp.Header.Get(header))
		}
	}
	if len(resp.Header["Access-Control-Allow-Origin"]) > 0 {
		p.t.Errorf("%s %s: other origins may read the answer", op.Method, r.Path)
	}
	for _, leak := range []string{"DB::Exception", "goroutine ", "SELECT ", "sql:", ".go:", "SQLSTATE"} {
		if resp.StatusCode >= 400 && bytes.Contains(body, []byte(leak)) && !bytes.Contains(r.Body, []byte(leak)) && !strings.Contains(r.Path, strings.TrimSpace(leak)) {
			p.t.Errorf("%s %s tells %q: %d %s", op.Method, r.Path, leak, resp.StatusCode, body)
		}
	}
}
