// Package jsonscan reads and writes the JSON that passes through here a hundred
// thousand times a second, several times as fast as encoding/json does. It knows
// only the plain form: what our own encoder and ordinary programs write. Of anything
// else it says that it does not know it, and the caller asks encoding/json, which has
// the last word on what is valid and what is wrong with it. Where it does know it
// agrees with encoding/json; fuzz tests of its users hold the two against each other.
package jsonscan

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Scanner goes through one text. The strings it returns are parts of that text: who
// keeps one for long keeps all of it, and should clone it. After the first thing it
// does not know it stays at its place, OK is false, and what it returned means nothing.
type Scanner struct {
	s   string
	i   int
	bad bool
}

// New begins to read a text.
func New(text string) Scanner { return Scanner{s: text} }

// OK reports whether everything was known so far.
func (c *Scanner) OK() bool { return !c.bad }

// Fail says that the caller does not know what it read.
func (c *Scanner) Fail() { c.bad = true }

// End reports whether all was known and nothing is left.
func (c *Scanner) End() bool {
	c.space()
	return !c.bad && c.i == len(c.s)
}

func (c *Scanner) space() {
	for c.i < len(c.s) {
		switch c.s[c.i] {
		case ' ', '\n', '\t', '\r':
			c.i++
		default:
			return
		}
	}
}

// peek is the first byte of what comes, 0 at the end.
func (c *Scanner) peek() byte {
	c.space()
	if c.bad || c.i >= len(c.s) {
		return 0
	}
	return c.s[c.i]
}

// take passes over a byte if it is what comes.
func (c *Scanner) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.i++
	return true
}

func (c *Scanner) need(b byte) {
	if !c.take(b) {
		c.bad = true
	}
}

// Object calls fn for each member of the object that comes; fn reads its value.
func (c *Scanner) Object(fn func(key string)) {
	c.need('{')
	if c.take('}') {
		return
	}
	for !c.bad {
		key := c.String()
		c.need(':')
		if c.bad {
			return
		}
		fn(key)
		if c.take(',') {
			continue
		}
		c.need('}')
		return
	}
}

// Array calls fn for each element of the array that comes; fn reads it.
func (c *Scanner) Array(fn func()) {
	c.need('[')
	if c.take(']') {
		return
	}
	for !c.bad {
		fn()
		if c.take(',') {
			continue
		}
		c.need(']')
		return
	}
}

// String reads a string.
func (c *Scanner) String() string {
	c.need('"')
	if c.bad {
		return ""
	}
	begin, ascii := c.i, true
	for i := begin; i < len(c.s); i++ {
		switch b := c.s[i]; {
		case b == '"':
			c.i = i + 1
			if text := c.s[begin:i]; ascii || utf8.ValidString(text) {
				return text
			}
			return c.unquote(begin - 1)
		case b == '\\':
			return c.escaped(begin-1, i)
		case b < ' ':
			c.bad = true
			return ""
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	c.bad = true
	return ""
}

// escaped reads a string that begins at begin and has its first escape at i.
func (c *Scanner) escaped(begin, i int) string {
	for ; i < len(c.s); i++ {
		switch c.s[i] {
		case '\\':
			i++
		case '"':
			c.i = i + 1
			return c.unquote(begin)
		}
	}
	c.bad = true
	return ""
}

// unquote has encoding/json read the string from begin to here.
func (c *Scanner) unquote(begin int) (text string) {
	if err := json.Unmarshal([]byte(c.s[begin:c.i]), &text); err != nil {
		c.bad = true
	}
	return text
}

// Int reads a number without fraction and exponent.
func (c *Scanner) Int() int64 {
	n, err := strconv.ParseInt(c.number(), 10, 64)
	if err != nil {
		c.bad = true
	}
	return n
}

// Uint is Int for what is not negative.
func (c *Scanner) Uint() uint64 {
	n, err := strconv.ParseUint(c.number(), 10, 64)
	if err != nil {
		c.bad = true
	}
	return n
}

// Bool reads true or false.
func (c *Scanner) Bool() bool {
	b := c.peek() == 't'
	word := "false"
	if b {
		word = "true"
	}
	c.word(word)
	return b
}

func (c *Scanner) word(w string) {
	c.space()
	if !strings.HasPrefix(c.s[c.i:], w) {
		c.bad = true
		return
	}
	c.i += len(w)
}

// number reads the text of a number as RFC 8259 has it.
func (c *Scanner) number() string {
	c.space()
	begin := c.i
	c.skip('-')
	if !c.skip('0') {
		c.digits()
	}
	if c.skip('.') {
		c.digits()
	}
	if c.skip('e') || c.skip('E') {
		if !c.skip('+') {
			c.skip('-')
		}
		c.digits()
	}
	return c.s[begin:c.i]
}

func (c *Scanner) skip(b byte) bool {
	if c.i < len(c.s) && c.s[c.i] == b {
		c.i++
		return true
	}
	return false
}

func (c *Scanner) digits() {
	begin := c.i
	for c.i < len(c.s) && c.s[c.i] >= '0' && c.s[c.i] <= '9' {
		c.i++
	}
	if c.i == begin {
		c.bad = true
	}
}

// Scalar reads a string, a boolean or a number, which becomes a float64 as in
// encoding/json, or with exact an int64 when it is one.
func (c *Scanner) Scalar(exact bool) any {
	switch b := c.peek(); {
	case b == '"':
		return c.String()
	case b == 't', b == 'f':
		return c.Bool()
	case b == '-', b >= '0' && b <= '9':
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
	if err != nil {
		c.bad = true
	}
	return n
}

// maxDepth is how deep values may lie in one another to be known here.
const maxDepth = 100

// Raw passes over whatever value comes, checks it, and returns its text.
func (c *Scanner) Raw() string {
	c.space()
	begin := c.i
	c.pass(0)
	return c.s[begin:c.i]
}

func (c *Scanner) pass(depth int) {
	if depth > maxDepth {
		c.bad = true
		return
	}
	switch c.peek() {
	case '{':
		c.Object(func(string) { c.pass(depth + 1) })
	case '[':
		c.Array(func() { c.pass(depth + 1) })
	case '"':
		c.text()
	case 't', 'f':
		c.Bool()
	case 'n':
		c.word("null")
	default:
		c.number()
	}
}

// text passes over a string; one with escapes is read to know that they are right.
func (c *Scanner) text() { _ = c.String() }
