package filter_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// TestExamplesOfTheGuide reads every example of the guide, and takes its canonical
// form for the same.
func TestExamplesOfTheGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/15-search.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var kind pipeline.Kind
	for line := range strings.SplitSeq(string(text), "\n") {
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			kind = pipeline.Kind(fence)
			continue
		}
		if kind == "" || line == "" {
			continue
		}
		n++
		f, err := filter.Parse(kind, line, now)
		if err != nil {
			t.Errorf("%s %q: %v", kind, line, err)
			continue
		}
		if again, err := filter.Parse(kind, f.String(), now); err != nil || again.String() != f.String() {
			t.Errorf("%q is written as %q and read as %q, %v", line, f, again, err)
		}
	}
	if n < 30 {
		t.Errorf("only %d examples were found", n)
	}
}
