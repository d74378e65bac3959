package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestUI(t *testing.T) {
	s := &Server{deps: Deps{UI: fstest.MapFS{
		"index.html":           {Data: []byte("<html>page")},
		"index.html.gz":        {Data: []byte("zipped page")},
		"icon.svg":             {Data: []byte("<svg/>")},
		"assets/app-1a2b.js":   {Data: []byte("code")},
		"assets/deep/other.js": {Data: []byte("other")},
	}}}
	for _, tc := range []struct {
		name, path, accept string
		status             int
		body, cache        string
	}{
		{"front page", "/", "", 200, "<html>page", "no-cache"},
		{"compressed", "/", "br, gzip", 200, "zipped page", "no-cache"},
		{"page of the application", "/hosts/0123?q=a", "", 200, "<html>page", "no-cache"},
		{"folder", "/assets/deep", "", 404, "404 page not found\n", ""},
		{"asset", "/assets/app-1a2b.js", "gzip", 200, "code", "public, max-age=31536000, immutable"},
		{"asset of another build", "/assets/app-ffff.js", "", 404, "404 page not found\n", ""},
		{"other file", "/icon.svg", "", 200, "<svg/>", "no-cache"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tc.path, nil)
			r.Header.Set("Accept-Encoding", tc.accept)
			w := httptest.NewRecorder()
			s.ui(w, r)
			if w.Code != tc.status || w.Body.String() != tc.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tc.status, tc.body)
			}
			if got := w.Header().Get("Cache-Control"); got != tc.cache {
				t.Errorf("Cache-Control is %q, want %q", got, tc.cache)
			}
			if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != strings.HasPrefix(tc.body, "zipped") {
				t.Errorf("Content-Encoding is %q", w.Header().Get("Content-Encoding"))
			}
			if tc.name == "compressed" && w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("Content-Type is %q", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestWithoutUI(t *testing.T) {
	w := httptest.NewRecorder()
	(&Server{}).ui(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if !strings.Contains(w.Body.String(), NoUI) {
		t.Errorf("got %q", w.Body)
	}
}
