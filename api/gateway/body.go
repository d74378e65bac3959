package gateway

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jsonscan"
)

// read returns the items of a body: {"findings":[…]} (or "lines" for logs), a bare
// JSON array, or one JSON object per line.
func (g *Gateway) read(w http.ResponseWriter, r *http.Request, kind string) ([]json.RawMessage, error) {
	body, err := g.decompress(w, r)
	if err != nil {
		return nil, err
	}
	data, err := g.whole(body)
	if err != nil {
		return nil, err
	}
	items, err := split(data, r.Header.Get("Content-Type"), kind)
	if err != nil {
		return nil, err
	}
	if len(items) > g.cfg.MaxItems {
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "%d items, at most %d are allowed: send smaller batches", len(items), g.cfg.MaxItems)
	}
	return items, nil
}

// whole reads a body to its end, or to its limit.
func (g *Gateway) whole(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, g.cfg.MaxBody+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), int64(len(data)) > g.cfg.MaxBody:
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "the body has more than %d bytes: send smaller batches", g.cfg.MaxBody)
	case err != nil:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the body could not be read: %w", err)
	}
	return data, nil
}

func (g *Gateway) decompress(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	body := http.MaxBytesReader(w, r.Body, g.cfg.MaxBody)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
		return body, nil
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "the body is no gzip: %w", err)
		}
		return z, nil
	default:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "content encoding %q is neither gzip nor identity", enc)
	}
}

func split(data []byte, contentType, kind string) ([]json.RawMessage, error) {
	if media, _, _ := mime.ParseMediaType(contentType); media == "application/x-ndjson" {
		return splitLines(data), nil
	}
	if items, ok := scan(data, kind); ok {
		return items, nil
	}
	var items []json.RawMessage
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(trimmed, &items); err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "the body is no JSON array: %w", err)
		}
		return items, nil
	}
	name := nameOf(kind)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, `the body is not {%q: […]}, a JSON array, or JSON lines: %w`, name, err)
	}
	for k := range object {
		if k != name {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "the body has the key %q, only %q is known", k, name)
		}
	}
	if err := json.Unmarshal(object[name], &items); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "%q is no array: %w", name, err)
	}
	return items, nil
}

// nameOf is what the items of a kind are called in a body.
func nameOf(kind string) string {
	if kind == kindLogs {
		return "lines"
	}
	return "findings"
}

// scan is split for what is plain; not ok means that it is not, or is wrong.
func scan(text []byte, kind string) (items []json.RawMessage, ok bool) {
	c := jsonscan.New(text)
	add := func() { items = append(items, json.RawMessage(c.Raw())) }
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		c.Array(add)
		return items, c.End()
	}
	members := 0
	c.Object(func(key []byte) {
		if members++; string(key) != nameOf(kind) || members > 1 {
			c.Fail()
			return
		}
		c.Array(add)
	})
	return items, members == 1 && c.End()
}

func splitLines(data []byte) []json.RawMessage {
	var items []json.RawMessage
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, len(data)+1)
	for s.Scan() {
		if line := bytes.TrimSpace(s.Bytes()); len(line) > 0 {
			items = append(items, bytes.Clone(line))
		}
	}
	return items
}
