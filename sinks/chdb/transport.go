package chdb

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Transport makes clickhouse-go call the engine in this process: it is the value
// of its Options.TransportFunc.
func (e *Engine) Transport(*http.Transport) (http.RoundTripper, error) {
	return inProcess{e}, nil
}

// inProcess answers requests by calling a handler. Nothing is listened on and
// nothing is dialled.
type inProcess struct{ handler http.Handler }

// RoundTrip runs the handler in a goroutine that ends with the request's context
// or when the body of the response is closed.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	a := &answer{header: http.Header{}, ready: make(chan struct{}), body: pw}
	go func() {
		defer cancel()
		t.handler.ServeHTTP(a, in)
		_ = in.Body.Close()
		a.WriteHeader(http.StatusOK)
		_ = pw.CloseWithError(ctx.Err()) // a cancelled answer must not look complete
	}()
	select {
	case <-a.ready:
	case <-ctx.Done():
		select {
		case <-a.ready: // both: the handler has just ended
		default:
			_ = pr.CloseWithError(ctx.Err())
			return nil, ctx.Err()
		}
	}
	length, err := strconv.ParseInt(a.sent.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, ContentLength: length, Request: r, Body: &body{PipeReader: pr, cancel: cancel},
	}, nil
}

// answer is the handler's side of a response.
type answer struct {
	header http.Header
	once   sync.Once
	ready  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
	body   *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.ready)
	})
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// body is the caller's side: closing it early stops the statement.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *body) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
