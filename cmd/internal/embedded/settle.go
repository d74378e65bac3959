package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// repairWithin bounds what is done to a log after a crash, beyond reading it.
const repairWithin = time.Minute

// repair makes a log that was not closed fit for use. A commit that cannot be finished
// is told of and does not keep the server from starting: what it read comes again.
func (b *Broker) repair(l ledger, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), repairWithin)
	defer cancel()
	if err := b.settle(ctx); err != nil {
		return err
	}
	commits, err := l.commits()
	if err != nil {
		return err
	}
	for _, c := range commits {
		switch n, err := b.finish(ctx, c); {
		case err != nil:
			log.Error("a commit that was cut in the middle could not be finished", "group", c.Group, "err", err)
		case n > 0:
			log.Info("finished a commit that was cut in the middle", "group", c.Group, "records", n)
		}
	}
	return nil
}

func (b *Broker) client(opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.network.DialContext))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the broker: %w", err)
	}
	return client, nil
}

// settle ends every partition with a marker. A kill in the middle of a transaction
// leaves records that the broker takes for aborted from then on, but without the
// marker that says so: who reads what is committed would be given nothing after the
// last record before them, and could never know that the end is reached. The marker
// is of a producer that there is not.
func (b *Broker) settle(ctx context.Context) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	all := topics.TopicsSet()
	if len(all) == 0 {
		return nil
	}
	answers, err := admin.WriteTxnMarkers(ctx, kadm.TxnMarkers{ProducerID: math.MaxInt64, Topics: all})
	if err != nil {
		return fmt.Errorf("ending transactions: %w", err)
	}
	for _, r := range answers.SortedPartitions() {
		if r.Err != nil {
			return fmt.Errorf("ending transactions of %s/%d: %w", r.Topic, r.Partition, r.Err)
		}
	}
	return nil
}
