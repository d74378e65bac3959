package rule

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/stalker-asm/stalker/pipeline"
)

// Limits on a document.
const (
	MaxDocument   = 256 << 10 // bytes
	MaxConditions = 1000
	MaxDepth      = 32
	MaxCooldown   = 10 * 365 * 24 * time.Hour

	MaxFindingKeys = 100 // finding keys of one subscription
	MaxFindingKey  = 200 // bytes of one of them

	maxTokens  = 100_000
	maxNesting = 3*MaxDepth + 4 // brackets: a condition takes three, {and: [{…}]}
)

// Parse reads a document. The error is Problems with every problem found; then
// there is no document.
func Parse(source []byte) (*Document, error) { return parse(source, &reader{}) }

func parse(source []byte, p *reader) (*Document, error) {
	text, err := legible(source)
	if err != nil {
		return nil, err
	}
	root, err := tree(text)
	if _, ours := errors.AsType[Problems](err); err != nil && !ours {
		if p.problems = p.salvage(text); len(p.problems) == 0 {
			p.problems = problemsOf(err)
		}
		return nil, inOrder(p.problems)
	}
	if err != nil {
		return nil, problemsOf(err)
	}
	d := p.document(root)
	if len(p.problems) > 0 {
		return nil, inOrder(p.problems)
	}
	return d, nil
}

// inOrder sorts problems as they stand in the text.
func inOrder(list Problems) Problems {
	slices.SortStableFunc(list, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return list
}

// unreadable makes a panic of the library, which some malformed input causes, a
// problem of the document, not of the process.
func unreadable(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("not readable as YAML: %v", r)
	}
}

// legible returns the text of a document without its byte order mark, or where it
// stops being one that a person could read.
func legible(source []byte) (string, error) {
	if len(source) > MaxDocument {
		line, column := place(source[:MaxDocument])
		return "", Problems{{Line: line, Column: column, Message: fmt.Sprintf("the document has %d bytes, at most %d are allowed: it must end here", len(source), MaxDocument)}}
	}
	text := strings.TrimPrefix(string(source), "\ufeff")
	for i, r := range text {
		var what string
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			what = fmt.Sprintf("the byte 0x%02x is not UTF-8: save the document as UTF-8", text[i])
		case r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0x7f:
			what = fmt.Sprintf("the control character %U is not allowed: write it as an escape in double quotes", r)
		default:
			continue
		}
		line, column := place([]byte(text[:i]))
		return "", Problems{{Line: line, Column: column, Message: what}}
	}
	return text, nil
}

// place is the line and the column that follow a text.
func place(before []byte) (line, column int) {
	last := before[bytes.LastIndexByte(before, '\n')+1:]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(last)
}

// tree parses YAML.
func tree(text string) (root ast.Node, err error) {
	defer unreadable(&err)
	tokens := lexer.Tokenize(text)
	if err := guard(tokens); err != nil {
		return nil, err
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // which entries and value report
	if err != nil {
		return nil, err
	}
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if root != nil {
			return nil, at(first(d.Body).GetToken(), "one document is expected, and here begins another one")
		}
		root = d.Body
	}
	if root == nil {
		return nil, Problems{{Line: 1, Column: 1, Message: "the document is empty: name, findings, cooldown and job are expected"}}
	}
	return root, nil
}

// guard refuses what would make the parser slow or the document other than it looks:
// deep nesting, which it reads in quadratic time, anchors, tags and explicit keys.
func guard(tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return at(tokens[maxTokens], "the document has more than %d words and signs", maxTokens)
	}
	flow, line, dashes := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			dashes++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return at(t, "anchors and aliases are not allowed: write the value out, and quote a text that begins with * or &")
		case token.TagType:
			return at(t, "tags are not allowed: quote what is text")
		case token.DirectiveType:
			return at(t, "directives are not allowed: leave the line out")
		case token.MappingKeyType:
			return at(t, "explicit keys are not allowed: write key: value")
		default:
		}
		if flow > maxNesting || dashes > maxNesting {
			return at(t, "nested deeper than %d", maxNesting)
		}
	}
	return nil
}

func at(t *token.Token, format string, args ...any) error {
	return Problems{{Line: t.Position.Line, Column: t.Position.Column, Message: fmt.Sprintf(format, args...)}}
}

// problemsOf takes the position out of a syntax error of the library.
func problemsOf(err error) Problems {
	if own, ok := errors.AsType[Problems](err); ok {
		return own
	}
	var line, col int
	text := yaml.FormatError(err, false, false)
	if _, scan := fmt.Sscanf(text, "[%d:%d]", &line, &col); scan == nil {
		_, text, _ = strings.Cut(text, "] ")
	}
	return Problems{{Line: line, Column: col, Message: strings.TrimSpace(text)}}
}

// reader walks the tree and gathers problems.
type reader struct {
	problems   Problems
	strict     bool // Check
	conditions int
}

func (p *reader) fail(n ast.Node, path, format string, args ...any) {
	p.expect(n, path, nil, format, args...)
}

// expect is fail with the few things that may stand there.
func (p *reader) expect(n ast.Node, path string, expected []string, format string, args ...any) {
	pr := Problem{Path: path, Message: fmt.Sprintf(format, args...), Expected: expected}
	if t := first(n).GetToken(); t != nil && t.Position != nil {
		pr.Line, pr.Column = t.Position.Line, t.Position.Column
	}
	if len(p.problems) < 100 { // more help nobody
		p.problems = append(p.problems, pr)
	}
}

// first returns the node a reader would point at: of a mapping in block form, whose
// own token is the first colon, that is the first key.
func first(n ast.Node) ast.Node {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key
	}
	return n
}

// entries returns a mapping's values by key; unknown and repeated keys are problems.
func (p *reader) entries(n ast.Node, path string, known ...string) map[string]ast.Node {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		p.fail(n, path, "%s is expected, not %s", "a mapping with "+strings.Join(known, ", "), what(n))
		return nil
	}
	out := map[string]ast.Node{}
	for _, v := range m.Values {
		key := keyOf(v)
		switch {
		case key == "finding" && slices.Contains(known, "findings"):
			p.fail(v.Key, join(path, key), "write findings: [X] instead")
		case !slices.Contains(known, key):
			p.expect(v.Key, join(path, key), known, "unknown key, known here: %s", strings.Join(known, ", "))
		case out[key] != nil:
			p.fail(v.Key, join(path, key), "is written twice")
		default:
			out[key] = v.Value
		}
	}
	return out
}

func keyOf(v *ast.MappingValueNode) string {
	if s, ok := v.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return v.Key.String()
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// what names a node's kind for people.
func what(n ast.Node) string {
	switch x := n.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.IntegerNode, *ast.FloatNode:
		return "the number " + n.String()
	case *ast.BoolNode:
		return "the boolean " + n.String()
	case *ast.AliasNode, *ast.AnchorNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	case *ast.StringNode:
		return fmt.Sprintf("%q", clip(x.Value))
	default:
		return fmt.Sprintf("%q", clip(n.String()))
	}
}

// clip keeps what is quoted in a problem short.
func clip(s string) string { return pipeline.Clip(s, 60) }
