package bus

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/pipeline"
)

// classify gives a client error the code its receiver acts on.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return pipeline.Errorf(pipeline.CodeTooLarge, "%w", err)
	case errors.Is(err, kgo.ErrMaxBuffered):
		return pipeline.Errorf(pipeline.CodeBusy, "%w", err)
	default:
		return pipeline.Errorf(pipeline.CodeUnavailable, "%w", err)
	}
}

// fatal reports whether a fetch error ends a consumer: nothing but a restart, or a
// person, can mend it.
func fatal(err error) bool {
	return errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.GroupAuthorizationFailed) ||
		errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kgo.ErrClientClosed)
}

func nonce() string { return rand.Text()[:10] }
