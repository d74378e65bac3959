package filter

import (
	"strings"
)

// String writes the filter in its canonical form: one spelling for every name, no
// more quotes and parentheses than needed. Parsing it gives the same filter.
func (f *Filter) String() string {
	if f.Everything() {
		return ""
	}
	var b strings.Builder
	write(&b, f.Root)
	return b.String()
}

func write(b *strings.Builder, x Expr) {
	switch x := x.(type) {
	case And:
		between := " "
		if wouldJoin(x) {
			between = " AND "
		}
		for i, y := range x {
			if i > 0 {
				b.WriteString(between)
			}
			_, group := y.(Or)
			nested(b, y, group)
		}
	case Or:
		for i, y := range x {
			if i > 0 {
				b.WriteString(" OR ")
			}
			write(b, y)
		}
	case Not:
		b.WriteByte('-')
		_, single := x.X.(*Term)
		nested(b, x.X, !single)
	case *Term:
		x.write(b)
	}
}

func nested(b *strings.Builder, x Expr, group bool) {
	if group {
		b.WriteByte('(')
	}
	write(b, x)
	if group {
		b.WriteByte(')')
	}
}

// wouldJoin reports whether terms that must all hold would be read as one when they
// stand side by side.
func wouldJoin(x And) bool {
	return len(join(copied(x))) < len(x)
}

// copied copies the terms, since join changes them.
func copied(x And) []Expr {
	out := make([]Expr, len(x))
	for i, y := range x {
		if t, ok := y.(*Term); ok {
			c := *t
			c.Values = append([]Value(nil), t.Values...)
			y = &c
		}
		out[i] = y
	}
	return out
}

func (t *Term) write(b *strings.Builder) {
	if t.Field.Type == Words && len(t.Values) == 1 && t.Values[0].Op == Is {
		v := &t.Values[0]
		s := v.spelled()
		if _, _, isAddress := addresses(s); isAddress || !wordSafe(s) {
			s = v.inQuotes()
		}
		b.WriteString(s)
		return
	}
	b.WriteString(t.Called())
	b.WriteByte(':')
	if len(t.Values) == 1 {
		t.Values[0].write(b, t.Field)
		return
	}
	b.WriteByte('(')
	for i := range t.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		t.Values[i].write(b, t.Field)
	}
	b.WriteByte(')')
}

func (v *Value) write(b *strings.Builder, f *Field) {
	if f.Type == Dynamic && v.Any() {
		b.WriteByte('*')
		return
	}
	b.WriteString(string(v.Op))
	s := v.spelled()
	switch {
	case v.Op == Matches:
		s = `"` + strings.ReplaceAll(v.Pieces[0], `"`, `\"`) + `"`
	case !valueSafe(s):
		s = v.inQuotes()
	}
	b.WriteString(s)
}

// spelled is the text with its stars, backslashes before what is not one.
func (v *Value) spelled() string {
	out := make([]string, len(v.Pieces))
	for i, p := range v.Pieces {
		out[i] = escaper.Replace(p)
	}
	return strings.Join(out, "*")
}

func (v *Value) inQuotes() string { return `"` + v.spelled() + `"` }

var escaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `"`, `\"`)

// valueSafe reports whether a text can stand after a colon without quotes.
func valueSafe(s string) bool {
	return s != "" && strings.IndexByte("<>=~,", s[0]) < 0 && !strings.ContainsAny(s, " \t\r\n\"(),\\")
}

// wordSafe reports whether a text can stand alone without quotes.
func wordSafe(s string) bool {
	return valueSafe(s) && s[0] != '-' && !strings.Contains(s, ":") && s != "OR" && s != "AND" && s != "NOT"
}
