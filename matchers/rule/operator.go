package rule

import (
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// base is an operator without its modifiers.
type base uint8

const (
	none base = iota
	equals
	gte
	gt
	lte
	lt
	contains
	startsWith
	endsWith
	in
	exists
	matches
	inCIDR
	subdomainOf
	between
)

// Operators lists the operators, without modifiers.
func Operators() []string {
	return []string{
		"equals", "gte", "gt", "lte", "lt", "contains", "startsWith", "endsWith",
		"in", "exists", "matches", "inCidr", "subdomainOf", "between",
	}
}

// operator is a base with its modifiers.
type operator struct {
	base base
	not  bool // negate each pair, or each element of the left for a set operator
	or   bool // one is enough
	fold bool // texts without regard to case
}

func parseOperator(s string) (o operator, ok bool) {
	s, o.fold = strings.CutSuffix(s, "_i")
	for {
		if rest, ok := strings.CutPrefix(s, "not_"); ok {
			s, o.not = rest, !o.not
		} else if rest, ok := strings.CutPrefix(s, "or_"); ok {
			s, o.or = rest, true
		} else {
			break
		}
	}
	i := slices.Index(Operators(), s)
	if i < 0 {
		return operator{}, false
	}
	o.base = base(i + 1)
	if o.fold && !o.foldable() {
		return operator{}, false
	}
	return o, true
}

// foldable reports whether _i may stand behind the operator. The numeric ones of
// the reference take it and never hold then.
func (o *operator) foldable() bool {
	switch o.base {
	case exists, inCIDR, subdomainOf, between:
		return false
	default:
		return true
	}
}

// set reports whether the right side is a set of alternatives.
func (o *operator) set() bool {
	switch o.base {
	case in, matches, inCIDR, subdomainOf, between:
		return true
	default:
		return false
	}
}

// pairs applies an operator of the reference to all pairs, as RULES.md says.
func (o *operator) pairs(left, right *vars.Value) bool {
	nl, nr := left.Len(), right.Len()
	if nl == 0 || nr == 0 || o.base == none {
		return false
	}
	for i := range nl {
		for j := range nr {
			holds, ok := o.pair(left.At(i), right.At(j))
			switch {
			case !ok:
				return false
			case o.or && holds != o.not:
				return true
			case !o.or && holds == o.not:
				return false
			}
		}
	}
	return !o.or
}

// each asks every element of the left, which the set on the right answers: set, or
// for the operator in the values themselves.
func (o *operator) each(left, right *vars.Value, set *alternatives) bool {
	n := left.Len()
	for i := range n {
		var h, ok bool
		if o.base == in {
			h, ok = anyOf(o, left.At(i), right)
		} else {
			h, ok = set.holds(o.base, left.At(i))
		}
		switch {
		case !ok:
			return false
		case o.or && h != o.not:
			return true
		case !o.or && h == o.not:
			return false
		}
	}
	return n > 0 && !o.or
}
