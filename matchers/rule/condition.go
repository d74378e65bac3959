package rule

import (
	"math"
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
		return n.op.compare(n.left.Expand(f), n.right.Expand(f))
	}
}

// operator is one of the eight with its modifiers.
type operator struct {
	base string
	not  bool // negate each pair
	or   bool // one pair is enough
	fold bool // texts without regard to case
}

// Operators lists the base operators.
func Operators() []string {
	return []string{"equals", "gte", "gt", "lte", "lt", "contains", "startsWith", "endsWith"}
}

func parseOperator(s string) (operator, bool) {
	var o operator
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
	for _, known := range Operators() {
		if s == known {
			o.base = known
			return o, true
		}
	}
	return operator{}, false
}

// compare applies the operator to all pairs, as RULES.md says.
func (o operator) compare(left, right any) bool {
	nl, nr := size(left), size(right)
	if nl == 0 || nr == 0 || o.base == "" {
		return false
	}
	for i := range nl {
		for j := range nr {
			holds, ok := o.pair(at(left, i), at(right, j))
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

func size(v any) int {
	if l, ok := v.([]any); ok {
		return len(l)
	}
	return 1
}

func at(v any, i int) any {
	if l, ok := v.([]any); ok {
		return l[i]
	}
	return v
}

// pair compares two scalars; ok is false when the operator does not apply to them.
func (o operator) pair(l, r any) (holds, ok bool) {
	if !scalar(l) || !scalar(r) {
		return false, false
	}
	ls, lText := l.(string)
	rs, rText := r.(string)
	switch o.base {
	case "contains", "startsWith", "endsWith":
		if !lText || !rText {
			return false, false
		}
		return o.text(ls, rs), true
	case "equals":
		if o.fold {
			return lText && rText && strings.EqualFold(ls, rs), lText && rText
		}
		return loosely(l, r), true
	default:
		ln, lOK := asNumber(l)
		rn, rOK := asNumber(r)
		if o.fold || !lOK || !rOK {
			return false, false
		}
		return o.order(ln, rn), true
	}
}

func scalar(v any) bool {
	switch v.(type) {
	case string, bool, int64, float64:
		return true
	default:
		return false
	}
}

func (o operator) text(l, r string) bool {
	if o.fold {
		l, r = strings.ToLower(l), strings.ToLower(r)
	}
	switch o.base {
	case "contains":
		return strings.Contains(l, r)
	case "startsWith":
		return strings.HasPrefix(l, r)
	default:
		return strings.HasSuffix(l, r)
	}
}

func (o operator) order(l, r float64) bool {
	switch o.base {
	case "gte":
		return l >= r
	case "gt":
		return l > r
	case "lte":
		return l <= r
	default:
		return l < r
	}
}

func asNumber(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	default:
		return 0, false
	}
}

// loosely is the reference's equality (ECMA-262, IsLooselyEqual, for scalars):
// values of one type compare directly, mixed ones by number.
func loosely(l, r any) bool {
	switch a := l.(type) {
	case string:
		if b, ok := r.(string); ok {
			return a == b
		}
	case bool:
		if b, ok := r.(bool); ok {
			return a == b
		}
	}
	return toNumber(l) == toNumber(r) // NaN equals nothing
}

func toNumber(v any) float64 {
	switch x := v.(type) {
	case bool:
		if x {
			return 1
		}
		return 0
	case string:
		s := strings.TrimSpace(x)
		if s == "" {
			return 0
		}
		if strings.ContainsAny(s, "_pPnNiI") { // Go reads more than a number in text means
			return math.NaN()
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN()
		}
		return n
	default:
		n, _ := asNumber(v)
		return n
	}
}
