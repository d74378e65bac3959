package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/openapi"
)

// Generator makes requests from the API's document: what it describes, what lies at
// the edges of that, and what it does not. The same seed makes the same requests.
type Generator struct {
	rng  *rand.Rand
	tree map[string]any
	ids  []string // of things that answers have shown
	// Wild is how many of a hundred values are not what is described.
	Wild int
}

// Request is one request, below /api/v1.
type Request struct {
	Op      *openapi.Operation
	Path    string // with the query
	Body    []byte // nil for none
	Headers map[string]string
}

// NewGenerator returns a generator.
func NewGenerator(t testing.TB, seed uint64) *Generator {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	g := &Generator{rng: rand.New(rand.NewPCG(seed, 7)), Wild: 8}
	if err := json.Unmarshal(doc.JSON(), &g.tree); err != nil {
		t.Fatal(err)
	}
	return g
}

// Learn takes ids of things that exist out of an answer.
func (g *Generator) Learn(body []byte) {
	var v any
	if json.Unmarshal(body, &v) == nil {
		g.learn(v)
	}
}

func (g *Generator) learn(v any) {
	switch x := v.(type) {
	case map[string]any:
		for k, child := range x {
			s, ok := child.(string)
			if ok && (k == "id" || strings.HasSuffix(k, "Id")) && s != "" && !slices.Contains(g.ids, s) && len(g.ids) < 300 {
				g.ids = append(g.ids, s)
			}
			g.learn(child)
		}
	case []any:
		for _, child := range x {
			g.learn(child)
		}
	}
}

// Make makes a request of an operation.
func (g *Generator) Make(op *openapi.Operation) Request {
	r := Request{Op: op, Path: op.Path, Headers: map[string]string{}}
	item := object(object(g.tree["paths"])[op.Path])
	v := object(item[strings.ToLower(op.Method)])
	shared, _ := item["parameters"].([]any)
	own, _ := v["parameters"].([]any)
	q := url.Values{}
	for _, p := range slices.Concat(shared, own) {
		m := g.resolve(p)
		name, required := m["name"].(string), m["required"] == true
		text := func() string { return scalar(g.value(m["schema"], 3)) }
		switch {
		case m["in"] == "path":
			r.Path = strings.ReplaceAll(r.Path, "{"+name+"}", url.PathEscape(g.id(text())))
		case m["in"] == "query" && (required || g.one(3)):
			q.Set(name, g.query(name, text))
		case m["in"] == "header" && (required || g.one(4)):
			r.Headers[name] = header(text())
		}
	}
	if g.wild() {
		q.Add(g.hostile(), g.hostile())
	}
	if len(q) > 0 {
		r.Path += "?" + q.Encode()
	}
	if b := g.resolve(v["requestBody"]); b != nil {
		g.body(&r, object(b["content"]))
	}
	return r
}

// query writes a parameter; those that other checks than a schema's read are made
// to fit more often than chance would.
func (g *Generator) query(name string, text func() string) string {
	switch name {
	case "project":
		return g.id(text())
	case "q":
		return g.filter()
	case "since", "until", "from", "to":
		return g.instant()
	case "field":
		return g.pick("port", "service", "tag", "owner", "host", "os", "technology", "key", "job", "state", g.hostile())
	case "sort":
		return g.pick("firstSeen", "-lastSeen", "port", "-at", "queuedAt", "-duration", g.hostile())
	case "cursor", "after":
		return g.pick("", "WyJhIl0", "WzFd", "bnVsbA", g.hostile())
	default:
		return text()
	}
}

func (g *Generator) body(r *Request, content map[string]any) {
	media := slices.Sorted(maps.Keys(content))
	if len(media) == 0 {
		return
	}
	m := media[g.rng.IntN(len(media))]
	r.Headers["Content-Type"] = m
	switch {
	case !strings.HasSuffix(m, "json"):
		r.Body = []byte(strings.Repeat(g.hostile()+"\n", 1+g.rng.IntN(5)))
	case g.one(30):
		r.Body = []byte(g.pick("", "null", "[]", "{", `{"a":1,"a":2}`, "\xff\xfe", strings.Repeat("[", 5000), g.hostile()))
	default:
		v := g.value(object(content[m])["schema"], 6)
		if e := object(content[m])["example"]; e != nil && g.one(2) {
			v = g.bend(e)
		}
		r.Body, _ = json.Marshal(v) // it is made of what JSON has
	}
}

// bend changes one property of an example, and gives it ids of things there are.
func (g *Generator) bend(v any) any {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		return v
	}
	m = maps.Clone(m)
	for k, x := range m {
		switch x := x.(type) {
		case string:
			if strings.HasSuffix(k, "Id") {
				m[k] = g.id(x)
			} else if strings.Contains(strings.ToLower(k), "name") {
				m[k] = fmt.Sprintf("%s %d", x, g.rng.IntN(1000))
			}
		default:
		}
	}
	if g.one(2) {
		keys := slices.Sorted(maps.Keys(m))
		m[keys[g.rng.IntN(len(keys))]] = g.anything(3)
	}
	return m
}

// value makes a value of a schema, and now and then another.
func (g *Generator) value(schema any, depth int) any {
	s := g.resolve(schema)
	if g.wild() || depth <= 0 {
		return g.anything(depth)
	}
	for _, k := range []string{"oneOf", "anyOf"} {
		if list, ok := s[k].([]any); ok && len(list) > 0 {
			return g.value(list[g.rng.IntN(len(list))], depth)
		}
	}
	if list, ok := s["enum"].([]any); ok && len(list) > 0 {
		return list[g.rng.IntN(len(list))]
	}
	if s["const"] != nil {
		return s["const"]
	}
	switch g.typeOf(s) {
	case "object":
		return g.object(s, depth)
	case "array":
		n := g.between(s, "minItems", "maxItems", 4)
		list := make([]any, n)
		for i := range list {
			list[i] = g.value(s["items"], depth-1)
		}
		return list
	case "integer":
		return g.between(s, "minimum", "maximum", 1000)
	case "number":
		return float64(g.between(s, "minimum", "maximum", 1000)) / 3
	case "boolean":
		return g.one(2)
	case "null":
		return nil
	default:
		return g.text(s)
	}
}

func (g *Generator) typeOf(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		return fmt.Sprint(t[g.rng.IntN(len(t))])
	default:
		if s["properties"] != nil {
			return "object"
		}
		return g.pick("string", "integer", "boolean", "null")
	}
}

func (g *Generator) object(s map[string]any, depth int) any {
	out := map[string]any{}
	required, _ := s["required"].([]any)
	properties := object(s["properties"])
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(k)) || g.one(2) {
			out[k] = g.value(properties[k], depth-1)
		}
	}
	if more := s["additionalProperties"]; more != nil && more != false {
		out[g.hostile()] = g.value(more, depth-1)
	}
	if g.wild() {
		out[g.hostile()] = g.hostile()
	}
	return out
}

// between is a number within the bounds, at the bounds more often than chance.
func (g *Generator) between(s map[string]any, least, most string, otherwise int) int {
	lo, hi := 0, otherwise
	if v, ok := s[least].(float64); ok {
		lo, hi = int(v), int(v)+otherwise
	}
	if v, ok := s[most].(float64); ok {
		hi = min(int(v), lo+1_000_000)
	}
	if strings.HasPrefix(most, "maxI") {
		hi = min(hi, lo+4)
	}
	switch {
	case hi <= lo || g.one(6):
		return lo
	case g.one(6):
		return hi
	default:
		return lo + g.rng.IntN(hi-lo+1)
	}
}

func (g *Generator) text(s map[string]any) string {
	pattern, _ := s["pattern"].(string)
	switch {
	case strings.Contains(pattern, "{24}"):
		return g.id("")
	case strings.Contains(pattern, "{32}"):
		return g.hex(32)
	case s["format"] == "date-time":
		return g.instant()
	}
	t := g.pick("a", "Example", "example.com", "192.0.2.7", "2001:db8::/32", "name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n", g.hostile())
	if n, ok := s["minLength"].(float64); ok && len(t) < int(n) {
		t += strings.Repeat("x", int(n)-len(t))
	}
	if n, ok := s["maxLength"].(float64); ok && len([]rune(t)) > int(n) {
		t = string([]rune(t)[:int(n)])
	}
	return t
}

// id is one that names something, or is at least like one; otherwise is used now
// and then.
func (g *Generator) id(otherwise string) string {
	switch {
	case otherwise != "" && g.one(10):
		return otherwise
	case len(g.ids) > 0 && !g.one(5):
		return g.ids[g.rng.IntN(len(g.ids))]
	default:
		return g.hex(24)
	}
}

func (g *Generator) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[g.rng.IntN(16)]
	}
	return string(b)
}

func (g *Generator) instant() string {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.rng.IntN(400*24)) * time.Hour)
	return g.pick(at.Format(time.RFC3339), at.Format(time.RFC3339Nano), "1970-01-01T00:00:00Z", "2200-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "now", g.hostile())
}

// filter writes a filter, good or bad.
func (g *Generator) filter() string {
	word := func() string {
		name := g.pick("port", "host", "ip", "domain", "tag", "is", "lastSeen", "service", "finding.K.a", "field.x", "status", "text", "id", "project", "expires", g.hostile())
		value := g.pick("443", "80-90", ">1024", "10.0.0.0/8", "*.example.com", `"a b"`, "<7d", "2026-01", "~^a.*b$", "~(a+)+$", "blocked", "*", "a,b", "", g.hostile())
		return g.pick("", "-", "NOT ") + name + g.pick(":", "=", ":>", "") + value
	}
	var out strings.Builder
	out.WriteString(word())
	for range g.rng.IntN(4) {
		out.WriteString(g.pick(" ", " OR ", " AND ", " (") + word())
	}
	return out.String()
}

// anything is a value that nobody expects.
func (g *Generator) anything(depth int) any {
	switch g.rng.IntN(9) {
	case 0:
		return nil
	case 1:
		return g.one(2)
	case 2:
		return g.rng.Int64()
	case 3:
		return -1
	case 4:
		return 1e300
	case 5:
		return []any{g.hostile()}
	case 6:
		if depth > 0 {
			return map[string]any{g.hostile(): g.anything(depth - 1)}
		}
		return map[string]any{}
	default:
		return g.hostile()
	}
}

func (g *Generator) hostile() string { return Hostile[g.rng.IntN(len(Hostile))] }

// Hostile are texts that have broken other programs. None does harm when it is run.
var Hostile = []string{
	"", " ", "'", `"`, "`", `\`, "%", "%00", "\x00", "a\x00b", "\r\n", "\u2028", "\ufeff", "\u202e", "é", "𝕊", "ﷺ", "\xed\xa0\x80", "null", "undefined", "NaN", "-0", "0x7f", "1e999",
	"' OR '1'='1", `" OR ""="`, "1; SELECT 1", "') UNION ALL SELECT 1 --", "{project:String}", "{f0:String}", "?", "$1", ":id", "/*", "*/", "--", "\\'", "sleep(0)",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{7*7}}", "${7*7}", "#{7*7}", "%s%n%d", "{0}", "../../etc/passwd", "..%2f..%2f", "file:///dev/null", "javascript:alert(1)",
	"=1+1", "+1", "-1", "@SUM(1)", "\t=1", "$(id)", "`id`", "|id", "*", "**", "***:*", "(", ")", "((((((((((", "[", "]", "{", "}", ":", "::", ",", ";", "~(", "~[", "~(?P<", "a:", ":a", "a:b:c",
	strings.Repeat("a", 5000), strings.Repeat("(", 500), strings.Repeat("é", 1000), strings.Repeat("a OR ", 500), "2001:db8::zzzz", "256.256.256.256", "0.0.0.0/33", "::/129", "-1/8",
}

func (g *Generator) pick(list ...string) string { return list[g.rng.IntN(len(list))] }
func (g *Generator) one(in int) bool            { return g.rng.IntN(in) == 0 }
func (g *Generator) wild() bool                 { return g.rng.IntN(100) < g.Wild }

// resolve follows references.
func (g *Generator) resolve(v any) map[string]any {
	m := object(v)
	for range 8 {
		ref, ok := m["$ref"].(string)
		if !ok {
			break
		}
		var at any = g.tree
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = object(at)[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		m = object(at)
	}
	return m
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// scalar is a value as it stands in a URL.
func scalar(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v) // it is made of what JSON has
	return string(bytes.Trim(b, "[]\""))
}

// header leaves out what no client would send.
func header(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
