package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Members returns how many processes take part in a group now; 0 also for a group
// that never was.
func (b *Bus) Members(ctx context.Context, group string) (int, error) {
	described, err := b.admin.DescribeGroups(ctx, b.names.prefix+group)
	if err == nil {
		err = described.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, classify(fmt.Errorf("asking who is in %s: %w", group, err))
	}
	n := 0
	for _, g := range described {
		n += len(g.Members)
	}
	return n, nil
}
