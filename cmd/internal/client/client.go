// Package client speaks to a Stalker server's API for the command line.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Client calls one server.
type Client struct {
	http *http.Client
	find func(context.Context) (base, token string, ok bool) // nil when the server stays where it is

	mu          sync.Mutex
	base, token string
}

// New returns a client for the server at base, such as http://127.0.0.1:8080.
func New(base, token string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{Timeout: 60 * time.Second}}
}

// Follow makes the client look for its server when that does not answer or does
// not know it any more, as after a restart. Requests that only read and those of
// Create are then sent again; whether others were carried out cannot be known.
func (c *Client) Follow(find func(context.Context) (base, token string, ok bool)) { c.find = find }

// comesBack is how long a server that is followed may be away.
const comesBack = 2 * time.Minute

// attempts is how often a request is tried while the server says "later".
const attempts = 5

// Do sends a request and decodes the answer into out, unless that is nil. What the
// server refuses is an error with its code and its own words.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	return c.do(ctx, request{method: method, path: path}, in, out)
}

// Create posts what makes something new. It carries an Idempotency-Key, so that it
// may be sent again when nobody can say whether the server took it.
func (c *Client) Create(ctx context.Context, path string, in, out any) error {
	return c.do(ctx, request{method: http.MethodPost, path: path, key: pipeline.NewID()}, in, out)
}

// request is one request, however often it is sent.
type request struct {
	method, path string
	key          string // of idempotency, or ""
	body         []byte
}

func (c *Client) do(ctx context.Context, r request, in, out any) (err error) {
	if r.body, err = json.Marshal(in); err != nil {
		return fmt.Errorf("encoding request: %w", err)
	}
	err = c.patiently(ctx, r, out)
	for end := time.Now().Add(comesBack); c.lost(r, err) && time.Now().Before(end); {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
		if base, token, ok := c.find(ctx); ok {
			c.mu.Lock()
			c.base, c.token = base, token
			c.mu.Unlock()
			err = c.patiently(ctx, r, out)
		}
	}
	return err
}

// lost reports whether a request failed because the server went away, and may be
// sent again.
func (c *Client) lost(r request, err error) bool {
	code := pipeline.CodeOf(err)
	return c.find != nil && (r.method == http.MethodGet || r.key != "") && (code == pipeline.CodeUnavailable || code == pipeline.CodeUnauthorized)
}

// patiently sends a request and waits while the server says "later".
func (c *Client) patiently(ctx context.Context, r request, out any) error {
	for try := 1; ; try++ {
		again, err := c.once(ctx, r, out)
		if err == nil || again < 0 || try == attempts {
			return err
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return err
		}
	}
}

// once returns, with an error, how long to wait before trying again; negative
// means never.
func (c *Client) once(ctx context.Context, r request, out any) (time.Duration, error) {
	c.mu.Lock()
	base, token := c.base, c.token
	c.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, r.method, base+"/api/v1"+r.path, bytes.NewReader(r.body))
	if err != nil {
		return -1, fmt.Errorf("making request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // it repeats the address
		}
		return -1, pipeline.Errorf(pipeline.CodeUnavailable, "the server at %s does not answer: %w", base, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return -1, pipeline.Errorf(pipeline.CodeUnavailable, "the server's answer broke off: %w", err)
	}
	if resp.StatusCode >= 300 {
		return retryAfter(resp), refusal(resp.StatusCode, text)
	}
	if out == nil {
		return 0, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return -1, fmt.Errorf("decoding answer to %s %s: %w", r.method, r.path, err)
	}
	return 0, nil
}

func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return -1
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n >= 0 && n <= 60 {
		return time.Duration(n) * time.Second
	}
	return time.Second
}

func refusal(status int, text []byte) error {
	var p struct {
		Detail string
		Code   pipeline.Code
	}
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		return pipeline.Errorf(pipeline.CodeInternal, "the server answered %d", status)
	}
	return pipeline.Errorf(p.Code, "the server says: %s", p.Detail)
}

// All returns every item of a list, page by page.
func All[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	var all []T
	q := url.Values{"limit": {"1000"}}
	maps.Copy(q, query)
	for {
		var p pipeline.Page[T]
		if err := c.Do(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			return all, nil
		}
		q.Set("cursor", p.Next)
	}
}
