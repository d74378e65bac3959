package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/stalker-asm/stalker/pipeline"
)

// CheckRequest checks a request against its operation: the parameters, the media
// type of the body and, when that is JSON, the body, which it reads into memory and
// puts back. params holds the values of the path's parameters. Everything that is
// wrong is in one InputErrors.
func (op *Operation) CheckRequest(w http.ResponseWriter, r *http.Request, params map[string]string) error {
	errs := op.checkParameters(r, params)
	bodyErrs, err := op.checkBody(w, r)
	if err != nil {
		return err
	}
	if errs = append(errs, bodyErrs...); len(errs) > 0 {
		return errs
	}
	return nil
}

func (op *Operation) checkParameters(r *http.Request, params map[string]string) InputErrors {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return InputErrors{{In: "query", Message: "is not readable: " + err.Error()}}
	}
	var errs InputErrors
	for name := range query {
		if !slices.Contains(op.query, name) {
			errs = append(errs, InputError{In: "query", Path: short(name), Message: "is not known here" + known(op.query)})
		}
	}
	for _, p := range op.parameters {
		var values []string
		switch p.in {
		case "path":
			values = []string{params[p.name]}
		case "query":
			values = query[p.name]
		case "header":
			values = r.Header.Values(p.name)
		}
		errs = append(errs, p.check(op.doc, values)...)
	}
	return errs
}

func known(names []string) string {
	if len(names) == 0 {
		return ": there are no parameters"
	}
	return "; known are " + strings.Join(names, ", ")
}

func (p *parameter) check(d *Document, values []string) InputErrors {
	switch {
	case len(values) == 0 && p.required:
		return InputErrors{{In: p.in, Path: p.name, Message: "is required"}}
	case len(values) == 0:
		return nil
	case len(values) > 1 && !p.list:
		return InputErrors{{In: p.in, Path: p.name, Message: "is given twice"}}
	}
	v := p.value(values[0])
	if p.list {
		list := make([]any, len(values))
		for i, s := range values {
			list[i] = p.value(s)
		}
		v = list
	}
	return d.explain(p.schema.Validate(v), p.in, p.name)
}

// value reads a parameter as the type its schema wants; what does not fit stays
// text, which the schema then refuses.
func (p *parameter) value(s string) any {
	for _, t := range p.types {
		switch t {
		case "integer", "number":
			if _, err := strconv.ParseFloat(s, 64); err == nil && json.Valid([]byte(s)) {
				return json.Number(s)
			}
		case "boolean":
			if s == "true" || s == "false" {
				return s == "true"
			}
		}
	}
	return s
}

func (op *Operation) checkBody(w http.ResponseWriter, r *http.Request) (InputErrors, error) {
	if len(op.Media) == 0 {
		return nil, nil
	}
	media, err := op.media(r)
	if err != nil {
		return InputErrors{{In: "header", Path: "Content-Type", Message: err.Error()}}, nil
	}
	if !isJSON(media) {
		return nil, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, op.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "the body has more than %d bytes", op.MaxBody)
	case err != nil:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the body could not be read: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	r.ContentLength = int64(len(b))
	if len(b) == 0 && !op.bodyRequired {
		return nil, nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return InputErrors{{In: "body", Message: "is no JSON: " + strings.TrimPrefix(err.Error(), "json: ")}}, nil
	}
	return op.doc.explain(op.body.Validate(v), "body", ""), nil
}

// media returns which of the body's media types a request has. None given is JSON,
// for callers that do not care to say.
func (op *Operation) media(r *http.Request) (string, error) {
	h := r.Header.Get("Content-Type")
	if h == "" && op.body != nil {
		return "application/json", nil
	}
	media, _, err := mime.ParseMediaType(h)
	if err != nil || !slices.Contains(op.Media, media) {
		return "", fmt.Errorf("%q is not taken here; taken are %s", short(h), strings.Join(op.Media, ", "))
	}
	return media, nil
}

// JSON reports whether a request that was checked has a JSON body.
func (op *Operation) JSON(r *http.Request) bool {
	media, err := op.media(r)
	return err == nil && op.body != nil && isJSON(media)
}
