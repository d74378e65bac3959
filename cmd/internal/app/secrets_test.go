package app_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

// leaky says what it was given in every way a job has.
const leaky = `import base64, os, sys, urllib.parse, urllib.request, json
v = os.environ["key"]
print("plain", v)
print("basic", base64.b64encode(("admin:" + v).encode()).decode(), file=sys.stderr)
print(urllib.parse.quote(v, safe=""), urllib.parse.quote_plus(v), v.encode().hex(), json.dumps(v), dict(os.environ))
def post(path, body):
    r = urllib.request.Request(os.environ["STALKER_GATEWAY"] + path, json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["STALKER_TOKEN"], "Content-Type": "application/json"})
    json.load(urllib.request.urlopen(r, timeout=20))
post("/logs", {"lines": [{"seq": 1, "level": "info", "text": "sdk " + v, "at": 0}, {"seq": 2, "level": "info", "text": "sdk " + urllib.parse.quote_plus(v), "at": 0}]})
post("/findings", {"findings": [{"type": "CustomFinding", "key": "Leak", "name": v, "domainName": "a.test", "seq": 1,
    "fields": [{"key": "header", "type": "text", "data": "Basic " + base64.b64encode((":" + v).encode()).decode()}]}]})
sys.exit("died of " + v)
`

func TestASecretIsGivenToTheJobAndIsReadableNowhere(t *testing.T) {
	const value, ours = "tr0ub4dor & 3 /+ horses", "another value of everybody"
	data := t.TempDir()
	c, _ := server(t, data)
	var p pipeline.Project
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Demo"}, &p)
	c.must(t, "POST", "/api/v1/jobs", map[string]any{
		"name": "Leaky", "type": "code", "language": "python", "code": leaky, "parameters": []map[string]any{{"name": "key", "type": "string", "secret": true, "required": true}},
	}, nil)
	var s pipeline.Secret
	c.must(t, "POST", "/api/v1/secrets", map[string]any{"name": "api", "value": ours}, nil)
	c.must(t, "POST", "/api/v1/secrets", map[string]any{"name": "api", "value": value, "projectId": p.ID}, &s)
	run := func() (e pipeline.Execution) {
		c.must(t, "POST", "/api/v1/executions", map[string]any{"projectId": p.ID, "job": "Leaky", "arguments": args("key", "${secrets.api}")}, &e)
		c.follow(t, "/api/v1/executions/"+e.ID+"/logs/stream", "", never)
		c.until(t, "/api/v1/executions/"+e.ID, &e, func() bool { return e.State.Ended() })
		return e
	}
	e := run()
	if e.State != pipeline.StateFailed || !strings.Contains(e.Detail, "died of ••••••") || string(e.Arguments[0].Value) != `"${secrets.api}"` {
		t.Errorf("ended %+v, arguments %s", e, e.Arguments[0].Value)
	}
	var log pipeline.LogPage
	c.must(t, "GET", "/api/v1/executions/"+e.ID+"/logs?limit=1000", nil, &log)
	var text strings.Builder
	for _, l := range log.Items {
		text.WriteString(string(l.Stream) + " " + l.Text + "\n")
	}
	for _, want := range []string{"stdout plain ••••••", "stderr basic ", "sdk sdk ••••••", "engine parameter key = ••••••"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &text)
		}
	}
	var found pipeline.Page[pipeline.StoredFinding]
	c.until(t, "/api/v1/findings?execution="+e.ID, &found, func() bool { return found.Total == 1 })
	if found.Items[0].Name != "••••••" {
		t.Errorf("finding %+v", found.Items[0])
	}
	c.must(t, "POST", "/api/v1/secrets/rotate", nil, nil)
	if again := run(); !strings.Contains(again.Detail, "died of ••••••") {
		t.Errorf("after the rotation: %+v", again)
	}

	forms := [][]byte{
		[]byte(value), []byte("tr0ub4dor"), []byte(url.QueryEscape(value)), []byte(ours),
		[]byte(base64.StdEncoding.EncodeToString([]byte(value))), []byte(base64.StdEncoding.EncodeToString([]byte("admin:" + value))[8:24]),
	}
	clean := func(where string, b []byte) {
		t.Helper()
		for _, f := range forms {
			if bytes.Contains(b, f) {
				t.Errorf("%s has %q", where, f)
			}
		}
	}
	for _, path := range []string{
		"/secrets", "/secrets/" + s.ID, "/executions", "/executions/" + e.ID, "/executions/" + e.ID + "/chain", "/executions/" + e.ID + "/logs?limit=1000",
		"/executions/export?format=jsonl", "/findings", "/findings/export?format=jsonl", "/audit", "/audit/export", "/jobs", "/domains", "/projects/" + p.ID + "/changes",
	} {
		clean(path, c.raw(t, "/api/v1"+path))
	}
	clean("/metrics", c.raw(t, "/metrics"))
	err := filepath.WalkDir(data, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // files come and go while the server runs
		}
		if b, err := os.ReadFile(file); err == nil {
			clean(file, b)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// raw reads a path as it is.
func (c *client) raw(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %d %v %s", path, resp.StatusCode, err, b)
	}
	return b
}
