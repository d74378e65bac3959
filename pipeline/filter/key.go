package filter

import (
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// looksLikeKey tells keys from words with a colon in them.
func looksLikeKey(s string) bool {
	if s == "" || len(s) > 300 || (s[0]|0x20) < 'a' || (s[0]|0x20) > 'z' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || strings.IndexByte(`/\[]{},*`, c) >= 0 {
			return false
		}
	}
	return true
}

// resolve finds the field a key names, and the parts of a field of findings.
func (p *parser) resolve(key string) (f *Field, k, sub string) {
	if f := Lookup(p.kind, key); f != nil && f.Type != Dynamic {
		return f, "", ""
	}
	head, rest, ok := strings.Cut(key, ".")
	f = Lookup(p.kind, head)
	if !ok || rest == "" || f == nil || f.Type != Dynamic {
		return nil, "", ""
	}
	if f.Name == "field" {
		return f, "", rest
	}
	k, sub, ok = strings.Cut(rest, ".")
	if k == "" || ok && sub == "" {
		return nil, "", ""
	}
	return f, k, sub
}

// namespace reports whether a key begins like one, whatever comes after the dot.
func (p *parser) namespace(key string) bool {
	head, _, _ := strings.Cut(strings.ToLower(key), ".")
	for _, n := range names(p.kind) {
		first, _, _ := strings.Cut(strings.ToLower(n), ".")
		if head == first {
			return true
		}
	}
	switch head {
	case "project", "domain", "host", "port", "iprange", "website", "tag", "mergedin", "finding", "field", "certificate", "cert":
		return true
	}
	return false
}

// names lists what the terms of a kind are called, aliases included.
func names(kind pipeline.Kind) []string {
	var out []string
	for i := range tables[kind] {
		out = append(out, tables[kind][i].Name)
	}
	for i := range tables[kind] {
		out = append(out, tables[kind][i].Aliases...)
	}
	return out
}

// Called is how the term is written: the field's name, and the parts of a field of
// findings.
func (t *Term) Called() string {
	s := t.Field.Name
	if t.Key != "" {
		s += "." + t.Key
	}
	if t.Sub != "" {
		s += "." + t.Sub
	}
	return s
}
