package v1

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/stalker-asm/stalker/api/openapi"
	"github.com/stalker-asm/stalker/pipeline"
)

// staleError answers 412: If-Match names a version that is not the stored one.
type staleError struct{ err error }

func (e staleError) Error() string { return e.err.Error() }

// Unwrap lets pipeline.CodeOf see the conflict.
func (e staleError) Unwrap() error { return e.err }

// tag is the entity tag of a version.
func tag(version int64) string { return fmt.Sprintf(`"%d"`, version) }

// match checks If-Match against the stored version. Without the header everything
// matches.
func match(r *http.Request, version int64) error {
	h := r.Header.Get("If-Match")
	if h == "" || h == "*" {
		return nil
	}
	for t := range strings.SplitSeq(h, ",") {
		if strings.TrimSpace(t) == tag(version) {
			return nil
		}
	}
	return staleError{pipeline.Errorf(pipeline.CodeConflict, "it was changed meanwhile: it has version %d, If-Match names %s; read it again", version, h)}
}

// replyTagged answers with one thing and its entity tag.
func replyTagged(w http.ResponseWriter, status int, version int64, body any) {
	w.Header().Set("ETag", tag(version))
	reply(w, status, body)
}

// replyCreated answers with something new and where it is.
func replyCreated(w http.ResponseWriter, path string, version int64, body any) {
	w.Header().Set("Location", Path+path)
	replyTagged(w, http.StatusCreated, version, body)
}

type idKey struct{}

// maxIdempotencyKey bounds what a client may send.
const maxIdempotencyKey = 255

// withNewID chooses the id of what a request creates. With an Idempotency-Key it is
// derived from who asks, for what, with which body: the same request again means
// the same thing, also after a crash between the two, and there is no table to
// keep or to forget.
func withNewID(r *http.Request, op *openapi.Operation) (*http.Request, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || r.Method != http.MethodPost {
		return r, nil
	}
	if len(key) > maxIdempotencyKey {
		return r, pipeline.Errorf(pipeline.CodeInvalid, "Idempotency-Key may have at most %d bytes", maxIdempotencyKey)
	}
	var body []byte
	if op.JSON(r) {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return r, fmt.Errorf("reading the body again: %w", err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	id := pipeline.DeriveID("idempotency", user(r).ID, op.ID, r.URL.Path, key, string(body))
	return r.WithContext(context.WithValue(r.Context(), idKey{}, id)), nil
}

// newID is the id of what the request creates.
func newID(r *http.Request) string {
	if id, ok := r.Context().Value(idKey{}).(string); ok {
		return id
	}
	return pipeline.NewID()
}

const mediaYAML = "application/yaml"

// yamlBody returns the body when it is YAML.
func yamlBody(w http.ResponseWriter, r *http.Request) ([]byte, bool, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != mediaYAML {
		return nil, false, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, true, pipeline.Errorf(pipeline.CodeTooLarge, "the body has more than %d bytes", maxBody)
	}
	return b, true, nil
}
