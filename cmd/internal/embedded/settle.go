package embedded

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// settle ends every partition with a marker. A kill in the middle of a transaction
// leaves records that the broker takes for aborted from then on, but without the
// marker that says so: who reads what is committed would be given nothing after the
// last record before them, and could never know that the end is reached. The marker
// is of a producer that there is not.
func (b *Broker) settle() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.network.DialContext))
	if err != nil {
		return fmt.Errorf("connecting to the broker: %w", err)
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
