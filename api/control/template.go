package control

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// Problem is one thing that is wrong with a document.
type Problem = rule.Problem

// Problems is every thing that is wrong with a document; its code is invalid.
type Problems = rule.Problems //nolint:errname // its name there

// Limits on a template.
const (
	maxTemplate = 2 << 20 // bytes
	maxTokens   = 100_000
	maxNesting  = 16
)

// ParseTemplate reads a job's template.yaml in the reference's format, with a
// summary, a deadline and parameters' summaries of our own, and, when the template
// comes alone, code and handler. The error is Problems with everything that is
// wrong.
func ParseTemplate(source []byte) (pipeline.Job, error) {
	t, root, err := parseTemplate(source)
	if err != nil {
		return pipeline.Job{}, err
	}
	j := t.job(root)
	if len(t.problems) > 0 {
		return j, t.sorted()
	}
	for _, p := range checkJob(&j) {
		t.at(p.Path, p.Message)
	}
	if len(t.problems) > 0 {
		return j, t.sorted()
	}
	return j, nil
}

// template reads a tree and remembers where each value stands.
type template struct {
	problems  Problems
	positions map[string]*token.Position
}

func parseTemplate(source []byte) (t *template, root *ast.MappingNode, err error) {
	defer func() { // the library panics on some malformed input
		if r := recover(); r != nil {
			err = Problems{{Message: fmt.Sprintf("not readable as YAML: %v", r)}}
		}
	}()
	if len(source) > maxTemplate {
		return nil, nil, Problems{{Message: fmt.Sprintf("the template has %d bytes, at most %d are allowed", len(source), maxTemplate)}}
	}
	tokens := lexer.Tokenize(string(source))
	if err := guard(tokens); err != nil {
		return nil, nil, err
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, nil, syntax(err)
	}
	if len(f.Docs) != 1 {
		return nil, nil, Problems{{Message: "one document is expected"}}
	}
	t = &template{positions: map[string]*token.Position{}}
	switch n := f.Docs[0].Body.(type) {
	case *ast.MappingNode:
		root = n
	default:
		return nil, nil, Problems{{Message: "keys and values are expected, such as name: MyJob"}}
	}
	return t, root, nil
}

// guard refuses what would make the parser slow or the document other than it looks.
func guard(tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return Problems{{Message: fmt.Sprintf("the template has more than %d words and signs", maxTokens)}}
	}
	flow, line, dashes := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		problem := ""
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			dashes++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			problem = "anchors and aliases are not allowed: write the value out"
		case token.TagType:
			problem = "tags are not allowed: quote what is text"
		default:
		}
		if flow > maxNesting || dashes > maxNesting {
			problem = "nested too deeply"
		}
		if problem != "" {
			return Problems{{Line: t.Position.Line, Column: t.Position.Column, Message: problem}}
		}
	}
	return nil
}

// syntax takes the position out of an error of the library.
func syntax(err error) Problems {
	if own, ok := errors.AsType[Problems](err); ok {
		return own
	}
	var line, column int
	text := yaml.FormatError(err, false, false)
	if _, scan := fmt.Sscanf(text, "[%d:%d]", &line, &column); scan == nil {
		_, text, _ = strings.Cut(text, "] ")
	}
	return Problems{{Line: line, Column: column, Message: strings.TrimSpace(text)}}
}

func (t *template) job(root *ast.MappingNode) pipeline.Job {
	e := t.entries(root, "", "version", "name", "type", "language", "jobPodConfigName", "image", "command", "rawSockets", "category", "summary",
		"deadline", "parameters", "code", "handler", "findingHandlerLanguage")
	if v := e["version"]; v == nil || fmt.Sprint(t.value(v)) != "2" {
		t.at("version", "must be 2")
	}
	j := pipeline.Job{
		Name: t.text(e, "name"), Type: pipeline.JobType(t.text(e, "type")), Language: t.text(e, "language"), Image: t.text(e, "image"),
		PodSize: t.text(e, "jobPodConfigName"), Category: t.text(e, "category"), Summary: t.text(e, "summary"),
		Code: t.text(e, "code"), Handler: t.text(e, "handler"),
	}
	if l := t.text(e, "findingHandlerLanguage"); l != "" && l != "python" {
		t.at("findingHandlerLanguage", "must be python")
	}
	if d := t.text(e, "deadline"); d != "" {
		var err error
		if j.Deadline, err = time.ParseDuration(d); err != nil {
			t.at("deadline", fmt.Sprintf("%q is no duration such as 30m or 1h30m", d))
		}
	}
	j.RawSockets = t.flag(e["rawSockets"], "rawSockets")
	for i, n := range t.list(e, "command") {
		s, ok := t.value(n).(string)
		if !ok {
			t.at(fmt.Sprintf("command[%d]", i), "must be text")
		}
		j.Command = append(j.Command, s)
	}
	for i, n := range t.list(e, "parameters") {
		j.Parameters = append(j.Parameters, t.parameter(n, fmt.Sprintf("parameters[%d]", i)))
	}
	return j
}

func (t *template) parameter(n ast.Node, path string) pipeline.Parameter {
	m, ok := n.(*ast.MappingNode)
	t.mark(path, n)
	if !ok {
		t.at(path, "{name, type, default, summary} is expected")
		return pipeline.Parameter{}
	}
	e := t.entries(m, path, "name", "type", "default", "required", "secret", "summary")
	p := pipeline.Parameter{Name: t.textAt(e["name"], path+".name"), Type: t.textAt(e["type"], path+".type"), Summary: t.textAt(e["summary"], path+".summary")}
	p.Required, p.Secret = t.flag(e["required"], path+".required"), t.flag(e["secret"], path+".secret")
	if d := e["default"]; d != nil {
		p.Default = t.value(d)
	}
	return p
}

// entries returns the values by key and reports keys that nobody knows.
func (t *template) entries(m *ast.MappingNode, path string, known ...string) map[string]ast.Node {
	out := map[string]ast.Node{}
	for _, v := range m.Values {
		key := v.Key.GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		t.positions[at] = v.Key.GetToken().Position
		switch {
		case !slices.Contains(known, key):
			t.at(at, "is not known here; known are "+strings.Join(known, ", "))
		case out[key] != nil:
			t.at(at, "is given twice")
		default:
			out[key] = v.Value
			t.mark(at, v.Value)
		}
	}
	return out
}

// mark remembers where a value stands; a value without a place of its own stands
// where its key does.
func (t *template) mark(path string, n ast.Node) {
	if n == nil || n.Type() == ast.MappingType || n.Type() == ast.SequenceType {
		return
	}
	if tok := n.GetToken(); tok != nil && tok.Position != nil {
		t.positions[path] = tok.Position
	}
}

func (t *template) text(e map[string]ast.Node, key string) string { return t.textAt(e[key], key) }

func (t *template) textAt(n ast.Node, path string) string {
	switch x := n.(type) {
	case nil, *ast.NullNode:
		return ""
	case *ast.StringNode:
		return x.Value
	case *ast.LiteralNode:
		return x.Value.Value
	default:
		t.at(path, "must be text: put it in quotes")
		return ""
	}
}

func (t *template) flag(n ast.Node, path string) bool {
	switch x := n.(type) {
	case nil, *ast.NullNode:
		return false
	case *ast.BoolNode:
		return x.Value
	default:
		t.at(path, "must be true or false")
		return false
	}
}

func (t *template) list(e map[string]ast.Node, key string) []ast.Node {
	switch x := e[key].(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		for i, n := range x.Values {
			t.mark(fmt.Sprintf("%s[%d]", key, i), n)
		}
		return x.Values
	default:
		t.at(key, "must be a list")
		return nil
	}
}

func (t *template) value(n ast.Node) any {
	var v any
	if err := yaml.NodeToValue(n, &v); err != nil {
		return nil
	}
	return v
}

// at reports a problem where the path stands, or where what holds it does.
func (t *template) at(path, message string) {
	if path == "podSize" {
		path = "jobPodConfigName" // its name in a template
	}
	p := Problem{Path: path, Message: message}
	for at := path; at != ""; at = parent(at) {
		if pos := t.positions[at]; pos != nil {
			p.Line, p.Column = pos.Line, pos.Column
			break
		}
	}
	if len(t.problems) < 100 { // more help nobody
		t.problems = append(t.problems, p)
	}
}

func parent(path string) string {
	i := strings.LastIndexAny(path, ".[")
	return path[:max(i, 0)]
}

func (t *template) sorted() Problems {
	slices.SortStableFunc(t.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return t.problems
}
