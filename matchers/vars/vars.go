// Package vars expands ${…} in the values of a subscription from a finding. It is
// pure and total: every template gives a value for every finding, a name nobody
// knows gives "", and types are kept.
//
// What may stand inside the braces is in matchers/rule/RULES.md.
package vars

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Template is a compiled value: a literal, a variable, text with variables in it,
// or a list of templates. The zero value is the literal nil.
type Template struct {
	literal any
	name    string // a variable alone: its type is kept
	parts   []Template
	kind    kind
}

type kind uint8

const (
	kindLiteral kind = iota
	kindVariable
	kindText // parts, joined as text
	kindList // parts, as a list
)

var expression = regexp.MustCompile(`\$\$\{|\$\{\s*([^\s{}]+)\s*\}`)

// Compile makes a template of a decoded YAML or JSON value: nil, string, bool, a
// number or a list of them. Objects are literals, as in the reference.
func Compile(v any) Template {
	switch x := v.(type) {
	case string:
		return compileText(x)
	case []any:
		t := Template{kind: kindList}
		for _, e := range x {
			t.parts = append(t.parts, Compile(e))
		}
		return t
	default:
		return Template{literal: number(v)}
	}
}

func compileText(s string) Template {
	found := expression.FindAllStringSubmatchIndex(s, -1)
	if len(found) == 0 {
		return Template{literal: s}
	}
	if m := found[0]; len(found) == 1 && m[2] >= 0 && strings.TrimSpace(s[:m[0]]+s[m[1]:]) == "" {
		return variable(s, s[m[2]:m[3]])
	}
	t := Template{kind: kindText}
	at := 0
	for _, m := range found {
		t.parts = append(t.parts, Template{literal: s[at:m[0]]})
		if m[2] < 0 { // $${ writes ${
			t.parts = append(t.parts, Template{literal: "${"})
		} else {
			t.parts = append(t.parts, variable(s[m[0]:m[1]], s[m[2]:m[3]]))
		}
		at = m[1]
	}
	t.parts = append(t.parts, Template{literal: s[at:]})
	return t
}

// variable leaves secrets as they are written: only the launcher resolves them.
func variable(whole, name string) Template {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "secrets.") {
		return Template{literal: whole}
	}
	return Template{kind: kindVariable, name: strings.TrimPrefix(lower, "finding.")}
}

// number folds the integer types of the YAML decoder into int64 and float64.
func number(v any) any {
	switch n := v.(type) {
	case int:
		return int64(n)
	case uint64:
		if n <= 1<<63-1 {
			return int64(n)
		}
		return float64(n)
	default:
		return v
	}
}

// Literal reports whether the template is the same for every finding.
func (t *Template) Literal() bool {
	if t.kind == kindLiteral {
		return true
	}
	for i := range t.parts {
		if !t.parts[i].Literal() {
			return false
		}
	}
	return t.kind != kindVariable
}

// Expand returns the value for a finding: nil, string, bool, int64, float64 or
// []any. It does not change the template.
func (t *Template) Expand(f *pipeline.Finding) any {
	switch t.kind {
	case kindVariable:
		return Lookup(f, t.name)
	case kindText:
		var b strings.Builder
		for i := range t.parts {
			b.WriteString(Text(t.parts[i].Expand(f)))
		}
		return b.String()
	case kindList:
		list := make([]any, len(t.parts))
		for i := range t.parts {
			list[i] = t.parts[i].Expand(f)
		}
		return list
	default:
		return t.literal
	}
}

// Lookup returns what a name, in lower case, means for a finding: first its own
// attributes, then its dynamic fields, then "".
func Lookup(f *pipeline.Finding, name string) any {
	if v := native(f, name); v != nil {
		return v
	}
	for i := range f.Fields {
		if x := &f.Fields[i]; x.Data != nil && len(x.Key) == len(name) && strings.EqualFold(x.Key, name) {
			return x.Data
		}
	}
	return ""
}

// native returns nil for what the finding does not have.
func native(f *pipeline.Finding, name string) any {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	switch name {
	case "ip":
		return text(f.IP)
	case "domainname":
		return text(f.Domain)
	case "path":
		return text(f.Path)
	case "protocol":
		return text(string(f.Protocol))
	case "tag":
		return text(f.Tag)
	case "type":
		return text(string(f.Type))
	case "key":
		return text(f.Key)
	case "name":
		return text(f.Name)
	case "jobid":
		return text(f.ExecutionID)
	case "projectid":
		return text(f.ProjectID)
	case "correlationkey":
		return text(f.CorrelationKey)
	case "port":
		if f.Port != 0 {
			return int64(f.Port)
		}
	case "mask":
		if f.Mask != nil {
			return int64(*f.Mask)
		}
	case "ssl":
		if f.SSL != nil {
			return *f.SSL
		}
	}
	return nil
}

// Text writes a scalar the way it stands in text.
func Text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
