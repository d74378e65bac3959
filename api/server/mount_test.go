package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestTheGatewayHasTwoDoors(t *testing.T) {
	gateway := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := &Server{deps: Deps{Gateway: gateway}, log: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry())}
	for path, want := range map[string]int{"/gateway/v1/findings": http.StatusTeapot, "/Jobs/Finding": http.StatusTeapot, "/jobs/Finding": http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		s.routes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
