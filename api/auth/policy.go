package auth

import (
	"strings"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
)

// MaxPassword is the greatest length of a password, in bytes.
const MaxPassword = 1024

// common are passwords long enough and yet tried first by everybody.
var common = []string{
	"password1234", "passwordpassword", "123456789012", "1234567890123", "qwertyuiop12", "qwertyuiop[]", "administrator", "letmeinletmein",
	"iloveyouiloveyou", "changemechangeme", "correcthorsebatterystaple", "stalkerstalker", "welcome12345", "abcdefghijkl", "111111111111", "000000000000",
}

// CheckPassword follows NIST SP 800-63B §5.1.1.2: length counts, composition does
// not, and what everybody tries first, or the account's own name, is refused.
func CheckPassword(password, email, name string) error {
	lower := strings.ToLower(password)
	why := ""
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		why = "at least 12 characters are needed; a few words in a row are easy to keep in mind"
	case len(password) > MaxPassword:
		why = "at most 1024 bytes are allowed"
	case distinct(lower) < 5:
		why = "more than a few different characters are needed"
	}
	for _, c := range common {
		if lower == c {
			why = "it is among the first that everybody tries"
		}
	}
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	for _, own := range []string{local, strings.ToLower(email), strings.ToLower(strings.ReplaceAll(name, " ", ""))} {
		if len(own) >= 4 && strings.Contains(lower, own) && len(own)*2 > len(lower) {
			why = "it is mostly your own name"
		}
	}
	if why != "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "password: %s", why)
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}
