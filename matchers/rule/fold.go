package rule

import (
	"strings"
	"unicode/utf8"
)

// The comparisons without regard to case compare lower-case forms. Those of ASCII
// texts, nearly all there are, are compared in place.

func equalFold(l, r string) bool {
	if ascii(l) && ascii(r) {
		return strings.EqualFold(l, r)
	}
	return strings.ToLower(l) == strings.ToLower(r) //nolint:staticcheck // EqualFold folds more than lower case does: ſ is not s here
}

func hasPrefixFold(l, r string) bool {
	if ascii(l) && ascii(r) {
		return len(l) >= len(r) && strings.EqualFold(l[:len(r)], r)
	}
	return strings.HasPrefix(strings.ToLower(l), strings.ToLower(r))
}

func hasSuffixFold(l, r string) bool {
	if ascii(l) && ascii(r) {
		return len(l) >= len(r) && strings.EqualFold(l[len(l)-len(r):], r)
	}
	return strings.HasSuffix(strings.ToLower(l), strings.ToLower(r))
}

// maxInPlace bounds the length of texts searched place by place, which takes time
// in the product of both lengths.
const maxInPlace = 512

func containsFold(l, r string) bool {
	if len(l) > maxInPlace || !ascii(l) || !ascii(r) {
		return strings.Contains(strings.ToLower(l), strings.ToLower(r))
	}
	for i := 0; i+len(r) <= len(l); i++ {
		if strings.EqualFold(l[i:i+len(r)], r) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
