package rule

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// maxBlocks is up to how many top-level entries a document that is no YAML is read on.
const maxBlocks = 200

// block is a top-level entry of a document: a line that begins with a key, and those
// up to the next such line.
type block struct {
	key, text string
	line      int // from 0
}

// blocks splits a document into its entries, nil when it is not written as entries.
func blocks(text string) (out []block) {
	line := 0
	for l := range strings.Lines(text) {
		key, _, entry := strings.Cut(l, ":")
		switch {
		case entry && strings.IndexByte(" \t#-[]{},'\"", l[0]) < 0:
			out = append(out, block{key: strings.TrimSpace(key), text: l, line: line})
		case len(out) > 0:
			out[len(out)-1].text += l
		case strings.TrimSpace(l) != "" && l[0] != '#':
			return nil
		}
		if line++; len(out) > maxBlocks {
			return nil
		}
	}
	return out
}

// salvage reads the entries of a document one by one after it turned out to be no
// YAML as a whole, so that a slip in one of them does not hide what is wrong with the
// others. It returns what is wrong, or nil when that is no matter of an entry.
func (p *reader) salvage(text string) Problems {
	var broken Problems
	var keys []string
	root := &ast.MappingNode{BaseNode: &ast.BaseNode{}}
	for _, b := range blocks(text) {
		m, err := b.parse()
		if err != nil {
			broken, keys = append(broken, problemsOf(err)...), append(keys, b.key)
		} else {
			root.Start = m.Start
			root.Values = append(root.Values, m.Values...)
		}
	}
	if len(broken) == 0 || len(root.Values) == 0 || slices.Contains(keys, "triggerType") { // which says what the others mean
		return broken
	}
	p.document(root)
	for _, x := range p.problems {
		if !concerns(keys, x.Path) {
			broken = append(broken, x)
		}
	}
	return broken
}

// concerns reports whether a problem is about an entry that could not be read, and may
// only be one because of that.
func concerns(keys []string, path string) bool {
	end := strings.IndexAny(path+".", ".[")
	return slices.ContainsFunc(keys, func(key string) bool {
		return path[:end] == key || path[:end] == "job" && (key == "jobName" || key == "jobParameters")
	})
}

// parse reads an entry as if it stood alone, at its place in the document.
func (b *block) parse() (m *ast.MappingNode, err error) {
	defer unreadable(&err)
	tokens := lexer.Tokenize(b.text)
	for _, t := range tokens {
		t.Position.Line += b.line
	}
	if err := guard(tokens); err != nil {
		return nil, err
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	if len(f.Docs) == 1 {
		if m, ok := f.Docs[0].Body.(*ast.MappingNode); ok {
			return m, nil
		}
	}
	return nil, Problems{{Line: b.line + 1, Column: 1, Message: "one entry is expected, written as key: value"}}
}
