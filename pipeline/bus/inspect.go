package bus

import (
	"context"
	"fmt"
)

// Cluster is what Inspect saw of the brokers.
type Cluster struct {
	Brokers int
	Version string         // a guess from what the brokers can do: "v4.1"
	Topics  map[string]int // partitions of each topic that exists
	Missing []string       // declared topics that do not exist
}

// Inspect asks the brokers what is there. It changes nothing.
func (b *Bus) Inspect(ctx context.Context) (Cluster, error) {
	versions, err := b.admin.ApiVersions(ctx)
	if err != nil {
		return Cluster{}, classify(fmt.Errorf("asking the brokers for their version: %w", err))
	}
	var c Cluster
	for _, v := range versions {
		c.Brokers++
		c.Version = v.VersionGuess()
	}
	names := make([]string, 0, len(Topics()))
	for _, t := range Topics() {
		names = append(names, t.Name)
	}
	listed, err := b.admin.ListTopics(ctx, b.names.outsides(names)...)
	if err != nil {
		return Cluster{}, classify(fmt.Errorf("listing topics: %w", err))
	}
	c.Topics = map[string]int{}
	for _, name := range names {
		if t, ok := listed[b.names.outside(name)]; ok && t.Err == nil {
			c.Topics[name] = len(t.Partitions)
		} else {
			c.Missing = append(c.Missing, name)
		}
	}
	return c, nil
}
