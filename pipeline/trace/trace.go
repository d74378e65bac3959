// Package trace follows one thing through the system: a request to the API or to
// the gateway, the findings it brought, the jobs they asked for and what those
// found. Each step is a span of OpenTelemetry; the context travels in the headers of
// records, in the tokens of jobs and in their environment as a traceparent (W3C
// Trace Context). A tracer that is nil, as by default, records nothing.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/stalker-asm/stalker/pipeline/config"
)

// Config says where spans go and how many.
type Config struct {
	// Endpoint is the collector that takes spans, OTLP over HTTP, such as http://otel-collector:4318/v1/traces; empty turns traces off.
	Endpoint string `yaml:"endpoint"`
	// Sample is the share of what enters the system that is followed, from 0 to 1. All that comes of what is followed is followed too.
	Sample float64 `yaml:"sample"`
	// Authorization is the header of that name which the collector asks for, such as "Bearer …"; empty sends none.
	Authorization config.Secret `yaml:"authorization"`
}

// DefaultConfig is off, and follows one in a hundred when it is turned on.
func DefaultConfig() Config { return Config{Sample: 0.01} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if u, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		errs = append(errs, fmt.Errorf("endpoint %q is no address such as http://otel-collector:4318/v1/traces", c.Endpoint))
	}
	if !(c.Sample >= 0 && c.Sample <= 1) {
		errs = append(errs, fmt.Errorf("sample is %v, must be between 0 and 1", c.Sample))
	}
	return errors.Join(errs...)
}

// Tracer makes spans.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	log      *slog.Logger
}

// New returns nil when the configuration turns traces off. What the collector does
// not take in time is dropped; nothing waits for it.
func New(c Config, version string, log *slog.Logger) (*Tracer, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	if c.Endpoint == "" {
		return nil, nil //nolint:nilnil // a nil tracer is one that records nothing
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(c.Endpoint), otlptracehttp.WithTimeout(10 * time.Second)}
	if c.Authorization != "" {
		options = append(options, otlptracehttp.WithHeaders(map[string]string{"Authorization": string(c.Authorization)}))
	}
	exporter := otlptracehttp.NewUnstarted(options...)
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(8192)),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(c.Sample))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "stalker"), attribute.String("service.version", version))),
	)
	return &Tracer{provider: p, tracer: p.Tracer("stalker"), log: log.With("component", "trace")}, nil
}

// Run waits for the end of ctx and sends the rest.
func (t *Tracer) Run(ctx context.Context) error {
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(last); err != nil {
		t.log.Warn("the last spans were not sent", "err", err)
	}
	return nil
}

// Start begins a span at a time, below the one in ctx. The attributes are names and
// values in turn.
func (t *Tracer) Start(ctx context.Context, name string, at time.Time, attributes ...string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithTimestamp(at))
	for i := 0; s.IsRecording() && i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			s.SetAttributes(attribute.String("stalker."+attributes[i], attributes[i+1]))
		}
	}
	return ctx, Span{s}
}

// Span is one step.
type Span struct{ span trace.Span }

// End ends the step, with an error unless that is nil.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}
