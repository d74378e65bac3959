package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/openapi/openapitest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
)

// The jobs below speak to the gateway with the standard library alone, so that
// this test is about the server, not about the SDK.
var catalogue = fstest.MapFS{
	"jobs/Resolve/template.yaml": {Data: []byte("version: 2\nname: Resolve\ntype: code\nlanguage: python\nparameters:\n- {name: domainName, type: string}\n")},
	"jobs/Resolve/main.py":       {Data: []byte("say({'type': 'HostnameIpFinding', 'domainName': os.environ['domainName'], 'ip': '127.0.70.1', 'seq': 1})\n")},
	"jobs/Ports/template.yaml":   {Data: []byte("version: 2\nname: Ports\ntype: code\nlanguage: python\nparameters:\n- {name: targetIp, type: string}\n")},
	"jobs/Ports/main.py":         {Data: []byte("ip = os.environ['targetIp']\nfor i, p in enumerate((22, 8080)): say({'type': 'PortFinding', 'ip': ip, 'port': p, 'protocol': 'tcp', 'seq': i + 1})\n")},
	"jobs/Service/template.yaml": {Data: []byte("version: 2\nname: Service\ntype: code\nlanguage: python\nparameters:\n- {name: port, type: number}\n- {name: targetIp, type: string}\n")},
	"jobs/Service/main.py":       {Data: []byte("port = int(os.environ['port'])\nsay({'type': 'CustomFinding', 'key': 'PortServiceFinding', 'ip': os.environ['targetIp'], 'port': port, 'protocol': 'tcp', 'seq': 1,\n  'fields': [{'key': 'serviceName', 'type': 'text', 'data': 'http' if port == 8080 else 'ssh'}]})\n")},
	"jobs/Broken/template.yaml":  {Data: []byte("version: 2\nname: Broken\ntype: code\nlanguage: python\n")},
	"jobs/Broken/main.py":        {Data: []byte("print('garbage \\xff')\nraise SystemExit(3)\n")},
	"jobs/Slow/template.yaml":    {Data: []byte("version: 2\nname: Slow\ntype: code\nlanguage: python\nparameters:\n- {name: word, type: string, required: true}\n- {name: targetIp, type: string}\n- {name: port, type: number}\n")},
	"jobs/Slow/main.py":          {Data: []byte("import time, sys\nprint('begun', os.environ['word'], flush=True)\nprint('Careful now', file=sys.stderr, flush=True)\nwhile os.environ['word'] == 'forever': time.sleep(0.1)\n")},
	"subscriptions/resolve.yaml": {Data: []byte("name: Resolve\nfindings: [HostnameFinding]\ncooldown: 3600\njob: {name: Resolve, parameters: [{name: domainName, value: '${domainName}'}]}\n")},
	"subscriptions/ports.yaml":   {Data: []byte("name: Ports\nfindings: [HostnameIpFinding, IpFinding]\ncooldown: 3600\njob: {name: Ports, parameters: [{name: targetIp, value: '${ip}'}]}\n")},
	"subscriptions/service.yaml": {Data: []byte("name: Service\nfindings: [PortFinding]\ncooldown: 3600\njob: {name: Service, parameters: [{name: targetIp, value: '${ip}'}, {name: port, value: '${port}'}]}\n")},
	"subscriptions/website.yaml": {Data: []byte("name: Broken\nfindings: [WebsiteFinding]\ncooldown: 3600\njob: {name: Broken}\n")},
	"subscriptions/private.yaml": {Data: []byte("name: Never\nfindings: [NoSuchFinding]\ncooldown: 3600\njob: {name: Gone}\n")},
}

var sdk = fstest.MapFS{
	"stalker_sdk/__init__.py": {},
	"stalker_sdk/run.py": {Data: []byte(`import json, os, sys, urllib.request
def say(f):
    r = urllib.request.Request(os.environ["STALKER_GATEWAY"] + "/findings", json.dumps({"findings": [f]}).encode(),
        {"Authorization": "Bearer " + os.environ["STALKER_TOKEN"], "Content-Type": "application/json"})
    a = json.load(urllib.request.urlopen(r, timeout=20))
    assert not a.get("rejected"), a
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"say": say, "os": os, "__name__": "__main__"})
`)},
}

// server starts an app on a data directory and returns a client for it.
func server(t testing.TB, data string, change ...func(*app.Config)) (*client, func()) {
	t.Helper()
	cfg := app.DefaultConfig()
	for _, c := range change {
		c(&cfg)
	}
	cfg.Data, cfg.HTTP.Listen, cfg.Bus.Partitions = data, "127.0.0.1:0", 2
	a, err := app.New(t.Context(), app.Options{Config: cfg, Catalogue: catalogue, SDK: sdk, Version: "test", Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run() = %v", err)
			}
		case <-time.After(60 * time.Second):
			t.Error("the app did not stop")
		}
	}
	t.Cleanup(stop)
	return connect(t, a.URL(), a.Token()), stop
}

// client calls the API; every answer is checked against the API's document.
type client struct {
	url, token string
	http       *http.Client
}

func connect(t testing.TB, url, token string) *client {
	t.Helper()
	return &client{url: url, token: token, http: &http.Client{Transport: openapitest.New(t)}}
}

// do calls the API and decodes the answer into out; it returns the status.
func (c *client) do(t testing.TB, method, path string, body, out any) int {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
		}
	}
	if resp.StatusCode >= 500 {
		t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp.StatusCode
}

func (c *client) must(t testing.TB, method, path string, body, out any) {
	t.Helper()
	if s := c.do(t, method, path, body, out); s >= 300 {
		t.Fatalf("%s %s: %d", method, path, s)
	}
}

type activity struct {
	Executions map[pipeline.State]int
	Settled    bool
}

func (c *client) settle(t *testing.T, project string) activity {
	t.Helper()
	var a activity
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.must(t, "GET", "/api/v1/projects/"+project+"/activity", nil, &a)
		if a.Settled {
			return a
		}
	}
	t.Fatalf("never settled: %+v", a)
	return a
}

func names[T any](t *testing.T, c *client, path string, name func(T) string) []string {
	t.Helper()
	var p pipeline.Page[T]
	c.must(t, "GET", path, nil, &p)
	var got []string
	for _, x := range p.Items {
		got = append(got, name(x))
	}
	slices.Sort(got)
	return got
}

func inventory(t *testing.T, c *client, project string) map[string][]string {
	t.Helper()
	q := "?limit=1000&project=" + project
	return map[string][]string{
		"domains":  names(t, c, "/api/v1/domains"+q, func(d pipeline.Domain) string { return d.Name + " " + strings.Join(d.Hosts, ",") }),
		"hosts":    names(t, c, "/api/v1/hosts"+q, func(h pipeline.Host) string { return h.IP }),
		"ports":    names(t, c, "/api/v1/ports"+q, func(p pipeline.Port) string { return fmt.Sprintf("%s:%d %s", p.IP, p.Port, p.Service) }),
		"websites": names(t, c, "/api/v1/websites"+q, func(w pipeline.Website) string { return w.URL }),
	}
}

var discovered = map[string][]string{
	"domains":  {"a.test 127.0.70.1", "b.test 127.0.70.1"},
	"hosts":    {"127.0.70.1"},
	"ports":    {"127.0.70.1:22 ssh", "127.0.70.1:8080 http"},
	"websites": {"http://127.0.70.1:8080/", "http://a.test:8080/", "http://b.test:8080/"},
}

func seed(t *testing.T, c *client) string {
	t.Helper()
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Demo", "internal": []string{"127.0.70.0/24"}}, &p)
	var added struct {
		Added   []string
		Visible bool
	}
	c.must(t, "POST", "/api/v1/projects/"+p.ID+"/domains", map[string]any{"domains": []string{"A.test", "b.test.", "a.test"}}, &added)
	if cmp.Diff(added.Added, []string{"a.test", "b.test"}) != "" || !added.Visible {
		t.Fatalf("added %+v", added)
	}
	if got := names(t, c, "/api/v1/domains?project="+p.ID, func(d pipeline.Domain) string { return d.Name }); len(got) != 2 {
		t.Errorf("the next read shows %v", got)
	}
	return p.ID
}

func TestTheChainRunsFromADomainToWebsites(t *testing.T) {
	c, stop := server(t, t.TempDir())
	project := seed(t, c)
	a := c.settle(t, project)
	if d := cmp.Diff(inventory(t, c, project), discovered); d != "" {
		t.Errorf("inventory (-got +want):\n%s", d)
	}
	// two names resolved, one host scanned, two services asked, three websites that break
	want := map[pipeline.State]int{"succeeded": 5, "failed": 3}
	for s, n := range a.Executions {
		if want[s] != n {
			t.Errorf("%d executions are %s, want %d", n, s, want[s])
		}
	}
	var failed pipeline.Page[pipeline.Execution]
	c.must(t, "GET", "/api/v1/executions?state=failed&project="+project, nil, &failed)
	e := failed.Items[0]
	if e.Reason != pipeline.ReasonExitCode || *e.ExitCode != 3 || e.Cause.SubscriptionName != "Broken" || e.Cause.Depth != 3 {
		t.Errorf("failed execution %+v", e)
	}
	logs := names(t, c, "/api/v1/executions/"+e.ID+"/logs", func(l pipeline.LogLine) string { return string(l.Stream) + " " + l.Text })
	if !slices.ContainsFunc(logs, func(s string) bool { return strings.HasPrefix(s, "stdout garbage") }) {
		t.Errorf("log %v", logs)
	}
	resp, err := http.Get(c.url + "/readyz")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("readyz: %v %v", resp, err)
	}
	stop()
}

func TestARestartInTheMiddleEndsInTheSameInventory(t *testing.T) {
	data := t.TempDir()
	c, stop := server(t, data)
	project := seed(t, c)
	for range 3 {
		time.Sleep(150 * time.Millisecond) // somewhere in the middle; where does not matter
		stop()
		if _, err := os.Stat(filepath.Join(data, "server.json")); !os.IsNotExist(err) {
			t.Errorf("server.json after the stop: %v", err)
		}
		c, stop = server(t, data)
	}
	c.settle(t, project)
	if d := cmp.Diff(inventory(t, c, project), discovered); d != "" {
		t.Errorf("inventory (-got +want):\n%s", d)
	}
	if got := names(t, c, "/api/v1/executions?state=running&project="+project, func(e pipeline.Execution) string { return e.ID }); len(got) != 0 {
		t.Errorf("still running: %v", got)
	}
}

func TestBadInputIsToldAndNothingElseHappens(t *testing.T) {
	c, _ := server(t, t.TempDir())
	project := seed(t, c)
	for _, tc := range []struct {
		method, path string
		body         any
		status       int
		detail       string
	}{
		{"POST", "/api/v1/projects", map[string]any{"name": ""}, 400, "name must have 1 to"},
		{"POST", "/api/v1/projects", map[string]any{"name": "Demo"}, 409, "exists already"},
		{"POST", "/api/v1/projects", map[string]any{"name": "x", "resolvers": []string{"dns.example"}}, 400, "resolvers[0]"},
		{"POST", "/api/v1/projects", map[string]any{"name": "x", "internal": []string{"10.0.0.0/40"}}, 400, "internal[0]"},
		{"POST", "/api/v1/projects", map[string]any{"nam": "x"}, 400, "nam is not known here"},
		{"POST", "/api/v1/projects/" + project + "/domains", map[string]any{"domains": []string{"ok.test", "not ok"}}, 400, "[1]"},
		{"POST", "/api/v1/projects/" + project + "/hosts", map[string]any{"ips": []string{}}, 400, "1 to 10000"},
		{"POST", "/api/v1/projects/" + strings.Repeat("0", 24) + "/hosts", map[string]any{"ips": []string{"8.8.8.8"}}, 404, "no project"},
		{"GET", "/api/v1/projects/xyz", nil, 400, "projectId"},
		{"GET", "/api/v1/domains?limit=0", nil, 400, "limit"},
		{"GET", "/api/v1/domains?colour=red", nil, 400, "colour"},
		{"GET", "/api/v1/domains?cursor=nonsense", nil, 400, "cursor"},
		{"GET", "/api/v1/domains/" + strings.Repeat("0", 24), nil, 404, ""},
		{"GET", "/api/v1/executions?state=asleep", nil, 400, "asleep"},
		{"GET", "/api/v1/nothing", nil, 404, ""},
	} {
		var p struct {
			Detail, Code string
			Status       int
		}
		if s := c.do(t, tc.method, tc.path, tc.body, &p); s != tc.status || p.Status != tc.status || !strings.Contains(p.Detail, tc.detail) {
			t.Errorf("%s %s: %d %+v, want %d with %q", tc.method, tc.path, s, p, tc.status, tc.detail)
		}
	}
	if s := connect(t, c.url, "").do(t, "GET", "/api/v1/projects", nil, nil); s != 401 {
		t.Errorf("without a credential: %d", s)
	}
	if s := connect(t, c.url, "st_wrong").do(t, "GET", "/api/v1/projects", nil, nil); s != 401 {
		t.Errorf("with a wrong token: %d", s)
	}
}

func TestASecondServerIsToldWhoHasTheData(t *testing.T) {
	data := t.TempDir()
	server(t, data)
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen = data, "127.0.0.1:0"
	_, err := app.New(t.Context(), app.Options{Config: cfg, Catalogue: catalogue, SDK: sdk, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("New() = %v", err)
	}
}
