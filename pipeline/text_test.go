package pipeline_test

import (
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	for _, tc := range []struct {
		in         string
		most       int
		head, clip string
	}{
		{"", 3, "", ""},
		{"abc", 3, "abc", "abc"},
		{"abcd", 3, "abc", "abc…"},
		{"abé", 3, "ab", "ab…"},
		{"a\xffb", 3, "ab", "a\xffb"},
		{"日本", 4, "日", "日…"},
	} {
		if got := pipeline.Head(tc.in, tc.most); got != tc.head {
			t.Errorf("Head(%q, %d) = %q, want %q", tc.in, tc.most, got, tc.head)
		}
		if got := pipeline.Clip(tc.in, tc.most); got != tc.clip {
			t.Errorf("Clip(%q, %d) = %q, want %q", tc.in, tc.most, got, tc.clip)
		}
	}
}
