package openapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stalker-asm/stalker/pipeline"
)

func document(t testing.TB) *Document {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryOperationIsDescribedInFull(t *testing.T) {
	d := document(t)
	ids := map[string]bool{}
	tags := map[string]bool{}
	list, _ := d.tree["tags"].([]any)
	for _, v := range list {
		tags[text(object(v)["name"])] = true
	}
	for _, op := range d.Operations() {
		where := op.Method + " " + op.Path
		if op.ID == "" || ids[op.ID] {
			t.Errorf("%s: operationId %q is missing or used twice", where, op.ID)
		}
		ids[op.ID] = true
		if !tags[op.Tag] {
			t.Errorf("%s: exactly one tag of openapi.yaml is needed, not %q", where, op.Tag)
		}
		if op.Summary == "" || strings.HasSuffix(op.Summary, ".") {
			t.Errorf("%s: a summary without a full stop is needed, not %q", where, op.Summary)
		}
		if op.Public != (op.Scope == "") {
			t.Errorf("%s: needs either x-scope or security: []", where)
		}
		if !slices.Contains([]string{ProjectNone, ProjectPath, ProjectQuery, ProjectItem, ProjectBody, ProjectVisible}, op.Project) {
			t.Errorf("%s: x-project %q is not known", where, op.Project)
		}
		if strings.Contains(op.Path, "{projectId}") != (op.Project == ProjectPath) {
			t.Errorf("%s: x-project: path and {projectId} go together", where)
		}
		if _, ok := op.answers["default"]; !ok {
			t.Errorf("%s: default: a problem, is missing", where)
		}
		success := slices.ContainsFunc([]string{"200", "201", "202", "204", "302"}, func(s string) bool { _, ok := op.answers[s]; return ok })
		if !success {
			t.Errorf("%s: no success is described", where)
		}
		op.checkNames(t, where)
	}
}

// checkNames finds parameters of the path that are not described, and the other way
// round.
func (op *Operation) checkNames(t *testing.T, where string) {
	t.Helper()
	for _, p := range op.parameters {
		if p.in == "path" && !strings.Contains(op.Path, "{"+p.name+"}") {
			t.Errorf("%s: the path has no {%s}", where, p.name)
		}
	}
	for part := range strings.SplitSeq(op.Path, "/") {
		name := strings.Trim(part, "{}")
		if part != name && !slices.ContainsFunc(op.parameters, func(p parameter) bool { return p.in == "path" && p.name == name }) {
			t.Errorf("%s: {%s} is not described", where, name)
		}
	}
}

// TestInputsAreStrict: what a handler would not read must not be sent.
func TestInputsAreStrict(t *testing.T) {
	d := document(t)
	for _, op := range d.Operations() {
		if op.body == nil {
			continue
		}
		s := op.body
		for s.Ref != nil {
			s = s.Ref
		}
		if s.AdditionalProperties == nil && s.UnevaluatedProperties == nil {
			t.Errorf("%s: the body needs additionalProperties: false", op.ID)
		}
	}
}

func TestExamplesAreWhatTheySay(t *testing.T) {
	d := document(t)
	c, err := newCompiler(d.json, false)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch x := v.(type) {
		case map[string]any:
			examples, _ := x["examples"].([]any)
			schemaAt := at
			if e, ok := x["example"]; ok {
				examples, schemaAt = append(examples, e), at+"/schema"
			}
			for _, e := range examples {
				s, err := c.Compile(base + "#" + schemaAt)
				if err != nil {
					t.Errorf("%s: %v", schemaAt, err)
				} else if err := s.Validate(e); err != nil {
					t.Errorf("%s: example: %v", at, err)
				}
			}
			for k, child := range x {
				if k != "example" && k != "examples" {
					walk(at+"/"+escape(k), child)
				}
			}
		}
	}
	walk("", d.tree)
}

func TestRequestsAreChecked(t *testing.T) {
	d := document(t)
	const id = "5f1e8a0c9b7d4e6f8a0b1c2d"
	for _, tc := range []struct {
		method, path, target, media, body string
		want                              string
	}{
		{"GET", "/domains", "/domains?limit=10&q=a", "", "", ""},
		{"GET", "/domains", "/domains?limit=0", "", "", "limit is 0, must be at least 1"},
		{"GET", "/domains", "/domains?limit=ten", "", "", "limit must be integer, not string"},
		{"GET", "/domains", "/domains?limit=1e3", "", "", ""},
		{"GET", "/domains", "/domains?limit=1&limit=2", "", "", "limit is given twice"},
		{"GET", "/domains", "/domains?colour=red&project=x", "", "", "colour is not known here; known are project, q, sort, limit, cursor; project must have 24 hexadecimal digits"},
		{"GET", "/domains", "/domains?q=%zz", "", "", "query is not readable"},
		{"GET", "/executions", "/executions?state=asleep", "", "", "state is asleep, must be one of queued, starting"},
		{"POST", "/projects", "/projects", "", `{"name": "x"}`, ""},
		{"POST", "/projects", "/projects", "application/json; charset=utf-8", `{"name": "x"}`, ""},
		{"POST", "/projects", "/projects", "text/plain", `{"name": "x"}`, `Content-Type "text/plain" is not taken here; taken are application/json`},
		{"POST", "/projects", "/projects", "", `{"nam": 1, "internal": ["a", 2]}`, "internal[1] must be string, not number; nam is not known here; known are internal, name, notes"},
		{"POST", "/projects", "/projects", "", `{}`, "name is required"},
		{"POST", "/projects", "/projects", "", ``, "body is no JSON"},
		{"POST", "/projects", "/projects", "", `{"name": "x"} {}`, "body is no JSON"},
		{"POST", "/projects", "/projects", "", `null`, "body must be object, not null"},
		{"POST", "/projects", "/projects", "", `{"name": "` + strings.Repeat("x", 5<<20) + `"}`, "the body has more than"},
		{"POST", "/logout", "/logout", "text/plain", `anything`, ""},
	} {
		op := d.Operation(tc.method, tc.path)
		r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
		if tc.media != "" {
			r.Header.Set("Content-Type", tc.media)
		}
		err := op.CheckRequest(httptest.NewRecorder(), r, map[string]string{"id": id, "projectId": id})
		switch {
		case tc.want == "" && err == nil:
		case tc.want == "" || err == nil || !strings.Contains(err.Error(), tc.want):
			t.Errorf("%s %s %.60s:\n got %v\nwant %s", tc.method, tc.target, tc.body, err, tc.want)
		}
		if c := pipeline.CodeOf(err); err != nil && c != pipeline.CodeInvalid && c != pipeline.CodeTooLarge {
			t.Errorf("%s %s: code %s", tc.method, tc.target, c)
		}
	}
}

func TestAnswersAreChecked(t *testing.T) {
	op := document(t).Operation("GET", "/version")
	header := func(media string) http.Header { return http.Header{"Content-Type": {media}} }
	for _, tc := range []struct {
		status int
		media  string
		body   string
		ok     bool
	}{
		{200, "application/json", `{"version": "1"}`, true},
		{200, "application/json", `{"version": 1}`, false},
		{200, "application/json", `{"version": "1", "more": 1}`, false},
		{200, "text/html", `{"version": "1"}`, false},
		{201, "application/json", `{"version": "1"}`, false},
		{500, "application/problem+json", `{"type": "about:blank", "title": "x", "status": 500, "code": "internal"}`, true},
		{500, "application/problem+json", `{"message": "x"}`, false},
	} {
		if err := op.CheckAnswer(tc.status, header(tc.media), []byte(tc.body)); (err == nil) != tc.ok {
			t.Errorf("%d %s %s: %v", tc.status, tc.media, tc.body, err)
		}
	}
}

func TestMistakesInThePartsAreFound(t *testing.T) {
	root := "openapi: 3.1.0\npaths: {}\ncomponents: {schemas: {Id: {type: string}}}\n"
	for part, want := range map[string]string{
		"paths: {/a: {get: {parameters: [{$ref: '#/components/parameters/Gone'}], responses: {}}}}": "leads nowhere",
		"components: {schemas: {Id: {type: number}}}":                                               "components/schemas/Id is defined twice",
		"info: {title: x}": `"info" does not belong into a part`,
		"paths: [":         "parts/a.yaml",
		"paths: {/a: {get: {requestBody: {content: {application/json: {schema: {type: 7}}}}, responses: {}}}}": "/paths/~1a/get",
	} {
		_, err := load(fstest.MapFS{"openapi.yaml": {Data: []byte(root)}, "parts/a.yaml": {Data: []byte(part)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", part, err, want)
		}
	}
}

func BenchmarkCheckRequest(b *testing.B) {
	d := document(b)
	hosts := `{"ips": ["192.0.2.1"` + strings.Repeat(`, "2001:db8::1"`, 999) + `]}`
	for _, bc := range []struct{ name, method, path, target, body string }{
		{"list", "GET", "/domains", "/domains?limit=10&q=a&project=5f1e8a0c9b7d4e6f8a0b1c2d", ""},
		{"1000 hosts", "POST", "/projects/{projectId}/hosts", "/", hosts},
	} {
		b.Run(bc.name, func(b *testing.B) {
			op := d.Operation(bc.method, bc.path)
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(bc.method, bc.target, strings.NewReader(bc.body))
				if err := op.CheckRequest(nil, r, map[string]string{"projectId": "5f1e8a0c9b7d4e6f8a0b1c2d"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
