package bus

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Ledger is told what a transaction is about to make real, before it does. When it
// fails, the transaction is aborted. Calls come from several transactors at once.
type Ledger interface{ Committing(Commit) error }

// Commit is a transaction about to be committed. Topics and the group have the names
// they have on the brokers.
type Commit struct {
	Group    string                     `json:"group"`
	Producer int64                      `json:"producer"` // its id: all it wrote within the spans belongs to this transaction
	Wrote    map[string]map[int32]Span  `json:"wrote"`
	Read     map[string]map[int32]int64 `json:"read"` // where the group is to go on
}

// Span is a range of offsets, both included.
type Span struct {
	First int64 `json:"first"`
	Last  int64 `json:"last"`
}

// announce tells the ledger, if there is one, of what is about to be committed. Where
// nothing was written there is nothing that could be committed by half.
func (t *Transactor) announce(s *kgo.GroupTransactSession, recs []*kgo.Record) error {
	if t.bus.cfg.Ledger == nil || len(recs) == 0 {
		return nil
	}
	c := Commit{Group: t.bus.names.prefix + t.cfg.Group, Producer: recs[0].ProducerID, Wrote: map[string]map[int32]Span{}, Read: map[string]map[int32]int64{}}
	for _, r := range recs {
		parts := c.Wrote[r.Topic]
		if parts == nil {
			parts = map[int32]Span{}
			c.Wrote[r.Topic] = parts
		}
		span, ok := parts[r.Partition]
		if !ok {
			span = Span{First: r.Offset, Last: r.Offset}
		}
		parts[r.Partition] = Span{First: min(span.First, r.Offset), Last: max(span.Last, r.Offset)}
	}
	for topic, parts := range s.Client().UncommittedOffsets() {
		c.Read[topic] = map[int32]int64{}
		for p, o := range parts {
			c.Read[topic][p] = o.Offset
		}
	}
	if err := t.bus.cfg.Ledger.Committing(c); err != nil {
		return fmt.Errorf("noting the commit: %w", err)
	}
	return nil
}
