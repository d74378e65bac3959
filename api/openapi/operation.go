package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Operation is one method of one path.
type Operation struct {
	ID      string
	Method  string
	Path    string // below the server's URL, such as /domains/{id}
	Tag     string
	Summary string
	Public  bool     // no credential is needed
	Scope   string   // what the caller must be allowed to do; "self" is what everyone may do with their own account
	Project string   // where the project comes from: one of the constants below
	MaxBody int64    // bytes of a JSON body
	Media   []string // media types of the body, none when it takes none
	Example []byte   // a JSON body that is taken; nil when none is given

	parameters   []parameter
	query        []string // names of query parameters, in order
	bodyRequired bool
	body         *jsonschema.Schema // of a JSON body
	answers      map[string]answer
	doc          *Document
}

// Where an operation's project comes from (x-project).
const (
	ProjectNone    = ""        // it is not about a project
	ProjectPath    = "path"    // {projectId}
	ProjectQuery   = "query"   // ?project=, and without it every project the caller may see
	ProjectItem    = "item"    // the thing that {id} names belongs to one; the handler asks
	ProjectBody    = "body"    // projectId in the body; the handler asks
	ProjectVisible = "visible" // it answers with what the caller may see
)

type parameter struct {
	name, in string
	required bool
	types    []string // of the value, or of an array's items when list
	list     bool
	schema   *jsonschema.Schema
}

type answer struct {
	headers []string
	media   map[string]*jsonschema.Schema
}

const defaultMaxBody = 4 << 20

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// base is the name under which the compiler knows the document.
const base = "stalker:///openapi.json"

type compiler struct {
	doc    *Document
	open   *jsonschema.Compiler // as written
	closed *jsonschema.Compiler // objects hold what is described and nothing else
	errs   []error
}

func (d *Document) compile() error {
	c := &compiler{doc: d}
	var err error
	if c.open, err = newCompiler(d.json, false); err != nil {
		return err
	}
	if c.closed, err = newCompiler(d.json, true); err != nil {
		return err
	}
	for path, item := range object(d.tree["paths"]) {
		for _, method := range methods {
			if v := object(object(item)[strings.ToLower(method)]); v != nil {
				op := c.operation(method, path, object(item), v)
				d.operations = append(d.operations, op)
				d.byRoute[method+" "+path] = op
			}
		}
	}
	slices.SortFunc(d.operations, func(a, b *Operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return errors.Join(c.errs...)
}

func newCompiler(doc []byte, closed bool) (*jsonschema.Compiler, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, err
	}
	if closed {
		closeObjects(v)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, c.AddResource(base, v)
}

// closeObjects forbids properties that are not described, so that a test notices
// an answer that says more than its description.
func closeObjects(v any) {
	switch x := v.(type) {
	case map[string]any:
		_, isObject := x["properties"].(map[string]any)
		if _, stated := x["additionalProperties"]; isObject && !stated && x["type"] != nil {
			x["additionalProperties"] = false
		}
		for k, child := range x {
			if k != "example" && k != "examples" && k != "default" {
				closeObjects(child)
			}
		}
	case []any:
		for _, child := range x {
			closeObjects(child)
		}
	}
}

func (c *compiler) failf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *compiler) operation(method, path string, item, v map[string]any) *Operation {
	op := &Operation{
		ID: text(v["operationId"]), Method: method, Path: path, Summary: text(v["summary"]), Scope: text(v["x-scope"]),
		Project: text(v["x-project"]), MaxBody: defaultMaxBody, answers: map[string]answer{}, doc: c.doc,
	}
	if n, ok := v["x-max-body"].(uint64); ok {
		op.MaxBody = int64(n)
	}
	if tags, _ := v["tags"].([]any); len(tags) == 1 {
		op.Tag = text(tags[0])
	}
	if s, ok := v["security"].([]any); ok && len(s) == 0 {
		op.Public = true
	}
	at := base + "#/paths/" + escape(path) + "/"
	c.parameters(op, at+"parameters", item["parameters"])
	at += strings.ToLower(method) + "/"
	c.parameters(op, at+"parameters", v["parameters"])
	if b := v["requestBody"]; b != nil {
		c.requestBody(op, at+"requestBody", b)
	}
	for status, r := range object(v["responses"]) {
		c.response(op, status, at+"responses/"+status, r)
	}
	return op
}

func (c *compiler) parameters(op *Operation, at string, v any) {
	list, _ := v.([]any)
	for i, p := range list {
		at, m := c.deref(fmt.Sprintf("%s/%d", at, i), p)
		s := object(m["schema"])
		if m == nil || s == nil {
			c.failf("%s %s: parameter %d has no schema", op.Method, op.Path, i)
			continue
		}
		required, _ := m["required"].(bool)
		out := parameter{name: text(m["name"]), in: text(m["in"]), required: required, schema: c.schema(c.open, at+"/schema")}
		out.types = c.types(s)
		if slices.Contains(out.types, "array") {
			out.list, out.types = true, c.types(object(s["items"]))
		}
		op.parameters = append(op.parameters, out)
		if out.in == "query" {
			op.query = append(op.query, out.name)
		}
	}
}

// types returns the type names of a schema, through references.
func (c *compiler) types(s map[string]any) []string {
	_, s = c.deref("", s)
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var list []string
		for _, x := range t {
			list = append(list, text(x))
		}
		return list
	default:
		return []string{"string"}
	}
}

func (c *compiler) requestBody(op *Operation, at string, v any) {
	at, m := c.deref(at, v)
	op.bodyRequired, _ = m["required"].(bool)
	for media := range object(m["content"]) {
		op.Media = append(op.Media, media)
		if isJSON(media) {
			if e := object(object(m["content"])[media])["example"]; e != nil {
				op.Example, _ = json.Marshal(e) // it was read from YAML
			}
			op.body = c.schema(c.open, at+"/content/"+escape(media)+"/schema")
		}
	}
	slices.Sort(op.Media)
}

func (c *compiler) response(op *Operation, status, at string, v any) {
	at, m := c.deref(at, v)
	a := answer{media: map[string]*jsonschema.Schema{}}
	for name := range object(m["headers"]) {
		a.headers = append(a.headers, name)
	}
	for media, x := range object(m["content"]) {
		a.media[media] = nil
		if object(x)["schema"] != nil && isJSON(media) {
			a.media[media] = c.schema(c.closed, at+"/content/"+escape(media)+"/schema")
		}
	}
	op.answers[status] = a
}

// deref follows a reference inside the document.
func (c *compiler) deref(at string, v any) (string, map[string]any) {
	m := object(v)
	for range 8 {
		ref := text(m["$ref"])
		if ref == "" {
			return at, m
		}
		at, m = base+ref, object(c.doc.lookup(ref))
		if m == nil {
			c.failf("%s leads nowhere", ref)
		}
	}
	return at, m
}

func (c *compiler) schema(with *jsonschema.Compiler, at string) *jsonschema.Schema {
	s, err := with.Compile(at)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	return s
}

// lookup returns what a pointer such as #/components/schemas/Id names, or nil.
func (d *Document) lookup(ref string) any {
	var v any = d.tree
	for s := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		s = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
		switch x := v.(type) {
		case map[string]any:
			v = x[s]
		case []any:
			var i int
			if _, err := fmt.Sscan(s, &i); err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// escape makes a name a part of a JSON pointer in a URL.
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}
