package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/manual"
	"github.com/stalker-asm/stalker/docs"
)

// manualPages are what the manual must have, and what their text must be about.
var manualPages = map[string]string{
	"01-first-scan":        "tutorial",
	"10-write-a-job":       "job",
	"12-kubernetes":        "helm install",
	"14-subscriptions":     "subscription",
	"15-search":            "filter",
	"16-monitor":           "Grafana",
	"17-import-export":     "export",
	"18-backup":            "restore",
	"19-troubleshooting":   "Dead letters",
	"20-upgrade":           "helm upgrade",
	"21-scale":             "partitions",
	"22-single-sign-on":    "OpenID Connect",
	"23-sql":               "own__",
	"50-api":               "operation",
	"51-configuration":     "STALKER_CFG_",
	"52-metrics":           "stalker_bus_lag_records",
	"53-topics":            "stalker.findings",
	"80-life-of-a-finding": "gateway",
	"81-internals":         "pipeline",
	"82-exactly-once":      "exactly",
	"83-performance":       "A billion findings a day",
	"84-security":          "trust",
	"85-threat-model":      "attacker",
}

// TestTheBinaryServesTheWholeManual asks for each page as the binary has it.
func TestTheBinaryServesTheWholeManual(t *testing.T) {
	m, err := manual.New(docs.FS())
	if err != nil {
		t.Fatal(err)
	}
	for name, about := range manualPages {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, manual.Root+name, nil))
		if w.Code != http.StatusOK || !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(about)) {
			t.Errorf("%s: status %d, or not a word of %q", name, w.Code, about)
		}
	}
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	linked = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// TestEveryLinkBetweenFilesLeadsSomewhere follows the links of every page of the tree to
// files and to headings of other pages.
func TestEveryLinkBetweenFilesLeadsSomewhere(t *testing.T) {
	root, seen := "../..", 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".md"):
			return nil
		}
		for _, m := range linked.FindAllStringSubmatch(prose(t, path), -1) {
			to, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") || strings.HasPrefix(to, "/") {
				continue // elsewhere
			}
			seen++
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), to)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			} else if fragment != "" && strings.HasSuffix(target, ".md") && !headed(prose(t, target), fragment) {
				t.Errorf("%s links to %s, which has no such heading", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d links were found", seen)
	}
}

// prose is a page without its code, in which brackets are no links.
func prose(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllStringFunc(string(text), func(code string) string { return strings.Trim(strings.ReplaceAll(code, "](", "] ("), "`") })
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)

// headed says whether a page has the heading that a fragment names.
func headed(page, fragment string) bool {
	for line := range strings.Lines(page) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		if strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-") == fragment {
			return true
		}
	}
	return false
}
