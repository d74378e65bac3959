package pipeline

import "strings"

// Head returns at most the first bytes of a text, cut between characters. What is no
// UTF-8 is left out.
func Head(s string, most int) string {
	return strings.ToValidUTF8(s[:min(most, len(s))], "")
}

// Clip is Head for people: a longer text shows by an ellipsis that it was cut, and one
// that is not longer stays as it is.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return Head(s, most) + "…"
}
