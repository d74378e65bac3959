package rows_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

func TestWords(t *testing.T) {
	fields := []pipeline.Field{
		{Key: "os", Type: pipeline.TextField, Data: "Linux ÄÖ"},
		{Key: "", Type: pipeline.TextField, Data: 1.5},
		{Key: "shot", Type: pipeline.ImageField, Data: "data:image/png;base64,AAAA"},
		{Key: "up1", Type: pipeline.TextField, Data: true},
	}
	want := "\xffan os\xffOS\xfelinux äö\xff\xfe1.5\xffSHOT\xfe\xffUP\xfdDB\xfetrue\xff"
	if got := rows.Words("An OS", fields); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := rows.Words("", nil); got != "\xff\xff" {
		t.Errorf("of nothing: %q", got)
	}
}

// FuzzWords: what is found in the text is found in a field, and the other way round.
func FuzzWords(f *testing.F) {
	f.Add("key", "Value", "other", "q Z Q", "val")
	f.Add("a", "b\nZ", "", "K", "k")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, look string) {
		said := rows.Words("", []pipeline.Field{{Key: k1, Type: pipeline.TextField, Data: v1}, {Key: k2, Type: pipeline.TextField, Data: v2}})
		for _, x := range []string{v1, v2, look} {
			if !utf8.ValidString(x) {
				return
			}
		}
		low, a, b := strings.ToLower(look), strings.ToLower(v1), strings.ToLower(v2)
		if low != "" {
			if want, got := strings.Contains(a, low) || strings.Contains(b, low), strings.Contains(said, low); got != want {
				t.Errorf("%q in %q: %t", low, said, got)
			}
		}
		if want, got := a == low || k2 == k1 && b == low, strings.Contains(said, rows.WordsEnd+rows.WordsAs(k1)+low+rows.WordsEnd); got != want {
			t.Errorf("%q is %q in %q: %t", k1, low, said, got)
		}
	})
}
