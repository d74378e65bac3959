package filter

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
)

// Parse reads a filter for things of a kind. Relative times are relative to now.
// The error is Problems, or names an unknown kind.
//
//	query = and { "OR" and }
//	and   = run { "AND" run }
//	run   = item { item }                    all must hold; see join
//	item  = [ "-" | "NOT" ] ( "(" query ")" | key ":" values | word | quoted )
//	values = value { "," value } | [ "any" | "all" ] "(" value { [","] value } ")"
//	value = [ "=" | ">" | ">=" | "<" | "<=" | "~" ] ( word | quoted )
func Parse(kind pipeline.Kind, text string, now time.Time) (*Filter, error) {
	p, err := parse(kind, text, now)
	if err != nil {
		return nil, err
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return &Filter{Kind: kind, Root: p.root, Now: p.now}, nil
}

func parse(kind pipeline.Kind, text string, now time.Time) (*parser, error) {
	if tables[kind] == nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "nothing of the kind %q is searched, one of %v is", kind, Kinds())
	}
	if len(text) > MaxText {
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "the filter has %d bytes, at most %d are allowed", len(text), MaxText)
	}
	p := &parser{kind: kind, text: text, now: now.UTC().Truncate(time.Minute)}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		p.text = ""
		p.problem(Span{}, nil, "the text is not valid UTF-8")
		return p, nil
	}
	p.root = p.query()
	for p.pos < len(p.text) { // a parenthesis too many ends a query early
		p.problem(Span{p.pos, p.pos + 1}, nil, "this ) closes nothing")
		p.pos++
		if p.space(); p.pos < len(p.text) {
			p.query()
		}
	}
	if p.terms > MaxTerms || p.values > MaxValues {
		p.problem(Span{0, len(p.text)}, nil, "%d terms with %d values are too many, at most %d and %d are allowed", p.terms, p.values, MaxTerms, MaxValues)
	}
	return p, nil
}

type parser struct {
	kind     pipeline.Kind
	text     string
	now      time.Time
	pos      int
	depth    int
	terms    int
	values   int
	problems Problems
	gaveUp   bool    // the rest was not read: what is missing in it is no problem of its own
	places   []place // what was read where, for the completion
	root     Expr
}

// place is where a key or a value of a term stands; an empty one where it is
// expected.
type place struct {
	Span
	key   bool
	field *Field
}

func (p *parser) query() Expr {
	var parts []Expr
	for {
		if x := p.and(); x != nil {
			parts = append(parts, x)
		}
		if !p.keyword("OR") {
			return anyOf(parts)
		}
	}
}

func (p *parser) and() Expr {
	var parts []Expr
	for {
		if x := p.run(); x != nil {
			parts = append(parts, x)
		}
		if !p.keyword("AND") {
			return allOf(parts)
		}
	}
}

func (p *parser) run() Expr {
	start := p.pos
	var parts []Expr
	for {
		p.space()
		switch {
		case p.pos == len(p.text), p.text[p.pos] == ')', p.atKeyword("OR"), p.atKeyword("AND"):
			if len(parts) == 0 && (start > 0 && p.text[start-1] != '(' || p.atKeyword("OR") || p.atKeyword("AND")) && !p.failedAt(start) {
				p.problem(Span{p.pos, p.pos}, nil, "a term is expected here")
			}
			return allOf(join(parts))
		}
		if x := p.item(); x != nil {
			parts = append(parts, x)
		}
	}
}

// failedAt reports whether a problem was noted since a position: then what is
// missing is not missing.
func (p *parser) failedAt(start int) bool {
	return len(p.problems) > 0 && p.problems[len(p.problems)-1].From >= utf8.RuneCountInString(p.text[:start])
}

// join makes one term of several that stand side by side and ask for values of the
// same field: a thing has one name, so asking for two means either. Fields with
// many values at once, and comparisons, are left alone: those must all hold.
func join(parts []Expr) []Expr {
	var out []Expr
next:
	for _, x := range parts {
		t, ok := x.(*Term)
		if ok && t.joins() {
			for _, y := range out {
				if o, ok := y.(*Term); ok && o.joins() && o.same(t) {
					o.Values = append(o.Values, t.Values...)
					continue next
				}
			}
		}
		out = append(out, x)
	}
	return out
}

func (t *Term) same(o *Term) bool { return t.Field == o.Field && t.Key == o.Key && t.Sub == o.Sub }

func (t *Term) joins() bool {
	if t.Field.Many || t.Field.Type == Words {
		return false
	}
	for _, v := range t.Values {
		if v.Op != Is && v.Op != Matches {
			return false
		}
	}
	return true
}

func anyOf(parts []Expr) Expr {
	var flat Or
	for _, x := range parts {
		if o, ok := x.(Or); ok {
			flat = append(flat, o...)
		} else {
			flat = append(flat, x)
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case 1:
		return flat[0]
	default:
		return flat
	}
}

func allOf(parts []Expr) Expr {
	var flat And
	for _, x := range parts {
		if a, ok := x.(And); ok {
			flat = append(flat, a...)
		} else {
			flat = append(flat, x)
		}
	}
	switch len(flat) {
	case 0:
		return nil
	case 1:
		return flat[0]
	default:
		return flat
	}
}

func (p *parser) item() Expr {
	start := p.pos
	if p.depth++; p.depth > MaxDepth && !p.gaveUp {
		p.problem(Span{start, len(p.text)}, nil, "more than %d levels of parentheses and negations", MaxDepth)
		p.pos, p.gaveUp = len(p.text), true
	}
	defer func() { p.depth-- }()
	switch {
	case p.pos == len(p.text):
		return nil
	case p.text[p.pos] == '-':
		p.pos++
		if p.pos == len(p.text) || strings.IndexByte(" \t\r\n-)", p.text[p.pos]) >= 0 {
			p.problem(Span{start, p.pos}, nil, "a term is expected right after the -")
			return nil
		}
		return not(p.item())
	case p.keyword("NOT"):
		p.space()
		if p.pos == len(p.text) || p.text[p.pos] == ')' || p.atKeyword("OR") || p.atKeyword("AND") {
			p.problem(Span{start, p.pos}, nil, "a term is expected after NOT")
			return nil
		}
		return not(p.item())
	case p.text[p.pos] == '(':
		return p.group()
	default:
		return p.term()
	}
}

func not(x Expr) Expr {
	if n, ok := x.(Not); ok {
		return n.X
	}
	if x == nil {
		return nil
	}
	return Not{x}
}

func (p *parser) group() Expr {
	start := p.pos
	p.pos++
	x := p.query()
	if p.pos == len(p.text) {
		p.problem(Span{start, start + 1}, nil, "this ( is not closed")
		return x
	}
	p.pos++
	if x == nil && !p.failedAt(start) {
		p.problem(Span{start, p.pos}, nil, "a term is expected between ( and )")
	}
	return x
}

// keyword takes a keyword, if one stands here.
func (p *parser) keyword(w string) bool {
	p.space()
	if p.atKeyword(w) {
		p.pos += len(w)
		return true
	}
	return false
}

// atKeyword reports whether a keyword stands here: in capitals, and on its own.
func (p *parser) atKeyword(w string) bool {
	rest, ok := strings.CutPrefix(p.text[p.pos:], w)
	if !ok {
		return false
	}
	if rest == "" {
		return true
	}
	if strings.TrimLeft(rest, " \t\r\n") != rest {
		return !strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), ":")
	}
	return rest[0] == '(' || rest[0] == ')'
}

func (p *parser) space() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// chunk returns the end of the word that begins here.
func (p *parser) chunk() int {
	i := p.pos
	for i < len(p.text) && !isSpace(p.text[i]) && strings.IndexByte(`"()`, p.text[i]) < 0 {
		i++
	}
	return i
}

func (p *parser) term() Expr {
	if p.text[p.pos] == '"' {
		return p.words()
	}
	end := p.chunk()
	word := p.text[p.pos:end]
	if _, _, ok := addresses(word); ok {
		return p.bareAddress(end)
	}
	key, _, ok := strings.Cut(word, ":")
	after := p.pos + len(key)
	if !ok { // the colon may stand apart
		rest := strings.TrimLeft(p.text[end:], " \t\r\n")
		ok, after = strings.HasPrefix(rest, ":"), len(p.text)-len(rest)
	}
	if !ok || !looksLikeKey(key) || strings.HasPrefix(p.text[after:], "://") {
		return p.words()
	}
	field, k, sub := p.resolve(key)
	if field == nil && strings.Contains(key, ".") && !p.namespace(key) {
		return p.words() // name:port
	}
	t := &Term{Span: Span{From: p.pos}, Field: field, Key: k, Sub: sub}
	keyAt := Span{p.pos, p.pos + len(key)}
	p.places = append(p.places, place{Span: keyAt, key: true, field: field})
	if field == nil {
		p.problem(keyAt, nearest(key, names(p.kind)), "a %s has no %q", p.kind, key)
	}
	p.pos = after + 1
	return p.valued(t, keyAt)
}

// valued reads the values of a term.
func (p *parser) valued(t *Term, keyAt Span) Expr {
	p.terms++
	before := len(p.problems)
	var all bool
	t.Values, all = p.valueList(t)
	t.To = p.pos
	if t.Field == nil || len(t.Values) == 0 {
		if len(p.problems) == before && t.Field != nil {
			p.problem(Span{keyAt.From, p.pos}, nil, "%s has no value; %s:* means that there is any", p.text[keyAt.From:keyAt.To], p.text[keyAt.From:keyAt.To])
		}
		return nil
	}
	if !all || len(t.Values) == 1 {
		return t
	}
	p.terms += len(t.Values) - 1
	if p.depth+2 > MaxDepth {
		p.problem(t.Span, nil, "more than %d levels of parentheses and negations", MaxDepth)
	}
	var parts And
	for _, v := range t.Values {
		one := *t
		one.Values = []Value{v}
		parts = append(parts, &one)
	}
	return parts
}

// bareAddress is an address or a network without a term: where a kind has one it is
// meant.
func (p *parser) bareAddress(end int) Expr {
	f := Lookup(p.kind, "host")
	if f == nil {
		return p.words()
	}
	p.terms++
	t := &Term{Span: Span{p.pos, end}, Field: f}
	v := Value{Span: t.Span, Pieces: []string{p.text[p.pos:end]}}
	p.pos = end
	p.values++
	p.interpret(t, &v)
	t.Values = []Value{v}
	return t
}

// words are a word or a quoted text that stands alone.
func (p *parser) words() Expr {
	p.terms++
	t := &Term{Span: Span{From: p.pos}, Field: Lookup(p.kind, "text")}
	var v Value
	if p.text[p.pos] == '"' {
		v = p.quoted(false)
	} else {
		end := p.chunk()
		p.places = append(p.places, place{Span: Span{p.pos, end}, key: true})
		v = Value{Span: Span{p.pos, end}, Pieces: pieces(p.text[p.pos:end])}
		p.pos = end
	}
	p.values++
	t.To, t.Values = p.pos, []Value{v}
	if len(v.Pieces) == 1 && v.Pieces[0] == "" {
		if !p.failedAt(t.From) {
			p.problem(t.Span, nil, "there is nothing between the quotes")
		}
		return nil
	}
	return t
}

// addresses is the first and the last address of an address or a network.
func addresses(s string) (first, last netip.Addr, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return a.Unmap(), a.Unmap(), true
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return first, last, false
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return first, last, false
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	first = n.Masked().Addr()
	return first, lastOf(first, n.Bits()), true
}

// lastOf is the last address of the network that begins with first.
func lastOf(first netip.Addr, bits int) netip.Addr {
	b := first.AsSlice()
	for i := bits; i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}
