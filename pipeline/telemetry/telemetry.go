// Package telemetry makes the process's logger and metrics registry. Components
// get both injected; nobody uses a global one.
package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Config says how the process logs.
type Config struct {
	// Level is the least severe level that is written: debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text for people or json for collectors.
	Format string `yaml:"format"`
}

// DefaultConfig logs info and above as text.
func DefaultConfig() Config { return Config{Level: "info", Format: "text"} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Level)); err != nil {
		errs = append(errs, fmt.Errorf("level %q is none of debug, info, warn, error", c.Level))
	}
	if c.Format != "text" && c.Format != "json" {
		errs = append(errs, fmt.Errorf("format %q is neither text nor json", c.Format))
	}
	return errors.Join(errs...)
}

// Logger returns a logger that writes to w. The configuration must be valid.
func Logger(c Config, w io.Writer) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(c.Level)) // checked by Validate; info otherwise
	opts := &slog.HandlerOptions{Level: l}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Registry returns a metrics registry that already holds the process's and the Go
// runtime's metrics, and stalker_build_info.
func Registry(version string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "stalker_build_info", Help: "Always 1; the label names the version.",
	}, []string{"version"})
	info.WithLabelValues(version).Set(1)
	r.MustRegister(info)
	return r
}
