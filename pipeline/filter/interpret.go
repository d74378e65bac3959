package filter

import (
	"math"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// interpret works out what a value means to its field, and notes what is wrong
// with it.
func (p *parser) interpret(t *Term, v *Value) {
	f := t.Field
	if v.Op == Matches {
		p.regexp(f, v)
		return
	}
	if v.Any() {
		return
	}
	switch f.Type {
	case Number:
		p.number(v)
	case Date:
		p.date(f, v)
	case Seconds:
		p.seconds(v)
	case Addr, Holds, Within, Network:
		p.address(f, v)
	case ID, Enum:
		p.oneOf(f, v)
	case Dynamic:
		p.dynamic(t, v)
	default:
		p.noOrder(f, v)
		if f.Type == Name {
			for i := range v.Pieces {
				v.Pieces[i] = strings.ToLower(v.Pieces[i])
			}
		}
	}
}

func (p *parser) noOrder(f *Field, v *Value) {
	if v.Op != Is {
		p.problem(v.Span, nil, "%s is a %s: %s compares nothing there", f.Name, f.Type, v.Op)
	}
}

func (v *Value) text() string { return strings.Join(v.Pieces, "*") }

// regexp compiles a regular expression within bounds. Both ends agree on what it
// means: it ignores case, and a dot is any character.
func (p *parser) regexp(f *Field, v *Value) {
	switch f.Type {
	case Text, Name, Words, Dynamic, Addr:
	default:
		p.problem(v.Span, nil, "%s is a %s: a regular expression does not fit it", f.Name, f.Type)
		return
	}
	src := v.Pieces[0]
	if len(src) > MaxPattern {
		p.problem(v.Span, nil, "the regular expression has %d bytes, at most %d are allowed", len(src), MaxPattern)
		return
	}
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		p.problem(v.Span, nil, "the regular expression is not understood: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxProgram {
		p.problem(v.Span, nil, "the regular expression takes too much to match")
		return
	}
	v.Regexp, err = regexp.Compile("(?is:" + src + ")")
	if err != nil {
		p.problem(v.Span, nil, "the regular expression is not understood: %s", err)
	}
}

// number reads 80, 1-1024 and 1..1024.
func (p *parser) number(v *Value) {
	s := v.text()
	from, to, isRange := cutRange(s)
	lo, err := strconv.ParseInt(from, 10, 64)
	hi, err2 := lo, error(nil)
	if isRange {
		hi, err2 = strconv.ParseInt(to, 10, 64)
	}
	switch {
	case err != nil || err2 != nil:
		p.problem(v.Span, nil, "%q is neither a number nor a range such as 1-1024", clip(s))
	case isRange && v.Op != Is:
		p.problem(v.Span, nil, "%s and a range exclude each other", v.Op)
	case hi < lo:
		p.problem(v.Span, []string{to + "-" + from}, "the range ends before it begins")
	default:
		v.bounds(lo, hi)
	}
}

// bounds sets Lo and Hi from the first and the last instant or number that is meant.
func (v *Value) bounds(first, last int64) {
	v.Lo, v.Hi = math.MinInt64, math.MaxInt64
	switch v.Op {
	case More:
		v.Lo = max(last, last+1) // the greatest number has no next
	case MoreEq:
		v.Lo = first
	case Less:
		v.Hi = min(first, first-1)
	case LessEq:
		v.Hi = last
	default:
		v.Lo, v.Hi = first, last
	}
}

func cutRange(s string) (from, to string, ok bool) {
	if from, to, ok = strings.Cut(s, ".."); ok {
		return from, to, true
	}
	if len(s) > 1 {
		if i := strings.IndexByte(s[1:], '-'); i >= 0 {
			return s[:i+1], s[i+2:], true
		}
	}
	return s, "", false
}

// address reads an address, a network, a range of addresses, or the beginning of
// an address. One that is cut off at a dot is the network of what may follow.
func (p *parser) address(f *Field, v *Value) {
	s := v.text()
	if v.Op != Is {
		p.problem(v.Span, nil, "addresses are compared with a network or a range, such as 10.0.0.0/8 or 10.0.0.1-10.0.0.9")
		return
	}
	var ok bool
	if v.First, v.Last, ok = addresses(s); ok {
		if f.Type == Network && !strings.Contains(s, "/") {
			p.problem(v.Span, nil, "%q is an address, not a network such as 192.0.2.0/24", clip(s))
		}
		return
	}
	if f.Type == Addr {
		if v.First, v.Last, ok = between(s); ok {
			return
		}
		if len(v.Pieces) > 1 {
			v.First, v.Last, _ = octets(v.Pieces)
			return
		}
	}
	p.problem(v.Span, nil, "%q is neither an address nor a network such as 192.0.2.0/24", clip(s))
}

func between(s string) (first, last netip.Addr, ok bool) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return first, last, false
	}
	first, err := netip.ParseAddr(from)
	last, err2 := netip.ParseAddr(to)
	first, last = first.Unmap(), last.Unmap()
	if err != nil || err2 != nil || first.Zone()+last.Zone() != "" || first.Is4() != last.Is4() || last.Less(first) {
		return netip.Addr{}, netip.Addr{}, false
	}
	return first, last, true
}

// octets reads 10.* and 10.1.* as networks.
func octets(pieces []string) (first, last netip.Addr, ok bool) {
	if len(pieces) != 2 || pieces[1] != "" || !strings.HasSuffix(pieces[0], ".") {
		return first, last, false
	}
	parts := strings.Split(strings.TrimSuffix(pieces[0], "."), ".")
	if len(parts) > 3 {
		return first, last, false
	}
	var b [4]byte
	for i, o := range parts {
		n, err := strconv.ParseUint(o, 10, 8)
		if err != nil || strconv.FormatUint(n, 10) != o {
			return first, last, false
		}
		b[i] = byte(n)
	}
	first = netip.AddrFrom4(b)
	return first, lastOf(first, 8*len(parts)), true
}

// oneOf reads ids, and words of a closed list.
func (p *parser) oneOf(f *Field, v *Value) {
	s := v.text()
	p.noOrder(f, v)
	if f.Type == ID {
		if s = strings.ToLower(s); !pipeline.IsID(s) {
			p.problem(v.Span, nil, "%s: an id has %d hexadecimal digits, %q is none", f.Name, pipeline.IDLen, clip(s))
		}
		v.Pieces = []string{s}
		return
	}
	for _, w := range f.Values {
		if strings.EqualFold(w, s) {
			v.Pieces = []string{w}
			return
		}
	}
	p.problem(v.Span, nearest(s, f.Values), "%s is one of %s, not %q", f.Name, strings.Join(f.Values, ", "), clip(s))
}

// dynamic reads the value of a field of findings: a text, or a number to compare.
func (p *parser) dynamic(t *Term, v *Value) {
	if t.Sub == "" {
		if v.Op != Is || !strings.EqualFold(v.text(), "exists") {
			p.problem(v.Span, []string{t.Called() + ":exists", t.Called() + ".FIELD:" + clip(v.text())}, "of a finding it can be asked that it exists, and what its fields hold")
		}
		v.Pieces = []string{"", ""}
		return
	}
	if v.Op == Is {
		return
	}
	n, err := strconv.ParseFloat(v.text(), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		p.problem(v.Span, nil, "%q is no number to compare with", clip(v.text()))
	}
	v.Number = n
}

// clip keeps what is quoted in a problem short.
func clip(s string) string { return pipeline.Clip(s, 60) }
