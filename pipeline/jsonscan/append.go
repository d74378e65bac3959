package jsonscan

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// plain tells which bytes of a string encoding/json writes as they are.
var plain = func() (t [utf8.RuneSelf]bool) {
	for b := range t {
		t[b] = b >= ' ' && b != '"' && b != '\\' && b != '<' && b != '>' && b != '&' && b != 0x7f
	}
	return t
}()

// AppendString writes a string as encoding/json does.
func AppendString(to []byte, s string) []byte {
	for i := range len(s) {
		if b := s[i]; b >= utf8.RuneSelf || !plain[b] {
			text, _ := json.Marshal(s) // a string: never fails
			return append(to, text...)
		}
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

// AppendKey writes a member's key, which must be plain, with what is needed before
// and after it.
func AppendKey(to []byte, key string) []byte {
	if to[len(to)-1] != '{' {
		to = append(to, ',')
	}
	to = append(to, '"')
	to = append(to, key...)
	return append(to, '"', ':')
}

// AppendText writes a member whose value is a string, unless that is empty.
func AppendText[S ~string](to []byte, key string, s S) []byte {
	if s == "" {
		return to
	}
	return AppendString(AppendKey(to, key), string(s))
}

// AppendInt writes a member whose value is a number, unless that is 0.
func AppendInt(to []byte, key string, n int64) []byte {
	if n == 0 {
		return to
	}
	return strconv.AppendInt(AppendKey(to, key), n, 10)
}
