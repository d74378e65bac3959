package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Headers of a dead letter. Key, value and time are those of the original record.
const (
	HeaderTopic     = "stalker-topic"
	HeaderPartition = "stalker-partition"
	HeaderOffset    = "stalker-offset"
	HeaderReason    = "stalker-reason"
	HeaderCode      = "stalker-code"
	HeaderGroup     = "stalker-group"
	HeaderAttempt   = "stalker-attempt"  // how often it was given up, counting this time
	HeaderReplayed  = "stalker-replayed" // of a note that the letter at this offset was replayed
)

// DeadLetters writes records nobody could handle, for plain consumers; a
// Transactor writes its own.
type DeadLetters struct {
	group    string
	producer *Producer
	metrics  *metrics
}

// DeadLetters returns a writer for a group's dead letters on the producer.
func (b *Bus) DeadLetters(group string, p *Producer) *DeadLetters {
	return &DeadLetters{group: group, producer: p, metrics: b.metrics}
}

// Write returns when the letters are acknowledged.
func (d *DeadLetters) Write(ctx context.Context, letters []DeadLetter) error {
	recs := make([]Record, len(letters))
	for i, l := range letters {
		recs[i] = l.record(d.group)
	}
	if err := d.producer.Produce(ctx, recs); err != nil {
		return fmt.Errorf("writing dead letters: %w", err)
	}
	d.metrics.dead.WithLabelValues(d.group).Add(float64(len(letters)))
	return nil
}

// NewDeadLetter says that err is why r could not be handled.
func NewDeadLetter(r Record, err error) DeadLetter {
	return DeadLetter{Record: r, Reason: err.Error(), Code: string(pipeline.CodeOf(err))}
}

// attempts is how often a record was given up before: who replays it says so.
func attempts(r Record) int {
	n, err := strconv.Atoi(r.Headers[HeaderAttempt])
	if err != nil {
		return 0
	}
	return n
}

func (l DeadLetter) record(group string) Record {
	headers := map[string]string{
		HeaderTopic: l.Record.Topic, HeaderPartition: strconv.Itoa(int(l.Record.Partition)),
		HeaderOffset: strconv.FormatInt(l.Record.Offset, 10),
		HeaderReason: l.Reason, HeaderCode: l.Code, HeaderGroup: group, HeaderAttempt: strconv.Itoa(attempts(l.Record) + 1),
	}
	for k, v := range l.Record.Headers {
		if _, ours := headers[k]; !ours {
			headers[k] = v
		}
	}
	return Record{Topic: TopicDead, Key: l.Record.Key, Value: l.Record.Value, Time: time.Now(), Headers: headers}
}
