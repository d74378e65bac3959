// Package vars expands ${…} in the values of a subscription from a finding. It is
// pure and total: every template gives a value for every finding, a name nobody
// knows gives "", and types are kept.
//
// What may stand inside the braces is in matchers/rule/RULES.md.
package vars

import (
	"regexp"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Template is a compiled value: a literal, a variable, text with variables in it,
// or a list of templates. The zero value is the literal null. It is immutable.
type Template struct {
	kind    kind
	name    string     // a variable alone: its type is kept
	literal Value      // lists of literals too
	parts   []Template // of text and of lists with variables
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
	t := compile(v)
	if t.kind != kindLiteral && t.Literal() { // expanded once, here
		return Template{literal: t.Eval(&pipeline.Finding{})}
	}
	return t
}

func compile(v any) Template {
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
		return Template{literal: Of(v)}
	}
}

func compileText(s string) Template {
	found := expression.FindAllStringSubmatchIndex(s, -1)
	if len(found) == 0 {
		return Template{literal: text(s)}
	}
	if m := found[0]; len(found) == 1 && m[2] >= 0 && strings.TrimSpace(s[:m[0]]+s[m[1]:]) == "" {
		return variable(s, s[m[2]:m[3]])
	}
	t := Template{kind: kindText}
	at := 0
	for _, m := range found {
		t.parts = append(t.parts, Template{literal: text(s[at:m[0]])})
		if m[2] < 0 { // $${ writes ${
			t.parts = append(t.parts, Template{literal: text("${")})
		} else {
			t.parts = append(t.parts, variable(s[m[0]:m[1]], s[m[2]:m[3]]))
		}
		at = m[1]
	}
	t.parts = append(t.parts, Template{literal: text(s[at:])})
	return t
}

// variable leaves secrets as they are written: only the launcher resolves them.
func variable(whole, name string) Template {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "secrets.") {
		return Template{literal: text(whole)}
	}
	return Template{kind: kindVariable, name: strings.TrimPrefix(lower, "finding.")}
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

// Eval returns the value for a finding. It allocates only for text and lists that
// have variables in them.
func (t *Template) Eval(f *pipeline.Finding) Value {
	switch t.kind {
	case kindVariable:
		return Lookup(f, t.name)
	case kindText:
		var b strings.Builder
		for i := range t.parts {
			v := t.parts[i].Eval(f)
			b.WriteString(v.String())
		}
		return text(b.String())
	case kindList:
		list := make([]Value, len(t.parts))
		for i := range t.parts {
			list[i] = t.parts[i].Eval(f)
		}
		return Value{kind: List, other: list}
	default:
		return t.literal
	}
}

// Expand is Eval as nil, string, bool, int64, float64, []any or an object: what
// encoding/json writes.
func (t *Template) Expand(f *pipeline.Finding) any {
	v := t.Eval(f)
	return v.Any()
}

// Variable returns the name, in lower case, of a template that is one variable and
// nothing else.
func (t *Template) Variable() (name string, ok bool) { return t.name, t.kind == kindVariable }

// Parts returns the templates a list is made of, nil for anything but a list that
// has variables in it.
func (t *Template) Parts() []Template {
	if t.kind != kindList {
		return nil
	}
	return t.parts
}

// Lookup returns what a name, in lower case, means for a finding: first its own
// attributes, then its dynamic fields, then "".
func Lookup(f *pipeline.Finding, name string) Value {
	v, ok := Find(f, name)
	if !ok {
		return text("")
	}
	return v
}

// Find is Lookup that tells a name that means nothing from one that means "".
func Find(f *pipeline.Finding, name string) (Value, bool) {
	if v, ok := native(f, name); ok {
		return v, true
	}
	for i := range f.Fields {
		if x := &f.Fields[i]; x.Data != nil && strings.EqualFold(x.Key, name) {
			return Of(x.Data), true
		}
	}
	return Value{}, false
}

// Natives lists the names of a finding's own attributes, in lower case.
func Natives() []string { return natives[:] }

var natives = [...]string{
	"ip", "domainname", "port", "protocol", "mask", "path", "ssl", "tag",
	"type", "key", "name", "jobid", "projectid", "correlationkey",
}

// Native returns the kind of a finding's own attribute by its name in lower case,
// and false for a name that can only be a dynamic field.
func Native(name string) (Kind, bool) {
	switch name {
	case "port", "mask":
		return Int, true
	case "ssl":
		return Bool, true
	case "ip", "domainname", "path", "protocol", "tag", "type", "key", "name", "jobid", "projectid", "correlationkey":
		return Text, true
	default:
		return Other, false
	}
}

// native returns an attribute; ok is false for one the finding does not have.
func native(f *pipeline.Finding, name string) (v Value, ok bool) {
	switch name {
	case "port":
		return integer(int64(f.Port)), f.Port != 0
	case "mask":
		if f.Mask != nil {
			return integer(int64(*f.Mask)), true
		}
		return Value{}, false
	case "ssl":
		if f.SSL != nil {
			return Of(*f.SSL), true
		}
		return Value{}, false
	}
	s := nativeText(f, name)
	return text(s), s != ""
}

func nativeText(f *pipeline.Finding, name string) string {
	switch name {
	case "ip":
		return f.IP
	case "domainname":
		return f.Domain
	case "path":
		return f.Path
	case "protocol":
		return string(f.Protocol)
	case "tag":
		return f.Tag
	case "type":
		return string(f.Type)
	case "key":
		return f.Key
	case "name":
		return f.Name
	case "jobid":
		return f.ExecutionID
	case "projectid":
		return f.ProjectID
	case "correlationkey":
		return f.CorrelationKey
	default:
		return ""
	}
}
