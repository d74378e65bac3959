// Package server owns the listener: it puts the API, the gateway, the web
// interface, metrics and health behind one address, with what every request needs
// around them.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
)

// Config says where to listen.
type Config struct {
	// Listen is host:port. The default is reachable from this machine only.
	Listen string `yaml:"listen"`
	// Grace is how long requests in work may take when the server stops.
	Grace time.Duration `yaml:"grace"`
}

// DefaultConfig listens on this machine's port 8080.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:8080", Grace: 10 * time.Second} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if _, port, err := net.SplitHostPort(c.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen %q is not host:port", c.Listen))
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		errs = append(errs, fmt.Errorf("listen %q has no port from 0 to 65535", c.Listen))
	}
	if c.Grace < 0 {
		errs = append(errs, fmt.Errorf("grace is %s, must not be negative", c.Grace))
	}
	return errors.Join(errs...)
}

// Check is a part that must answer for the process to be ready.
type Check struct {
	Name string
	Ping func(context.Context) error
}

// Deps is what the server puts behind its address. API, Gateway and Metrics are
// handlers for their own paths; nil leaves them out, Manual likewise. UI is the built web
// interface, nil when it was not built.
type Deps struct {
	API      http.Handler
	Gateway  http.Handler
	Metrics  http.Handler
	UI       fs.FS
	Manual   http.Handler
	Checks   []Check
	Log      *slog.Logger
	Registry prometheus.Registerer
	Stopping func() // called when the server begins to stop: ends requests that would go on; may be nil
}

// Server serves one listener.
type Server struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	metrics  *metrics
	listener net.Listener
}

// New binds the address, so that a port in use is found before anything starts.
func New(cfg Config, d Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("http config: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, pipeline.Errorf(pipeline.CodeConflict, "another program listens on %s: stop it, or choose another address with --listen", cfg.Listen)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "this machine has no address %s: choose another with --listen", cfg.Listen)
	case err != nil:
		return nil, fmt.Errorf("listening on %s: %w: choose another address with --listen", cfg.Listen, err)
	}
	return &Server{cfg: cfg, deps: d, log: d.Log.With("component", "http"), metrics: newMetrics(d.Registry), listener: l}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close gives the address back when Run is never going to be called.
func (s *Server) Close() error { return s.listener.Close() }

// Set puts handlers in place that could only be made once the address was known.
func (s *Server) Set(d Deps) { s.deps = d }

// Run serves until ctx ends, then lets requests in work finish within the grace.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.deps.Stopping != nil {
		srv.RegisterOnShutdown(s.deps.Stopping)
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return errors.Join(fmt.Errorf("stopping: %w", err), srv.Close())
	}
	return nil
}

func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.recover, s.metrics.count, securityHeaders)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	r.Get("/readyz", s.ready)
	mount(r, "/metrics", s.deps.Metrics)
	mount(r, "/gateway/*", s.deps.Gateway)
	mount(r, "/Jobs/*", s.deps.Gateway) // as the reference's images call it
	mount(r, "/api/*", s.deps.API)
	mount(r, "/docs", s.deps.Manual)
	mount(r, "/docs/*", s.deps.Manual)
	r.Get("/*", s.ui)
	return r
}

func mount(r chi.Router, pattern string, h http.Handler) {
	if h != nil {
		r.Handle(pattern, h)
	}
}

// recover turns a panic into a 500 and a log line; one request, not the process.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the documented sentinel of net/http
				s.log.Error("handler panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				reply(w, http.StatusInternalServerError, map[string]string{"code": "internal", "message": "something went wrong here"})
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// securityHeaders let the web interface load its own files only. Inline style
// attributes are allowed: the component library sets them.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// ready asks every part and says which do not answer.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	status := http.StatusOK
	parts := map[string]string{}
	for _, c := range s.deps.Checks {
		parts[c.Name] = "ok"
		if err := c.Ping(ctx); err != nil {
			s.log.Warn("part is not ready", "part", c.Name, "err", err)
			parts[c.Name] = "does not answer"
			status = http.StatusServiceUnavailable
		}
	}
	reply(w, status, map[string]any{"ready": status == http.StatusOK, "parts": parts})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "stalker_http_requests_total", Help: "Requests by area and status class."}, []string{"area", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stalker_http_request_seconds", Help: "How long requests took.", Buckets: []float64{.005, .025, .1, .25, 1, 5, 30},
		}, []string{"area"}),
	}
	reg.MustRegister(m.requests, m.seconds)
	return m
}

// count labels by area, a closed set, never by path.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(ww, r)
		area := "ui"
		for _, a := range []string{"api", "gateway", "metrics", "healthz", "readyz"} {
			if strings.HasPrefix(r.URL.Path, "/"+a) {
				area = a
			}
		}
		if strings.HasPrefix(r.URL.Path, "/Jobs/") {
			area = "gateway"
		}
		m.requests.WithLabelValues(area, fmt.Sprintf("%dxx", ww.Status()/100)).Inc()
		m.seconds.WithLabelValues(area).Observe(time.Since(start).Seconds())
	})
}
