package client

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/stalker-asm/stalker/pipeline"
)

// Stream sends a request with a body that is read as it is sent, and returns the
// answer's, to be read as it comes and closed. It is tried once: a body cannot be
// sent again. It ends with ctx.
func (c *Client) Stream(ctx context.Context, method, path, media string, body io.Reader) (io.ReadCloser, error) {
	c.mu.Lock()
	base, token := c.base, c.token
	c.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, method, base+"/api/v1"+path, body)
	if err != nil {
		return nil, fmt.Errorf("making request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	return c.open(req)
}

// open sends a request and returns the answer's body.
func (c *Client) open(req *http.Request) (io.ReadCloser, error) {
	resp, err := (&http.Client{Transport: c.http.Transport}).Do(req)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeUnavailable, "the server at %s does not answer: %w", req.URL.Scheme+"://"+req.URL.Host, err)
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	return nil, refusal(resp.StatusCode, text)
}
