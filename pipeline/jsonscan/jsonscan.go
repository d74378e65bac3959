// Package jsonscan reads the JSON that passes through here a hundred thousand times a
// second with a pull parser (go-faster/jx), without reflection. It takes the plain
// form only: what our own encoder and ordinary programs write. Of anything else it
// says that it does not know it, and the caller asks encoding/json, which has the last
// word on what is valid and what is wrong with it. Where it does know it agrees with
// encoding/json; fuzz tests here and of its users hold the two against each other.
package jsonscan

import (
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// Scanner goes through one text. After the first thing it does not know OK is false,
// and what it returned means nothing.
type Scanner struct {
	d   jx.Decoder
	bad bool
}

// New begins to read a text. Nothing of it is kept.
func New(text []byte) *Scanner {
	c := new(Scanner)
	c.d.ResetBytes(text)
	return c
}

// Fail says that the caller does not know what it read.
func (c *Scanner) Fail() { c.bad = true }

// End reports whether all was known and nothing is left: neither a value, one that is
// cut off too, nor what is none.
func (c *Scanner) End() bool {
	return !c.bad && c.d.Next() == jx.Invalid && errors.Is(c.d.Skip(), io.EOF)
}

var errUnknown = errors.New("not the plain form")

// known turns an error of the parser into the scanner's state, and the state into
// what makes the parser stop.
func (c *Scanner) known(err error) error {
	if err != nil {
		c.bad = true
	}
	if c.bad {
		return errUnknown
	}
	return nil
}

// Object calls fn for each member of the object that comes; fn reads its value and
// does not keep the key.
func (c *Scanner) Object(fn func(key []byte)) {
	_ = c.known(c.d.ObjBytes(func(_ *jx.Decoder, key []byte) error {
		fn(key)
		return c.known(nil)
	}))
}

// Array calls fn for each element of the array that comes; fn reads it.
func (c *Scanner) Array(fn func()) {
	_ = c.known(c.d.Arr(func(*jx.Decoder) error {
		fn()
		return c.known(nil)
	}))
}

// String reads a string. Bytes that are no UTF-8 are not known: encoding/json
// replaces them.
func (c *Scanner) String() string {
	text, err := c.d.StrBytes()
	if c.known(err) != nil || !utf8.Valid(text) {
		c.bad = true
		return ""
	}
	return string(text)
}

// Int reads a number without fraction and exponent.
func (c *Scanner) Int() int64 {
	n, err := strconv.ParseInt(c.number(), 10, 64)
	_ = c.known(err)
	return n
}

// Uint is Int for what is not negative.
func (c *Scanner) Uint() uint64 {
	n, err := strconv.ParseUint(c.number(), 10, 64)
	_ = c.known(err)
	return n
}

// Bool reads true or false.
func (c *Scanner) Bool() bool {
	b, err := c.d.Bool()
	_ = c.known(err)
	return b
}

// number reads the text of a number.
func (c *Scanner) number() string {
	if c.d.Next() != jx.Number { // the parser would take a string that holds one
		c.bad = true
		return ""
	}
	n, err := c.d.Num()
	_ = c.known(err)
	return n.String()
}

// Scalar reads a string, a boolean or a number, which becomes a float64 as in
// encoding/json, or with exact an int64 when it is one.
func (c *Scanner) Scalar(exact bool) any {
	switch c.d.Next() {
	case jx.String:
		return c.String()
	case jx.Bool:
		return c.Bool()
	case jx.Number:
		return c.numeric(exact)
	default:
		c.bad = true
		return nil
	}
}

func (c *Scanner) numeric(exact bool) any {
	text := c.number()
	if exact {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	_ = c.known(err)
	return n
}

// Raw passes over whatever value comes, checks it, and returns its text, which is
// part of the whole.
func (c *Scanner) Raw() []byte {
	raw, err := c.d.Raw()
	_ = c.known(err)
	return raw
}
