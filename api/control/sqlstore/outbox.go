package sqlstore

import (
	"context"
	"fmt"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// outbox writes a change beside what it is about. Rows become visible in their
// order, so who publishes up to one has published all before it.
func outbox(ctx context.Context, tx handle, change record.Change) (seq int64, err error) {
	if err := tx.lock(ctx, lockOutbox); err != nil {
		return 0, fmt.Errorf("locking outbox: %w", err)
	}
	v, err := record.Encode(change)
	if err != nil {
		return 0, err
	}
	if err := tx.row(ctx, `INSERT INTO outbox (key, change) VALUES (?, ?) RETURNING seq`, change.Key(), string(v)).Scan(&seq); err != nil {
		return 0, fmt.Errorf("writing outbox: %w", err)
	}
	return seq, nil
}

// Publish hands the oldest changes that were not published to fn, in order, and
// forgets them once fn returned the position after the last. Of several processes
// with one database, one at a time does so. It returns how many there were.
//
// In PostgreSQL the transaction is open while fn works: it holds the lock. In SQLite
// that would keep everybody from writing, and there is one process anyway.
func (s *Store) Publish(ctx context.Context, limit int, fn func([]control.Unsent) (position int64, err error)) (n int, err error) {
	if s.pg {
		err = s.tx(ctx, func(tx handle) error {
			if err := tx.lock(ctx, lockPublish); err != nil {
				return fmt.Errorf("waiting to publish: %w", err)
			}
			list, position, err := tx.hand(ctx, limit, fn)
			if n = len(list); err != nil || n == 0 {
				return err
			}
			return tx.published(ctx, list[n-1].Seq, position)
		})
		return n, err
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	list, position, err := s.hand(ctx, limit, fn)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	return len(list), s.tx(ctx, func(tx handle) error { return tx.published(ctx, list[len(list)-1].Seq, position) })
}

func (h handle) hand(ctx context.Context, limit int, fn func([]control.Unsent) (int64, error)) ([]control.Unsent, int64, error) {
	list, err := all(ctx, h, func(r scanner, u *control.Unsent) error { return r.Scan(&u.Seq, &u.Key, &u.Change) },
		`SELECT seq, key, change FROM outbox ORDER BY seq LIMIT ?`, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("reading outbox: %w", err)
	}
	if len(list) == 0 {
		return nil, 0, nil
	}
	position, err := fn(list)
	return list, position, err
}

func (h handle) published(ctx context.Context, seq, position int64) error {
	if _, err := h.exec(ctx, `DELETE FROM outbox WHERE seq <= ?`, seq); err != nil {
		return fmt.Errorf("clearing outbox: %w", err)
	}
	if _, err := h.exec(ctx, `UPDATE published SET seq = ?, position = ?`, seq, position); err != nil {
		return fmt.Errorf("saving position: %w", err)
	}
	return nil
}

// Published returns the newest change that any process published, and the position
// on the control topic after it.
func (s *Store) Published(ctx context.Context) (seq, position int64, err error) {
	if err := s.row(ctx, `SELECT seq, position FROM published`).Scan(&seq, &position); err != nil {
		return 0, 0, fmt.Errorf("reading position: %w", err)
	}
	return seq, position, nil
}
