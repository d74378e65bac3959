package rule

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// node is a compiled condition.
type node struct {
	junction string // "and", "or" or "" for a comparison
	children []node
	left     vars.Template
	right    vars.Template
	op       operator
}

func (n *node) empty() bool { return n.junction != "" && len(n.children) == 0 }

func junction(kind string, list []Condition) node {
	n := node{junction: kind}
	for _, c := range list {
		n.children = append(n.children, compile(c))
	}
	return n
}

func compile(c Condition) node {
	switch c.Junction {
	case "and":
		return junction("and", c.All)
	case "or":
		return junction("or", c.Any)
	default:
		op, _ := parseOperator(c.Operator) // checked by Parse; an unknown one never holds
		return node{left: vars.Compile(c.Left), right: vars.Compile(c.Right), op: op}
	}
}

// holds evaluates without allocating, unless a side holds variables inside text or
// lists.
func (n *node) holds(f *pipeline.Finding) bool {
	switch n.junction {
	case "and":
		for i := range n.children {
			if c := &n.children[i]; !c.empty() && !c.holds(f) {
				return false
			}
		}
		return true
	case "or":
		for i := range n.children {
			if c := &n.children[i]; !c.empty() && c.holds(f) {
				return true
			}
		}
		return len(n.children) == 0
	default:
		l, r := n.left.Eval(f), n.right.Eval(f)
		return n.op.compare(&l, &r)
	}
}

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
)

// Operators lists the operators, without modifiers.
func Operators() []string {
	return []string{"equals", "gte", "gt", "lte", "lt", "contains", "startsWith", "endsWith"}
}

// operator is one of the eight with its modifiers.
type operator struct {
	base base
	not  bool // negate each pair
	or   bool // one pair is enough
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
	return o, true
}

// compare applies the operator to all pairs, as RULES.md says.
func (o *operator) compare(left, right *vars.Value) bool {
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

// pair compares two scalars; ok is false when the operator does not apply to them.
func (o *operator) pair(l, r *vars.Value) (holds, ok bool) {
	lText, rText := l.Kind() == vars.Text, r.Kind() == vars.Text
	switch o.base {
	case contains, startsWith, endsWith:
		if !lText || !rText {
			return false, false
		}
		return o.text(l.Text(), r.Text()), true
	case equals:
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
