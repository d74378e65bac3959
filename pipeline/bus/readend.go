package bus

import (
	"context"
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// checkEnd finds partitions whose last records do not exist any more: compacted
// away, so that no record will ever say that the end is reached. That is so when
// nothing is open before the end, and the leader, asked for what comes next, has
// nothing. What the client has fetched and not given yet is of no account here: a
// record that is there is there for this question too.
func (r *reading) checkEnd(ctx context.Context) {
	topic := r.bus.names.outside(r.topic)
	stable, err := r.bus.admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return // asked again after the next poll
	}
	meta, err := r.bus.admin.Metadata(ctx, topic)
	if err != nil {
		return
	}
	of := meta.Topics[topic]
	for p, end := range r.left {
		if s, ok := stable.Lookup(topic, p); !ok || s.Err != nil || s.Offset < end {
			continue
		}
		if r.nothing(ctx, of.Partitions[p].Leader, [16]byte(of.ID), p, end) {
			delete(r.left, p)
		}
	}
}

// nothing asks a leader what a partition holds from where the reading is, and reports
// whether that is no record before end; false also when it cannot be known now.
func (r *reading) nothing(ctx context.Context, leader int32, id [16]byte, p int32, end int64) bool {
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition, part.FetchOffset, part.PartitionMaxBytes = p, r.at[p], 1<<20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = r.bus.names.outside(r.topic), id
	topic.Partitions = append(topic.Partitions, part)
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.IsolationLevel, req.SessionEpoch = 1<<20, 1, -1
	req.Topics = append(req.Topics, topic)
	answer, err := r.bus.client.Broker(int(leader)).Request(ctx, req)
	if err != nil {
		return false
	}
	resp := answer.(*kmsg.FetchResponse) //nolint:forcetypeassert // what a request is answered with
	if resp.ErrorCode != 0 || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		return false
	}
	batches := resp.Topics[0].Partitions[0].RecordBatches
	if len(batches) == 0 {
		return true
	}
	next, ok := emptyUntil(batches)
	if ok {
		r.at[p] = max(r.at[p], next) // the next question goes on from there
	}
	return ok && next >= end
}

// Where the header of a record batch holds what (KIP-98).
const (
	batchLength    = 8
	batchLastDelta = 23
	batchRecords   = 57
	batchHeader    = 61
)

// emptyUntil returns the offset after some batches that hold no records: those stay
// when a topic is compacted, to remember a producer. False when one holds any.
func emptyUntil(batches []byte) (int64, bool) {
	next := int64(-1)
	for len(batches) >= batchHeader {
		if binary.BigEndian.Uint32(batches[batchRecords:]) != 0 {
			return 0, false
		}
		next = int64(binary.BigEndian.Uint64(batches)) + int64(binary.BigEndian.Uint32(batches[batchLastDelta:])) + 1
		size := 12 + int(binary.BigEndian.Uint32(batches[batchLength:]))
		if size < batchHeader || size > len(batches) {
			break
		}
		batches = batches[size:]
	}
	return next, next >= 0
}
