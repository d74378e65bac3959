package filter

import (
	"net/netip"
	"regexp"
	"strings"
)

// Op is how a value is compared.
type Op string

// The operators.
const (
	Is      Op = ""
	More    Op = ">"
	MoreEq  Op = ">="
	Less    Op = "<"
	LessEq  Op = "<="
	Matches Op = "~" // a regular expression (RE2)
)

// Value is one value of a term. What it means depends on the type of the field:
// Pieces for texts, Lo and Hi for numbers and times, First and Last for addresses.
type Value struct {
	Span
	Op Op
	// Pieces are the literal parts of the text, between which anything may stand.
	// One piece is the whole text.
	Pieces []string
	// Regexp is what a text must match, for Matches.
	Regexp *regexp.Regexp
	// Lo and Hi bound a number, milliseconds since 1970, or milliseconds, both
	// included; MinInt64 and MaxInt64 are no bound.
	Lo, Hi int64
	// Number is what a dynamic field is compared with.
	Number float64
	// First and Last bound an address; not valid when the text is compared.
	First, Last netip.Addr
}

// Any reports whether the value only asks that there is one.
func (v *Value) Any() bool {
	return v.Op == Is && len(v.Pieces) == 2 && v.Pieces[0] == "" && v.Pieces[1] == ""
}

// Exact reports whether the text must be one text.
func (v *Value) Exact() bool { return v.Op == Is && len(v.Pieces) == 1 }

// valueList reads what follows the colon; all says that every value must hold.
func (p *parser) valueList(t *Term) (vs []Value, all bool) {
	p.space()
	rest := p.text[p.pos:]
	switch {
	case strings.HasPrefix(rest, "any("):
		p.pos += len("any")
	case strings.HasPrefix(rest, "all("):
		p.pos += len("all")
		all = true
	}
	if p.pos < len(p.text) && p.text[p.pos] == '(' {
		return p.inParentheses(t), all
	}
	for {
		v, ok := p.value(t, false)
		if ok {
			vs = append(vs, v)
		}
		if !ok || p.pos+1 >= len(p.text) || p.text[p.pos] != ',' || isSpace(p.text[p.pos+1]) {
			return vs, false
		}
		p.pos++
	}
}

func (p *parser) inParentheses(t *Term) (vs []Value) {
	start := p.pos
	p.pos++
	for {
		for p.pos < len(p.text) && (isSpace(p.text[p.pos]) || p.text[p.pos] == ',') {
			p.pos++
		}
		if p.pos == len(p.text) {
			if isSpace(p.text[p.pos-1]) || strings.IndexByte("(,", p.text[p.pos-1]) >= 0 {
				p.places = append(p.places, place{Span: Span{p.pos, p.pos}, field: t.Field})
			}
			p.problem(Span{start, start + 1}, nil, "this ( is not closed")
			return nil
		}
		if p.text[p.pos] == ')' {
			p.pos++
			return vs
		}
		v, ok := p.value(t, true)
		if ok {
			vs = append(vs, v)
		}
	}
}

// value reads one value and what it means to the field; ok is false when there is
// none, or it has a problem.
func (p *parser) value(t *Term, listed bool) (v Value, ok bool) {
	start := p.pos
	before := len(p.problems)
	op := p.operator()
	switch {
	case p.pos < len(p.text) && p.text[p.pos] == '"':
		v = p.quoted(op == Matches)
	case op == Matches:
		v = p.bareRegexp()
	default:
		v = p.bare(listed)
	}
	v.From, v.Op = start, op
	p.places = append(p.places, place{Span: v.Span, field: t.Field})
	if len(v.Pieces) == 1 && v.Pieces[0] == "" {
		if p.pos == start || listed && op != Is { // what does not move must not be asked again
			if p.pos < len(p.text) && listed {
				p.problem(Span{p.pos, p.pos + 1}, nil, "a value is expected here")
				p.pos++
			}
		}
		return v, false
	}
	p.values++
	if t.Field != nil {
		p.interpret(t, &v)
	}
	return v, len(p.problems) == before
}

func (p *parser) operator() Op {
	for _, op := range []Op{MoreEq, LessEq, More, Less, Matches, "="} {
		if strings.HasPrefix(p.text[p.pos:], string(op)) {
			p.pos += len(op)
			if op != Matches {
				p.space()
			}
			if op == "=" {
				return Is
			}
			return op
		}
	}
	return Is
}

// bare reads a value without quotes.
func (p *parser) bare(listed bool) Value {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if isSpace(c) || strings.IndexByte(`"()`, c) >= 0 || c == ',' && (listed || p.pos > start) {
			break
		}
		p.pos++
	}
	return Value{Span: Span{start, p.pos}, Pieces: pieces(p.text[start:p.pos])}
}

// bareRegexp reads a regular expression up to the next space, or the parenthesis
// that closes what surrounds it.
func (p *parser) bareRegexp() Value {
	start, open := p.pos, 0
	var b strings.Builder
loop:
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case isSpace(c) || c == ')' && open == 0:
			break loop
		case c == '(':
			open++
		case c == ')':
			open--
		case c == '\\' && p.pos+1 < len(p.text) && !isSpace(p.text[p.pos+1]):
			p.pos++
			if p.text[p.pos] != '"' {
				b.WriteByte(c)
			}
		}
		b.WriteByte(p.text[p.pos])
		p.pos++
	}
	return Value{Span: Span{start, p.pos}, Pieces: []string{b.String()}}
}

// quoted reads a value in quotes. A backslash takes the meaning from a quote, a
// star and itself; in a regular expression only from a quote.
func (p *parser) quoted(raw bool) Value {
	start := p.pos
	p.pos++
	for p.pos < len(p.text) && p.text[p.pos] != '"' {
		if p.text[p.pos] == '\\' && p.pos+1 < len(p.text) {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.text) {
		p.pos = len(p.text)
		p.problem(Span{start, p.pos}, nil, "the quote is not closed")
		return Value{Span: Span{start, p.pos}, Pieces: []string{""}}
	}
	inside := p.text[start+1 : p.pos]
	p.pos++
	v := Value{Span: Span{start, p.pos}}
	if raw {
		v.Pieces = []string{unescapeRaw(inside)}
	} else {
		v.Pieces = pieces(inside)
	}
	return v
}

// unescapeRaw turns \" into a quote and leaves every other pair as it is.
func unescapeRaw(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] != '"' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pieces cuts a text at its stars; several in a row are one.
func pieces(s string) []string {
	var out []string
	var b strings.Builder
	star := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`\*"`, s[i+1]) >= 0:
			i++
		case s[i] == '*':
			if !star {
				out = append(out, b.String())
				b.Reset()
			}
			star = true
			continue
		}
		star = false
		b.WriteByte(s[i])
	}
	return append(out, b.String())
}
