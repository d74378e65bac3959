package trace

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is under which name the context travels, in records and over HTTP.
const Header = "traceparent"

// Of returns the span in ctx as a traceparent, "" when there is none that is
// followed.
func Of(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// Below returns ctx with a traceparent from elsewhere as the span above. Text that
// is none, and "", change nothing.
func Below(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{Header: parent})
}

// Within is Below with what a job says of itself, which counts only inside the trace
// that the job was started in.
func Within(ctx context.Context, own, said string) context.Context {
	ctx = Below(ctx, own)
	inner := Below(ctx, said)
	if trace.SpanContextFromContext(inner).TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
		return ctx
	}
	return inner
}
