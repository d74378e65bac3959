package openapi

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckAnswer reports how an answer differs from the operation's description: an
// undescribed status, media type or property, or a value of another type. Tests
// call it with what real handlers say.
func (op *Operation) CheckAnswer(status int, header http.Header, body []byte) error {
	a, ok := op.answers[strconv.Itoa(status)]
	if !ok && status >= http.StatusBadRequest {
		a, ok = op.answers["default"]
	}
	if !ok {
		return fmt.Errorf("%s: status %d is not described", op.ID, status)
	}
	for _, h := range a.headers {
		if header.Get(h) == "" {
			return fmt.Errorf("%s: header %s is described and missing", op.ID, h)
		}
	}
	if len(a.media) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("%s: %d has a body, none is described", op.ID, status)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%s: %d: content type %q: %w", op.ID, status, header.Get("Content-Type"), err)
	}
	schema, ok := a.media[media]
	if !ok {
		return fmt.Errorf("%s: %d is %s, which is not described", op.ID, status, media)
	}
	if schema == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %d: %w", op.ID, status, err)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("%s: %d: %w\n%s", op.ID, status, err, body)
	}
	return nil
}
