package bus

import (
	"context"
	"time"
)

// lagEvery is how often WatchLag looks; scrapes come about as often.
const lagEvery = 10 * time.Second

// WatchLag measures until ctx ends how many records of each topic a group has not
// committed. A failure leaves the last measurement standing: whether the brokers
// answer is Ping's business.
func (b *Bus) WatchLag(ctx context.Context, groups map[string][]string) error {
	tick := time.NewTicker(lagEvery)
	defer tick.Stop()
	for {
		for group, topics := range groups {
			b.measureLag(ctx, group, topics)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (b *Bus) measureLag(ctx context.Context, group string, topics []string) {
	ctx, cancel := context.WithTimeout(ctx, lagEvery)
	defer cancel()
	lag, err := b.Lag(ctx, group, topics...)
	if err != nil {
		b.log.Debug("lag could not be measured", "group", group, "err", err)
		return
	}
	for topic, n := range lag {
		b.metrics.lag.WithLabelValues(group, topic).Set(float64(n))
	}
}
