// Package filter is the language in which lists are searched: it parses a text
// into a tree with positions, writes a tree back in one canonical form, says what
// is wrong and what was probably meant, completes, and decides whether a record
// fits. It knows which terms each kind of thing has and nothing of where things
// are stored: the analytical store compiles the tree to SQL (sinks/clickhouse), and
// a test holds that against Match.
//
// The terms and their meaning stand in docs/15-search.md, whose examples are tests.
// Parsing is total and bounded, and Parse(f.String()) gives f again.
package filter

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Kinds of things that are searched besides resources.
const (
	Finding   pipeline.Kind = "finding"
	Execution pipeline.Kind = "execution"
)

// Kinds lists everything that can be searched.
func Kinds() []pipeline.Kind { return append(pipeline.Kinds(), Finding, Execution) }

// Bounds of a filter.
const (
	MaxText    = 16 << 10 // bytes
	MaxTerms   = 200
	MaxValues  = 2000 // of all terms together
	MaxDepth   = 32   // of parentheses and negations
	MaxPattern = 256  // bytes of a regular expression
	maxProgram = 4000 // instructions a regular expression compiles to
)

// Filter is a parsed search. The zero Root selects everything.
type Filter struct {
	Kind pipeline.Kind
	Root Expr
	Now  time.Time // what relative times are relative to, a whole minute
}

// Span is where something stands in the text, in bytes.
type Span struct{ From, To int }

// Expr is an And, an Or, a Not or a *Term.
type Expr interface{ expr() }

// And holds when every part does; it has at least two.
type And []Expr

// Or holds when any part does; it has at least two.
type Or []Expr

// Not holds when X does not.
type Not struct{ X Expr }

// Term holds when the field has one of the values.
type Term struct {
	Span
	Field *Field
	// Key and Sub are the parts of a field of findings: the key of the finding,
	// "" for any, and the key of its field, "" when it is enough that there is one.
	Key, Sub string
	Values   []Value
}

func (And) expr()   {}
func (Or) expr()    {}
func (Not) expr()   {}
func (*Term) expr() {}

// Everything reports whether f selects everything.
func (f *Filter) Everything() bool { return f == nil || f.Root == nil }

// Terms calls fn for every term of an expression.
func Terms(x Expr, fn func(*Term)) {
	switch x := x.(type) {
	case And:
		for _, y := range x {
			Terms(y, fn)
		}
	case Or:
		for _, y := range x {
			Terms(y, fn)
		}
	case Not:
		Terms(x.X, fn)
	case *Term:
		fn(x)
	}
}
