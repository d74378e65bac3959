package rule

import (
	"math"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// pair compares two scalars; ok is false when the operator does not apply to them.
func (o *operator) pair(l, r *vars.Value) (holds, ok bool) {
	lText, rText := l.Kind() == vars.Text, r.Kind() == vars.Text
	switch o.base {
	case contains, startsWith, endsWith:
		if !lText || !rText {
			return false, false
		}
		return o.text(l.Text(), r.Text()), true
	case equals, in:
		switch {
		case !scalar(l) || !scalar(r) || o.fold && (!lText || !rText):
			return false, false
		case o.fold:
			return equalFold(l.Text(), r.Text()), true
		default:
			return loosely(l, r), true
		}
	default:
		ln, lOK := l.Number()
		rn, rOK := r.Number()
		if o.fold || !lOK || !rOK {
			return false, false
		}
		return o.order(ln, rn), true
	}
}

func scalar(v *vars.Value) bool { return v.Kind() != vars.Other && v.Kind() != vars.List }

func (o *operator) text(l, r string) bool {
	switch {
	case o.base == contains && o.fold:
		return containsFold(l, r)
	case o.base == contains:
		return strings.Contains(l, r)
	case o.base == startsWith && o.fold:
		return hasPrefixFold(l, r)
	case o.base == startsWith:
		return strings.HasPrefix(l, r)
	case o.fold:
		return hasSuffixFold(l, r)
	default:
		return strings.HasSuffix(l, r)
	}
}

func (o *operator) order(l, r float64) bool {
	switch o.base {
	case gte:
		return l >= r
	case gt:
		return l > r
	case lte:
		return l <= r
	default:
		return l < r
	}
}

// loosely is the reference's equality (ECMA-262, IsLooselyEqual, for scalars):
// values of one type compare directly, mixed ones by number.
func loosely(l, r *vars.Value) bool {
	if l.Kind() == vars.Text && r.Kind() == vars.Text {
		return l.Text() == r.Text()
	}
	return toNumber(l) == toNumber(r) // NaN equals nothing
}

func toNumber(v *vars.Value) float64 {
	switch v.Kind() {
	case vars.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case vars.Text:
		return textNumber(v.Text())
	default:
		n, _ := v.Number()
		return n
	}
}

// textNumber reads decimal numbers; blank text is 0, any other text no number.
func textNumber(s string) float64 {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return math.NaN() // Go would read more than a person means: 1_000, 0x1p4, infinity
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return n
}
