package jsonscan_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/jsonscan"
)

// What is known is valid, and its text is all of the value.
func FuzzRaw(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x\"é\\",{}],"b":{"c":[[]]}}`, `[]`, `""`, `-`, `01`, `1.`, `1e`, `tru`, `"\x"`, `"\u12"`, "\"\t\"", `{"a" 1}`, `{,}`, `[1,]`, `[1 2]`, `{"a":1,}`, ` 1 `, "\"\xff\"",
		strings.Repeat("[", 200) + strings.Repeat("]", 200), "nul", "\u00a01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := jsonscan.New([]byte(text))
		raw := string(c.Raw())
		if c.End() && (!json.Valid([]byte(raw)) || strings.TrimSpace(text) != strings.TrimSpace(raw)) {
			t.Errorf("%q is known as %q", text, raw)
		}
	})
}

// A scalar is what encoding/json reads.
func FuzzScalar(f *testing.F) {
	for _, s := range []string{`"a"`, `"\ud83d\ude00 \ud800"`, `true`, `1`, `-0`, `1e400`, `9223372036854775808`, `1.50`, `null`, `{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := jsonscan.New([]byte(text))
		got := c.Scalar(false)
		if !c.End() {
			return
		}
		var want any
		if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %v, want %v, %v", text, got, want, err)
		}
	})
}

func TestExactNumbers(t *testing.T) {
	for text, want := range map[string]any{"9223372036854775807": int64(9223372036854775807), "9223372036854775808": 9223372036854775808.0, "1.0": 1.0, "-3": int64(-3)} {
		c := jsonscan.New([]byte(text))
		if got := c.Scalar(true); got != want || !c.End() {
			t.Errorf("%s is %T %v, want %T %v", text, got, got, want, want)
		}
	}
}
