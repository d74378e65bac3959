package bus

import "context"

// Handler takes batches from a Consumer. A nil error means every effect of the
// batch is durable: the consumer then commits. Handle must be idempotent, since a
// batch may come again after a crash.
type Handler interface {
	Handle(ctx context.Context, batch []Record) error
}

// A Handler that remembers what it wrote has Assigned, which is called when
// partitions come to this member, never during Handle: another member may have
// written since.
type rememberer interface{ Assigned() }

// HandlerFunc is a Handler of one function.
type HandlerFunc func(ctx context.Context, batch []Record) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, batch []Record) error { return f(ctx, batch) }

// TxHandler takes batches from a Transactor, which commits the records it returns
// together with the offsets of the batch, or neither.
//
// Per partition the calls are Restore*, Restored, Handle*, Revoke; they never
// overlap. State kept in memory belongs to a partition of the input topic, and is
// rebuilt from the changelog topic when a partition is assigned.
type TxHandler interface {
	// Restore applies one changelog record of the partition.
	Restore(partition int32, r Record) error
	// Restored says that the partition's changelog was read to its end.
	Restored(partition int32)
	// Revoke drops everything kept for the partition.
	Revoke(partition int32)
	// Handle decides about one batch. A record that cannot be handled goes to
	// Outcome.Dead instead of failing the batch; an error stops the process.
	Handle(ctx context.Context, batch []Record) (Outcome, error)
}

// Outcome is what a TxHandler wants to be committed with its batch.
type Outcome struct {
	Records  []Record     // outputs and changelog records
	Dead     []DeadLetter // inputs nobody can handle
	Commit   func()       // called when the transaction is committed: make the state changes of this batch visible
	Rollback func()       // called when it was aborted: forget them; the batch comes again
}

// DeadLetter is a record that could not be handled, and why.
type DeadLetter struct {
	Record Record
	Reason string
	Code   string // a pipeline.Code
}

// QueueHandler takes records one by one from a Queue and finishes them in any
// order. The queue commits, per partition, up to the oldest unfinished record.
//
// Per partition the calls are Restore*, Restored, Take*, Revoke.
type QueueHandler interface {
	// Restore applies one record of the history topic: those written since the
	// oldest record that Take is going to see again.
	Restore(partition int32, r Record) error
	// Restored says that the history was read to its end.
	Restored(partition int32)
	// Take accepts a record and calls done once, when it never needs to be seen
	// again. It may block while the handler is full, until ctx ends.
	Take(ctx context.Context, r Record, done func()) error
	// Revoke says that the partition went to another member.
	Revoke(partition int32)
}
