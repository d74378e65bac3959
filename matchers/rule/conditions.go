package rule

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
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
	for _, key := range []string{"lhs", "operator", "rhs"} {
		if e[key] == nil && (len(e) > 0 || len(m.Values) == 0) { // else it was meant to be something different
			p.fail(m, join(path, key), "is required")
		}
	}
	if n := e["operator"]; n != nil {
		c.Operator = p.text(n, join(path, "operator"))
		if _, ok := parseOperator(c.Operator); !ok && c.Operator != "" {
			p.fail(n, join(path, "operator"), "%q is unknown; one of %s, with not_ and or_ in front and _i behind", c.Operator, strings.Join(Operators(), ", "))
		}
	}
	c.Left = p.operand(e["lhs"], join(path, "lhs"))
	c.Right = p.operand(e["rhs"], join(path, "rhs"))
	return c
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
