package manual_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stalker-asm/stalker/api/manual"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func open(t *testing.T) *manual.Manual {
	t.Helper()
	m, err := manual.New(os.DirFS("../../docs"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var (
	href = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	id   = regexp.MustCompile(`\bid="([^"]*)"`)
)

// TestEveryLinkOfTheManualLeadsSomewhere follows the links of every page that can be
// reached from the first.
func TestEveryLinkOfTheManualLeadsSomewhere(t *testing.T) {
	m := open(t)
	seen := map[string]string{manual.Root: get(m, manual.Root).Body.String()}
	for queue := []string{manual.Root}; len(queue) > 0; queue = queue[1:] {
		for _, l := range href.FindAllStringSubmatch(seen[queue[0]], -1) {
			to, err := url.Parse(html.UnescapeString(l[1]))
			if err != nil {
				t.Errorf("%s: %v", queue[0], err)
				continue
			}
			if to = (&url.URL{Path: queue[0]}).ResolveReference(to); to.Host != "" || !strings.HasPrefix(to.Path, manual.Root) {
				continue
			}
			if _, ok := seen[to.Path]; !ok {
				w := get(m, to.Path)
				if w.Code != http.StatusOK {
					t.Errorf("%s links to %s: %d", queue[0], l[1], w.Code)
				}
				seen[to.Path] = w.Body.String()
				queue = append(queue, to.Path)
			}
			if to.Fragment != "" && !anchored(seen[to.Path], to.Fragment) {
				t.Errorf("%s links to %s, which has no such heading", queue[0], l[1])
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d pages were found", len(seen))
	}
}

func anchored(page, fragment string) bool {
	for _, m := range id.FindAllStringSubmatch(page, -1) {
		if html.UnescapeString(m[1]) == fragment {
			return true
		}
	}
	return false
}

func TestPagesAreSortedByKindAndTitle(t *testing.T) {
	m, err := manual.New(fstest.MapFS{
		"01-start.md": {Data: []byte("# Start\nSee [why](80-why.md#because) and [code](../cmd/x.go).\n")},
		"80-why.md":   {Data: []byte("# Why\nIntro.\n## Because\nit *is* <script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	body := get(m, "/docs/01-start").Body.String()
	for _, want := range []string{`<h2>Tutorial</h2>`, `<h2>Explanation</h2>`, `aria-current="page">Start`, `<a href="/docs/80-why#because">why</a> and code.`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
	if body = get(m, "/docs/80-why.md").Body.String(); strings.Contains(body, "<script>alert") || !strings.Contains(body, "<td>2</td>") {
		t.Errorf("raw HTML was kept, or the table was not made:\n%s", body)
	}
}

func TestSearch(t *testing.T) {
	m := open(t)
	for q, want := range map[string]string{
		"dead letters reason":         `href="/docs/19-troubleshooting#dead-letters"`,
		"no-such-word-anywhere":       "Try fewer words",
		`"><script>alert(1)</script>`: "&lt;script&gt;",
		strings.Repeat("é", 300):      "Try fewer words",
	} {
		w := get(m, "/docs/?q="+url.QueryEscape(q))
		if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "<script>") {
			t.Errorf("searching for %.30q gives %d without %s", q, w.Code, want)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	m := open(t)
	for path, want := range map[string]int{"/docs": http.StatusMovedPermanently, "/docs/nope": http.StatusNotFound, "/docs/images/nope.png": http.StatusNotFound, "/docs/images/../docs.go": http.StatusBadRequest, "/docs/manual.css": http.StatusOK} {
		if got := get(m, path).Code; got != want {
			t.Errorf("GET %s = %d, want %d", path, got, want)
		}
	}
	if _, err := manual.New(fstest.MapFS{"30-odd.md": {Data: []byte("# Odd")}}); err == nil || !strings.Contains(fmt.Sprint(err), "first digit") {
		t.Errorf("a page of no kind: %v", err)
	}
}
