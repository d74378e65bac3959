package bus

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/stalker-asm/stalker/pipeline/trace"
)

// Producer writes records that every in-sync replica acknowledges. It is safe for
// concurrent use.
type Producer struct {
	client  *kgo.Client
	bus     *Bus
	metrics *metrics
}

// Producer connects a producer. Close it after everything that uses it.
func (b *Bus) Producer() (*Producer, error) {
	client, err := kgo.NewClient(b.options(producing()...)...)
	if err != nil {
		return nil, fmt.Errorf("making producer: %w", err)
	}
	return &Producer{client: client, bus: b, metrics: b.metrics}, nil
}

func producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(1 << 20),
		kgo.MaxBufferedRecords(100_000),
		kgo.MaxBufferedBytes(64 << 20),
		kgo.RecordDeliveryTimeout(30 * time.Second),
		kgo.ProducerLinger(0),
		kgo.RecordPartitioner(partitioner()),
	}
}

// Produce writes the records and returns when all are acknowledged, or with the
// first error; then some may have been written. It sets Partition and Offset. A
// full buffer makes it wait until ctx ends. The span in ctx, if it is followed, is
// that of the records.
func (p *Producer) Produce(ctx context.Context, recs []Record) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	var topic string
	var produced prometheus.Counter
	wg.Add(len(recs))
	parent := trace.Of(ctx)
	for i := range recs {
		if produced == nil || recs[i].Topic != topic {
			topic = recs[i].Topic
			produced = p.metrics.produced.WithLabelValues(topic)
		}
		counter := produced
		k := p.bus.toKafka(&recs[i])
		if parent != "" && recs[i].Headers[trace.Header] == "" {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: trace.Header, Value: []byte(parent)})
		}
		p.client.Produce(ctx, k, func(r *kgo.Record, err error) {
			defer wg.Done()
			if err != nil {
				p.metrics.produceErrs.WithLabelValues(recs[i].Topic).Inc()
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = fmt.Errorf("producing to %s: %w", recs[i].Topic, err)
				}
				return
			}
			recs[i].Partition, recs[i].Offset = r.Partition, r.Offset
			counter.Inc()
		})
	}
	wg.Wait()
	return classify(first)
}

// Close waits for what is buffered, up to the delivery timeout, and disconnects.
func (p *Producer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.client.Flush(ctx) // an error here was given to the caller of Produce
	p.client.Close()
}

// partitioner keeps a key on one partition, and a pinned record where it says.
func partitioner() kgo.Partitioner {
	return kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
		return func(r *kgo.Record, n int) int {
			if r.Partition >= 0 {
				return int(r.Partition)
			}
			return PartitionOf(r.Key, n)
		}
	})
}

// PartitionOf returns the partition, of n, on which records with this key are.
func PartitionOf(key []byte, n int) int {
	h := fnv.New64a()
	_, _ = h.Write(key) // never fails
	return int(h.Sum64() % uint64(n))
}

// toKafka leaves the time to the client, which counts the delivery timeout from it:
// a record dated earlier, such as what is derived from a finding that waited, would
// time out before it is sent, each time. When something happened is in its value.
func (b *Bus) toKafka(r *Record) *kgo.Record {
	k := &kgo.Record{Topic: b.names.outside(r.Topic), Partition: -1, Key: r.Key, Value: r.Value}
	if r.Pinned {
		k.Partition = r.Partition
	}
	for name, value := range r.Headers {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	return k
}

func (b *Bus) fromKafka(k *kgo.Record) Record {
	r := Record{Topic: b.names.inside(k.Topic), Partition: k.Partition, Offset: k.Offset, Time: k.Timestamp, Key: k.Key, Value: k.Value}
	if len(k.Headers) > 0 {
		r.Headers = make(map[string]string, len(k.Headers))
		for _, h := range k.Headers {
			r.Headers[h.Key] = string(h.Value)
		}
	}
	return r
}
