package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Event is a server-sent event.
type Event struct{ Name, ID, Data string }

// ErrEnough ends Events without an error.
var ErrEnough = errors.New("enough")

// maxEvent is how long the data of one event may be.
const maxEvent = 1 << 20

// Events reads a stream of server-sent events and gives each to fn, until fn
// returns an error. A stream that breaks off is asked for again from behind the
// last event that had an id, for as long as a server may be away.
func (c *Client) Events(ctx context.Context, path string, fn func(Event) error) error {
	last, since := "", time.Now()
	for {
		before := last
		err := c.events(ctx, path, &last, fn)
		if errors.Is(err, ErrEnough) {
			return nil
		}
		if last != before {
			since = time.Now()
		}
		code := pipeline.CodeOf(err)
		again := code == pipeline.CodeUnavailable || code == pipeline.CodeBusy || code == pipeline.CodeUnauthorized && c.find != nil
		if ctx.Err() != nil || !again || time.Since(since) > comesBack {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
		c.look(ctx)
	}
}

// look finds the server again, if it is followed.
func (c *Client) look(ctx context.Context) {
	if c.find == nil {
		return
	}
	if base, token, ok := c.find(ctx); ok {
		c.mu.Lock()
		c.base, c.token = base, token
		c.mu.Unlock()
	}
}

func (c *Client) events(ctx context.Context, path string, last *string, fn func(Event) error) error {
	c.mu.Lock()
	base, token := c.base, c.token
	c.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1"+path, nil)
	if err != nil {
		return fmt.Errorf("making request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	body, err := c.open(req)
	if err != nil {
		return err
	}
	defer body.Close()
	var e Event
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "event":
			e.Name = value
		case "id":
			e.ID = value
		case "data":
			e.Data += value
		}
		if lines.Text() != "" || e.Name == "" {
			continue
		}
		if err := fn(e); err != nil {
			return err
		}
		if e.ID != "" {
			*last = e.ID
		}
		e = Event{}
	}
	return pipeline.Errorf(pipeline.CodeUnavailable, "the stream broke off: %w", errors.Join(lines.Err(), ctx.Err()))
}
