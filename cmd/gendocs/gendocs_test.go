package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

func TestReferencesAreUpToDate(t *testing.T) {
	list, err := pages(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range list {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(got), want); d != "" {
			t.Errorf("%s is not up to date, run make docs (-is +should be):\n%s", name, d)
		}
	}
}

// Every key says what it means, or nobody dares to change it.
func TestEveryKeyIsExplained(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/51-configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile("(?m)^\\| `[^`]+` \\|.*\\|  \\|$").FindAllString(string(text), -1) {
		t.Errorf("a key has no comment in the source: %s", line)
	}
}
