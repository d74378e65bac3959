// Package veil hides values in text that people get to see: as they are, line by
// line, and as base64, percent-encoding, hexadecimal digits and JSON would write
// them, also in the middle of something longer. It keeps accidents from being read;
// a job that wants to give a value away can always find a form that is not here.
package veil

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Mask is what is shown instead.
const Mask = "••••••"

// Lengths below which a text cannot be told from ordinary ones: of a value, and of
// what is left of it in an encoding whose ends depend on what is around it.
const (
	shortest     = 4
	shortestPart = 6
)

// Veil hides some values. The zero value hides nothing.
type Veil struct {
	replacer *strings.Replacer
}

// New hides values.
func New(values []string) *Veil {
	seen := map[string]bool{}
	var forms []string
	add := func(s string, least int) {
		if len(s) >= least && !seen[s] {
			seen[s] = true
			forms = append(forms, s)
		}
	}
	for _, v := range values {
		for _, piece := range pieces(v) {
			encode(piece, add)
		}
	}
	if len(forms) == 0 {
		return &Veil{}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the longest that fits
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, Mask)
	}
	return &Veil{strings.NewReplacer(pairs...)}
}

// pieces are a value and, when it has several lines, each of them: output comes by
// lines.
func pieces(v string) []string {
	out := []string{v}
	if !strings.ContainsAny(v, "\r\n") {
		return out
	}
	for line := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == '\r' || r == '\n' }) {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

func encode(v string, add func(string, int)) {
	if len(v) < shortest {
		return
	}
	add(v, shortest)
	if j, err := json.Marshal(v); err == nil {
		add(string(j[1:len(j)-1]), shortest)
	}
	add(plainJSON(v), shortest)
	for _, u := range []string{url.QueryEscape(v), url.PathEscape(v), percent(v, ""), percent(v, "/"), strings.ReplaceAll(percent(v, ""), "%20", "+")} {
		add(u, shortest)
		add(lowerEscapes(u), shortest)
	}
	h := hex.EncodeToString([]byte(v))
	add(h, shortest)
	add(strings.ToUpper(h), shortest)
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		add(e.EncodeToString([]byte(v)), shortestPart)
		for before := range 3 {
			add(within(e, v, before), shortestPart)
		}
	}
}

// plainJSON is how JSON writes a text when <, > and & are left as they are.
func plainJSON(v string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	s := strings.TrimSuffix(b.String(), "\n")
	return s[1 : len(s)-1]
}

// within is what of v is certain to appear in the base64 of a text in which v
// stands behind so many bytes, modulo three.
func within(e *base64.Encoding, v string, before int) string {
	s := e.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), v...))
	from := (before*8 + 5) / 6
	to := (before + len(v)) * 8 / 6
	if from >= to {
		return ""
	}
	return s[from:to]
}

// percent writes everything but letters, digits, -._~ and what is kept as %XX.
func percent(v, keep string) string {
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~"+keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// Hides reports whether there is anything to hide.
func (v *Veil) Hides() bool { return v.replacer != nil }

// Text returns a text without the values.
func (v *Veil) Text(s string) string {
	if v.replacer == nil {
		return s
	}
	return v.replacer.Replace(s)
}

// JSON returns a JSON value without the values in its texts, keys and numbers. What
// is no JSON is taken as text.
func (v *Veil) JSON(raw json.RawMessage) json.RawMessage {
	if v.replacer == nil {
		return raw
	}
	// without escapes every text stands in raw as it is, and what is not in the whole is
	// not in a part: nearly always that is the end of it
	if s := string(raw); strings.IndexByte(s, '\\') < 0 && v.Text(s) == s {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var x any
	if d.Decode(&x) != nil {
		return json.RawMessage(v.Text(string(raw)))
	}
	x, changed := v.walk(x)
	if !changed {
		return raw
	}
	out, err := json.Marshal(x)
	if err != nil {
		return json.RawMessage(v.Text(string(raw)))
	}
	return out
}

func (v *Veil) walk(x any) (any, bool) {
	switch x := x.(type) {
	case string:
		s := v.Text(x)
		return s, s != x
	case json.Number:
		if s := v.Text(string(x)); s != string(x) {
			return s, true
		}
		return x, false
	case []any:
		changed := false
		for i := range x {
			var c bool
			x[i], c = v.walk(x[i])
			changed = changed || c
		}
		return x, changed
	case map[string]any:
		out, changed := make(map[string]any, len(x)), false
		for k, e := range x {
			name := v.Text(k)
			e, c := v.walk(e)
			out[name] = e
			changed = changed || c || name != k
		}
		return out, changed
	default:
		return x, false
	}
}
