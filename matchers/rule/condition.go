package rule

import (
	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// nothing is the finding literals are evaluated with.
var nothing = &pipeline.Finding{}

// node is a compiled condition.
type node struct {
	junction string // "and", "or" or "" for a comparison
	children []node
	left     vars.Template
	right    vars.Template
	op       operator
	set      *alternatives // the right side of a set operator, when it is literal
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
		n := node{left: vars.Compile(c.Left), right: vars.Compile(c.Right), op: op}
		if op.base == exists && c.Right == false { // exists: false is not_exists
			n.op.not = !op.not
		}
		n.set = literalSet(op, &n.right)
		return n
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
		return n.compare(f)
	}
}

func (n *node) compare(f *pipeline.Finding) bool {
	if n.op.base == exists {
		return n.exists(f)
	}
	left := n.left.Eval(f)
	if n.set != nil {
		return n.op.each(&left, nil, n.set)
	}
	right := n.right.Eval(f)
	if !n.op.set() {
		return n.op.pairs(&left, &right)
	}
	if n.op.base == in {
		return n.op.each(&left, &right, nil)
	}
	return n.compareRead(f)
}

// compareRead reads a set with variables in it; what is told about a wrong one
// escapes, which the others are spared.
func (n *node) compareRead(f *pipeline.Finding) bool {
	left, right := n.left.Eval(f), n.right.Eval(f)
	set, err := readSet(n.op, &right)
	return err == nil && n.op.each(&left, &right, set)
}

// exists asks whether the variables of the left mean something.
func (n *node) exists(f *pipeline.Finding) bool {
	if name, ok := n.left.Variable(); ok {
		_, found := vars.Find(f, name)
		return found != n.op.not
	}
	parts := n.left.Parts()
	for i := range parts {
		name, ok := parts[i].Variable()
		if !ok {
			return false
		}
		if _, found := vars.Find(f, name); (found != n.op.not) == n.op.or {
			return n.op.or
		}
	}
	return len(parts) > 0 && !n.op.or
}
