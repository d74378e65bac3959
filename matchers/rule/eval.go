package rule

import (
	"encoding/json"
	"fmt"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

// Evaluation is what a rule does with a finding, guards aside.
type Evaluation struct {
	Subscription  string                     `json:"subscription"`
	Match         bool                       `json:"match"`
	Reason        string                     `json:"reason"`
	Parameters    map[string]json.RawMessage `json:"parameters"`
	Discriminator string                     `json:"discriminator"`
	FindingID     string                     `json:"findingId,omitempty"`
	Conditions    []Trace                    `json:"conditions,omitempty"`
}

// Reasons of an Evaluation. That of a condition that does not hold says which.
const (
	reasonMatched = "matched"
	reasonKey     = "key"
	reasonNotMet  = "conditions"
)

// Eval says what the rule does with a finding: whether it is about its key, whether
// its conditions hold, and what the job would be given.
func (r *Rule) Eval(f *pipeline.Finding) Evaluation {
	e := Evaluation{Subscription: r.Name, FindingID: f.ID, Parameters: map[string]json.RawMessage{}}
	if r.Trigger == Event && !r.Reacts(f.Key) {
		e.Reason = fmt.Sprintf("%s: the finding's key is %s, the subscription reacts to %v", reasonKey, f.Key, r.Findings)
		return e
	}
	e.Conditions = r.Trace(f)
	if !r.Holds(f) {
		e.Reason = reasonNotMet + ": " + FirstFailure(e.Conditions)
		return e
	}
	args, err := r.Arguments(f)
	if err != nil {
		e.Reason = "parameters: " + err.Error()
		return e
	}
	for _, a := range args {
		e.Parameters[a.Name] = a.Value
	}
	e.Match, e.Reason, e.Discriminator = true, reasonMatched, r.Discriminator(f)
	return e
}

// Trace is a condition, what its operands were, and whether it held.
type Trace struct {
	Path     string  `json:"path"` // as in conditions[2].or[0]
	Holds    bool    `json:"holds"`
	Junction string  `json:"junction,omitempty"` // and, or
	Of       []Trace `json:"of,omitempty"`
	Left     any     `json:"lhs,omitempty"`
	Operator string  `json:"operator,omitempty"`
	Right    any     `json:"rhs,omitempty"`
	Written  string  `json:"written,omitempty"` // the left side before its variables were looked up
}

// Trace evaluates every condition, also those that Holds has no need to look at.
func (r *Rule) Trace(f *pipeline.Finding) []Trace {
	return traces(r.conditions.children, r.document.Conditions, "conditions", f)
}

func traces(nodes []node, written []Condition, path string, f *pipeline.Finding) []Trace {
	out := make([]Trace, len(nodes))
	for i := range nodes {
		n, c := &nodes[i], &written[i]
		at := fmt.Sprintf("%s[%d]", path, i)
		t := Trace{Path: at, Holds: n.holds(f), Junction: n.junction}
		switch n.junction {
		case "and":
			t.Of = traces(n.children, c.All, at+".and", f)
		case "or":
			t.Of = traces(n.children, c.Any, at+".or", f)
		default:
			t.Operator, t.Left = c.Operator, n.left.Expand(f)
			if c.Right != nil {
				t.Right = n.right.Expand(f)
			}
			if !n.left.Literal() {
				t.Written = fmt.Sprint(c.Left)
			}
			if name, ok := n.left.Variable(); ok {
				if _, known := vars.Find(f, name); !known {
					t.Left = nil // it means nothing; "" would look as if it did
				}
			}
		}
		out[i] = t
	}
	return out
}

// FirstFailure puts the first condition that did not hold into a sentence.
func FirstFailure(list []Trace) string {
	for _, t := range list {
		if t.Holds {
			continue
		}
		if t.Junction == "and" && len(t.Of) > 0 {
			return FirstFailure(t.Of)
		}
		if t.Junction == "or" {
			return t.Path + ": none of its conditions holds"
		}
		return t.String()
	}
	return ""
}

// String writes the comparison with its operands' values.
func (t Trace) String() string {
	left := show(t.Left)
	if t.Written != "" {
		left = t.Written + " = " + left
	}
	s := fmt.Sprintf("%s: %s %s", t.Path, left, t.Operator)
	if t.Right != nil {
		s += " " + show(t.Right)
	}
	if !t.Holds {
		s += " does not hold"
	}
	return s
}

// show writes a value for people, short.
func show(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return clip(fmt.Sprint(v))
	}
	return clip(string(b))
}
