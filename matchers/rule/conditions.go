package rule

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// list reads a list of conditions.
func (p *reader) list(n ast.Node, path string, depth int) []Condition {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		p.fail(n, path, "a list of conditions is expected, not %s", what(n))
		return nil
	}
	out := make([]Condition, 0, len(seq.Values))
	for i, v := range seq.Values {
		if p.tooDeep(v, path, depth) {
			return out
		}
		if p.conditions++; p.conditions > MaxConditions {
			p.fail(v, path, "more than %d conditions", MaxConditions)
			return out
		}
		out = append(out, p.condition(v, fmt.Sprintf("%s[%d]", path, i), depth))
	}
	return out
}

func (p *reader) condition(n ast.Node, path string, depth int) Condition {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		p.fail(n, path, "{lhs, operator, rhs}, {and: […]} or {or: […]} is expected, not %s", what(n))
		return Condition{}
	}
	if len(m.Values) == 1 {
		switch key := keyOf(m.Values[0]); key {
		case "and":
			return Condition{Junction: key, All: p.list(m.Values[0].Value, join(path, key), depth+1)}
		case "or":
			return Condition{Junction: key, Any: p.list(m.Values[0].Value, join(path, key), depth+1)}
		}
	}
	return p.comparison(m, path)
}

func (p *reader) comparison(m *ast.MappingNode, path string) Condition {
	e := p.entries(m, path, "lhs", "operator", "rhs")
	var c Condition
	var op operator
	if n := e["operator"]; n != nil {
		c.Operator, op = p.operator(n, join(path, "operator"))
	}
	for _, key := range []string{"lhs", "operator", "rhs"} {
		if e[key] == nil && (len(e) > 0 || len(m.Values) == 0) && (key != "rhs" || op.base != exists) { // else it was meant to be something different
			p.fail(m, join(path, key), "is required")
		}
	}
	c.Left = p.operand(e["lhs"], join(path, "lhs"))
	c.Right = p.operand(e["rhs"], join(path, "rhs"))
	p.sides(e, path, op, &c)
	return c
}

func (p *reader) operator(n ast.Node, path string) (string, operator) {
	s := p.text(n, path)
	op, ok := parseOperator(s)
	if bare, fold := strings.CutSuffix(s, "_i"); !ok && s != "" {
		if _, known := parseOperator(bare); fold && known {
			p.fail(n, path, "%q: this operator has no _i: write %s", clip(s), bare)
			return s, op
		}
		p.expect(n, path, Operators(), "%q is unknown; one of %s, with not_ and or_ in front and _i behind", clip(s), strings.Join(Operators(), ", "))
	}
	return s, op
}

// sides checks what an operator wants of its operands, as far as that is known
// before there is a finding.
func (p *reader) sides(e map[string]ast.Node, path string, op operator, c *Condition) {
	left, right := e["lhs"], e["rhs"]
	if p.strict {
		p.types(e, path, op, c)
	}
	switch {
	case left == nil || c.Left == nil:
	case op.base == exists:
		p.existing(left, right, path, c)
	case right == nil || c.Right == nil || !op.set():
	default:
		t := vars.Compile(c.Right)
		if !t.Literal() {
			if op.base == matches {
				p.fail(right, join(path, "rhs"), "a pattern is expected, without variables: it is compiled once")
			}
			return
		}
		v := t.Eval(nothing)
		if op.base == in && v.Len() == 0 {
			p.fail(right, join(path, "rhs"), "the list is empty: nothing would ever hold")
		} else if op.base != in {
			if _, err := readSet(op, &v); err != nil {
				p.fail(right, join(path, "rhs"), "%s", err)
			}
		}
	}
}

func (p *reader) existing(left, right ast.Node, path string, c *Condition) {
	t := vars.Compile(c.Left)
	list := t.Parts()
	if list == nil {
		list = []vars.Template{t}
	}
	for i := range list {
		if _, ok := list[i].Variable(); !ok {
			p.fail(left, join(path, "lhs"), "a variable such as ${tag} is expected, or a list of them: exists asks whether it means something")
			break
		}
	}
	if _, ok := c.Right.(bool); right != nil && !ok {
		p.expect(right, join(path, "rhs"), []string{"true", "false"}, "exists takes no rhs, or true or false, not %s", what(right))
	}
}

func (p *reader) operand(n ast.Node, path string) any {
	if n == nil {
		return nil
	}
	if _, ok := n.(*ast.MappingNode); ok {
		p.fail(n, path, "text, a number, a boolean or a list is expected, not a mapping")
		return nil
	}
	v := p.value(n, path, 1)
	p.noSecrets(n, path, v)
	return v
}
