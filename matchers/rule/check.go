package rule

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/stalker-asm/stalker/matchers/vars"
)

// Check is Parse that also refuses what can never hold: an operator whose operands
// have, or always will have, the wrong type. It is for those who write a document;
// one that is stored already runs as the reference would run it.
func Check(source []byte) (*Document, error) { return parse(source, &reader{strict: true}) }

// wants is the kind of operands an operator compares, Other for any.
func (o *operator) wants() vars.Kind {
	switch o.base {
	case contains, startsWith, endsWith, matches, inCIDR, subdomainOf:
		return vars.Text
	case gte, gt, lte, lt, between:
		return vars.Int
	default:
		if o.fold {
			return vars.Text
		}
		return vars.Other
	}
}

// types checks the operands of a comparison.
func (p *reader) types(e map[string]ast.Node, path string, op operator, c *Condition) {
	want := op.wants()
	if want == vars.Other || op.base == none {
		return
	}
	p.typed(e["lhs"], join(path, "lhs"), c.Operator, want, c.Left)
	if !op.set() { // what a set holds is checked when it is read
		p.typed(e["rhs"], join(path, "rhs"), c.Operator, want, c.Right)
	}
	if want == vars.Int && op.fold {
		p.fail(e["operator"], join(path, "operator"), "%s never holds: _i compares texts, %s numbers", c.Operator, c.Operator[:len(c.Operator)-2])
	}
}

func (p *reader) typed(n ast.Node, path, op string, want vars.Kind, v any) {
	if list, ok := v.([]any); ok {
		for i, e := range list {
			p.typed(n, fmt.Sprintf("%s[%d]", path, i), op, want, e)
		}
		return
	}
	if n == nil || v == nil {
		return
	}
	t := vars.Compile(v)
	var got vars.Kind
	var what string
	if name, ok := t.Variable(); ok {
		got, ok = vars.Native(name)
		if !ok {
			return // a dynamic field may be anything
		}
		what = fmt.Sprintf("${%s} is %s", name, kindName(got))
	} else {
		x := vars.Of(v)
		got = x.Kind()
		what = fmt.Sprintf("this is %s", kindName(got))
	}
	if got == vars.Float {
		got = vars.Int
	}
	if got != want {
		p.fail(n, path, "%s, and %s compares with %s only: it never holds", what, op, kindName(want))
	}
}
