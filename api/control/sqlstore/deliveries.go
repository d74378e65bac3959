package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/pipeline"
)

var _ notify.Store = (*Store)(nil)

// NotifyState returns how far a notification has come; known is false when nobody has
// said yet.
func (s *Store) NotifyState(ctx context.Context, id string) (st notify.State, known bool, err error) {
	var version int64
	var text string
	err = s.row(ctx, `SELECT version, state FROM notification_states WHERE id = ?`, id).Scan(&version, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return st, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &st)
	}
	if err != nil {
		return st, false, fmt.Errorf("reading the state of a notification: %w", err)
	}
	st.Version = version
	return st, true, nil
}

// Advance keeps how far a notification has come together with the messages that tell
// it. A version other than the stored one plus one is CodeConflict: another process
// was first, and nothing happens.
func (s *Store) Advance(ctx context.Context, id string, st notify.State, messages []pipeline.Delivery) error {
	text, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encoding the state of a notification: %w", err)
	}
	return s.tx(ctx, func(tx handle) error {
		n, err := tx.exec(ctx, `INSERT INTO notification_states (id, version, state) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state WHERE notification_states.version = excluded.version - 1`,
			id, st.Version, string(text))
		if err != nil {
			return fmt.Errorf("saving the state of a notification: %w", err)
		}
		if n == 0 {
			return pipeline.Errorf(pipeline.CodeConflict, "another process has told this already")
		}
		for i := range messages {
			d := &messages[i]
			_, err := tx.exec(ctx, `INSERT INTO deliveries (id, notification_id, project_id, created_at, state, events, attempts, due_at, done_at, status, error, body)
				VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, '', ?)`,
				d.ID, d.NotificationID, d.ProjectID, ms(d.CreatedAt), string(pipeline.DeliveryWaiting), d.Events, ms(d.DueAt), string(d.Body))
			if err != nil {
				return fmt.Errorf("saving a message: %w", err)
			}
		}
		return nil
	})
}

// ForgetState has a notification begin anew when it is enabled again.
func (s *Store) ForgetState(ctx context.Context, id string) error {
	if _, err := s.exec(ctx, `DELETE FROM notification_states WHERE id = ?`, id); err != nil {
		return fmt.Errorf("forgetting the state of a notification: %w", err)
	}
	return nil
}

// ForgetNotification drops all that is kept of a notification.
func (s *Store) ForgetNotification(ctx context.Context, id string) error {
	if _, err := s.exec(ctx, `DELETE FROM deliveries WHERE notification_id = ?`, id); err != nil {
		return fmt.Errorf("dropping messages: %w", err)
	}
	return s.ForgetState(ctx, id)
}

const deliveryColumns = `d.id, d.notification_id, d.project_id, d.created_at, d.state, d.events, d.attempts, d.due_at, d.done_at, d.status, d.error, d.body`

func scanDelivery(r scanner, d *pipeline.Delivery) error {
	var created, due, done int64
	var state string
	err := r.Scan(&d.ID, &d.NotificationID, &d.ProjectID, &created, &state, &d.Events, &d.Attempts, &due, &done, &d.Status, &d.Error, &d.Body)
	d.CreatedAt, d.DueAt, d.DoneAt, d.State = at(created), at(due), at(done), pipeline.DeliveryState(state)
	if d.State != pipeline.DeliveryWaiting {
		d.DueAt = time.Time{}
	}
	return err
}

// Take returns messages that are due, the longest due first, and keeps others from
// taking them until then.
func (s *Store) Take(ctx context.Context, now, until time.Time, most int) (taken []pipeline.Delivery, err error) {
	due, err := all(ctx, s.handle, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.state = 'waiting' AND d.due_at <= ? ORDER BY d.due_at, d.id LIMIT ?`, ms(now), most)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	for _, d := range due {
		n, err := s.exec(ctx, `UPDATE deliveries SET due_at = ?, attempts = attempts + 1 WHERE id = ? AND state = 'waiting' AND attempts = ? AND due_at = ?`,
			ms(until), d.ID, d.Attempts, ms(d.DueAt))
		if err != nil {
			return taken, fmt.Errorf("taking a message: %w", err)
		}
		if n > 0 { // else another process has it
			d.Attempts++
			taken = append(taken, d)
		}
	}
	return taken, nil
}

// Finish keeps how an attempt ended.
func (s *Store) Finish(ctx context.Context, d pipeline.Delivery) error {
	_, err := s.exec(ctx, `UPDATE deliveries SET state = ?, due_at = ?, done_at = ?, status = ?, error = ? WHERE id = ?`,
		string(d.State), ms(d.DueAt), ms(d.DoneAt), d.Status, d.Error, d.ID)
	if err != nil {
		return fmt.Errorf("saving a message: %w", err)
	}
	return nil
}

// Deliveries returns messages of a notification, the newest first, from after the one
// with the id before on; an empty state means any.
func (s *Store) Deliveries(ctx context.Context, notificationID string, state pipeline.DeliveryState, before string, limit int) ([]pipeline.Delivery, error) {
	list, err := all(ctx, s.handle, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries d
		WHERE d.notification_id = ? AND (? = '' OR d.state = ?)
			AND (? = '' OR EXISTS (SELECT 1 FROM deliveries b WHERE b.id = ? AND (d.created_at < b.created_at OR d.created_at = b.created_at AND d.id < b.id)))
		ORDER BY d.created_at DESC, d.id DESC LIMIT ?`, notificationID, string(state), string(state), before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("listing messages: %w", err)
	}
	return list, nil
}

// Delivery returns one message, or CodeNotFound.
func (s *Store) Delivery(ctx context.Context, id string) (d pipeline.Delivery, err error) {
	err = scanDelivery(s.row(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.id = ?`, id), &d)
	return d, found(err, "message")
}

// Resend has a message sent again, from the first attempt on.
func (s *Store) Resend(ctx context.Context, id string, now time.Time) error {
	n, err := s.exec(ctx, `UPDATE deliveries SET state = 'waiting', attempts = 0, due_at = ?, done_at = 0 WHERE id = ? AND state <> 'waiting'`, ms(now), id)
	if err != nil {
		return fmt.Errorf("saving a message: %w", err)
	}
	if n == 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "the message is on its way already")
	}
	return nil
}

// DropDeliveries forgets messages that were made before a time and are not waiting.
func (s *Store) DropDeliveries(ctx context.Context, before time.Time) error {
	if _, err := s.exec(ctx, `DELETE FROM deliveries WHERE created_at < ? AND state <> 'waiting'`, ms(before)); err != nil {
		return fmt.Errorf("dropping messages: %w", err)
	}
	return nil
}
