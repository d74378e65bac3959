package vars

import (
	"fmt"
	"math"
	"strconv"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds. Other is what only passes through: null and objects.
const (
	Other Kind = iota
	Text
	Bool
	Int
	Float
	List
)

// Value is what a template gives for a finding. Unlike an interface it holds texts
// and numbers without an allocation, which is what lets a condition be evaluated
// millions of times a second.
type Value struct {
	kind  Kind
	bits  uint64 // of a Bool, Int or Float
	text  string
	other any // []Value of a List, the thing itself of an Other
}

// Of makes a value of decoded JSON or YAML: nil, string, bool, a number, a list of
// these; anything else is Other.
func Of(v any) Value {
	switch x := v.(type) {
	case string:
		return text(x)
	case bool:
		if x {
			return Value{kind: Bool, bits: 1}
		}
		return Value{kind: Bool}
	case int:
		return integer(int64(x))
	case int64:
		return integer(x)
	case uint64:
		if x <= math.MaxInt64 {
			return integer(int64(x))
		}
		return Of(float64(x))
	case float64:
		return Value{kind: Float, bits: math.Float64bits(x)}
	case []any:
		list := make([]Value, len(x))
		for i := range x {
			list[i] = Of(x[i])
		}
		return Value{kind: List, other: list}
	default:
		return Value{other: v}
	}
}

func text(s string) Value   { return Value{kind: Text, text: s} }
func integer(n int64) Value { return Value{kind: Int, bits: uint64(n)} }

// Kind returns the value's type.
func (v *Value) Kind() Kind { return v.kind }

// Text returns a Text's text; "" for any other kind.
func (v *Value) Text() string { return v.text }

// Bool returns a Bool's truth; false for any other kind.
func (v *Value) Bool() bool { return v.kind == Bool && v.bits == 1 }

// Number returns the number of an Int or a Float; ok is false for any other kind.
func (v *Value) Number() (n float64, ok bool) {
	switch v.kind {
	case Int:
		return float64(int64(v.bits)), true
	case Float:
		return math.Float64frombits(v.bits), true
	default:
		return 0, false
	}
}

// Len is how many elements a List has; any other value counts as a list of one.
func (v *Value) Len() int {
	if v.kind != List {
		return 1
	}
	return len(v.other.([]Value))
}

// At returns element i, as Len counts them.
func (v *Value) At(i int) *Value {
	if v.kind != List {
		return v
	}
	return &v.other.([]Value)[i]
}

// Any returns the value as nil, string, bool, int64, float64, []any, or the object
// it was made of.
func (v *Value) Any() any {
	switch v.kind {
	case Text:
		return v.text
	case Bool:
		return v.Bool()
	case Int:
		return int64(v.bits)
	case Float:
		return math.Float64frombits(v.bits)
	case List:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.At(i).Any()
		}
		return list
	default:
		return v.other
	}
}

// String writes the value the way it stands in text; null is "".
func (v *Value) String() string {
	switch v.kind {
	case Text:
		return v.text
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Int:
		return strconv.FormatInt(int64(v.bits), 10)
	case Float:
		return strconv.FormatFloat(math.Float64frombits(v.bits), 'f', -1, 64)
	case List:
		return fmt.Sprint(v.Any())
	default:
		if v.other == nil {
			return ""
		}
		return fmt.Sprint(v.other)
	}
}
