package filter

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// Record is a thing that is searched. Values returns what it has for the field of a
// term: strings, int64 (numbers, milliseconds since 1970, milliseconds),
// netip.Addr, or netip.Prefix for fields about networks. Of Words it is every text
// that is looked into, of a finding's own key a string for each finding.
type Record interface {
	Values(t *Term) []any
}

// Match reports whether a record fits.
func (f *Filter) Match(r Record) bool { return f.Everything() || match(f.Root, r) }

func match(x Expr, r Record) bool {
	switch x := x.(type) {
	case And:
		for _, y := range x {
			if !match(y, r) {
				return false
			}
		}
		return true
	case Or:
		for _, y := range x {
			if match(y, r) {
				return true
			}
		}
		return false
	case Not:
		return !match(x.X, r)
	case *Term:
		return x.match(r)
	default:
		return true
	}
}

func (t *Term) match(r Record) bool {
	for _, have := range r.Values(t) {
		for i := range t.Values {
			if t.Values[i].match(t.Field, have) {
				return true
			}
		}
	}
	return false
}

// match compares one value with what a record has.
func (v *Value) match(f *Field, have any) bool {
	switch have := have.(type) {
	case int64:
		return v.Any() || v.Lo <= have && have <= v.Hi
	case netip.Addr:
		return v.Any() || v.address(have)
	case netip.Prefix:
		return v.Any() || v.network(f, have)
	case string:
		return v.str(f, have)
	default:
		return false
	}
}

func (v *Value) address(have netip.Addr) bool {
	have = have.Unmap()
	switch {
	case v.Regexp != nil:
		return v.Regexp.MatchString(have.String())
	case !v.First.IsValid():
		return v.like(have.String())
	default:
		return v.First.Is4() == have.Is4() && v.First.Compare(have) <= 0 && have.Compare(v.Last) <= 0
	}
}

func (v *Value) network(f *Field, have netip.Prefix) bool {
	first, last := have.Addr(), lastOf(have.Addr(), have.Bits())
	if v.First.Is4() != first.Is4() {
		return false
	}
	switch f.Type {
	case Holds:
		return first.Compare(v.First) <= 0 && v.Last.Compare(last) <= 0
	case Within:
		return v.First.Compare(first) <= 0 && last.Compare(v.Last) <= 0
	default:
		return first == v.First && last == v.Last
	}
}

func (v *Value) str(f *Field, have string) bool {
	switch {
	case v.Regexp != nil:
		return v.Regexp.MatchString(have)
	case v.Any():
		return have != ""
	case f.Type == Words:
		w := Value{Pieces: append(append([]string{""}, v.Pieces...), "")}
		return w.like(have)
	case f.Type == Dynamic && v.Op != Is:
		n, err := strconv.ParseFloat(have, 64)
		return err == nil && !math.IsNaN(n) && v.compare(n)
	case f.Type == ID || f.Type == Enum:
		return have == v.Pieces[0]
	default:
		return v.like(have)
	}
}

func (v *Value) compare(n float64) bool {
	switch v.Op {
	case More:
		return n > v.Number
	case MoreEq:
		return n >= v.Number
	case Less:
		return n < v.Number
	default:
		return n <= v.Number
	}
}

// like compares a text with the pieces, without regard to case.
func (v *Value) like(have string) bool {
	have = fold(have)
	first, rest := fold(v.Pieces[0]), v.Pieces[1:]
	if len(rest) == 0 {
		return have == first
	}
	have, ok := strings.CutPrefix(have, first)
	if !ok {
		return false
	}
	for _, p := range rest[:len(rest)-1] {
		_, after, ok := strings.Cut(have, fold(p))
		if !ok {
			return false
		}
		have = after
	}
	return strings.HasSuffix(have, fold(rest[len(rest)-1]))
}

// fold lowers every letter on its own, as the store does.
func fold(s string) string { return strings.Map(unicode.ToLower, s) }
