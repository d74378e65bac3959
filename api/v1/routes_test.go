package v1

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// bare is an API whose handlers cannot be called, only found.
func bare(t *testing.T) *API {
	t.Helper()
	a, err := New(Deps{Store: struct{ store }{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRoutesAndDocumentAgree(t *testing.T) {
	a := bare(t)
	routes := map[string]bool{}
	err := chi.Walk(a.apiRoutes(), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes[method+" "+described(route)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if a.doc.Operation(method, path) == nil {
			t.Errorf("the route %s is not described: add it to api/openapi/parts", route)
		}
	}
	for _, op := range a.doc.Operations() {
		if !routes[op.Method+" "+op.Path] {
			t.Errorf("%s %s is described and no route", op.Method, op.Path)
		}
	}
}

func TestTheDocumentationIsServedWithoutTheNet(t *testing.T) {
	h := bare(t).Handler()
	get := func(path, encoding string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	page := get("/api/docs/", "")
	if page.Code != 200 || strings.Contains(page.Body.String(), "://") || strings.Contains(page.Body.String(), "<script>") {
		t.Errorf("the page is %d %s: nothing from elsewhere and no inline script may be in it", page.Code, page.Body)
	}
	for path, media := range map[string]string{
		"/api/docs/start.js": "text/javascript", "/api/docs/swagger-ui-bundle.js": "text/javascript",
		"/api/docs/swagger-ui.css": "text/css", "/api/docs/favicon-32x32.png": "image/png",
		"/api/v1/openapi.json": "application/json", "/api/v1/openapi.yaml": "application/yaml",
	} {
		w := get(path, "")
		if b, _ := io.ReadAll(w.Body); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), media) || len(b) < 100 {
			t.Errorf("%s: %d %s, %d bytes", path, w.Code, w.Header().Get("Content-Type"), len(b))
		}
	}
	if w := get("/api/docs/swagger-ui-bundle.js", "gzip"); w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the viewer is not compressed")
	}
	for _, path := range []string{"/api/docs/gone.js", "/api/docs/../x", "/api/v1/gone"} {
		if w := get(path, ""); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	r := httptest.NewRequest(http.MethodDelete, "/api/v1/version", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
		t.Errorf("DELETE /version: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}
