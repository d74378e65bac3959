package app_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// topLevel is all there may be at the top of the tree.
var topLevel = []string{
	".ci", ".gitignore", "LICENSE", "Makefile", "README.md", "api", "charts", "cmd", "deploy", "docs", "go.mod", "go.sum", "matchers", "pipeline", "sinks",
}

// largest is how many bytes a file may have that is kept: what is larger was built,
// or belongs to somebody else and is fetched.
const largest = 1 << 20

// TestTheTreeHoldsNothingElse looks at what is kept, which is what git knows.
func TestTheTreeHoldsNothingElse(t *testing.T) {
	root := "../../.."
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("no checkout: what an archive holds is what git had")
	}
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(files) < 100 {
		t.Fatalf("git knows %d files only", len(files))
	}
	for _, f := range files {
		if first, _, _ := strings.Cut(f, "/"); !slices.Contains(topLevel, first) {
			t.Errorf("%s: nothing new goes to the top of the tree", f)
		}
		info, err := os.Lstat(filepath.Join(root, f))
		if err != nil {
			continue // being removed
		}
		if info.Size() > largest {
			t.Errorf("%s has %d bytes, %d are too many", f, info.Size(), largest)
		}
	}
}
