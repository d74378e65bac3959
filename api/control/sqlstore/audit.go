package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/api/auth"
)

// Append adds a line to the audit log. The database itself refuses to change or
// remove one.
func (s *Store) Append(ctx context.Context, e auth.Event) error {
	_, err := s.exec(ctx, `INSERT INTO audit (at, actor_id, actor, via, action, target, project_id, status, address, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		ms(e.At), e.ActorID, e.Actor, e.Via, e.Action, e.Target, e.ProjectID, e.Status, e.Address, e.Detail)
	if err != nil {
		return fmt.Errorf("writing audit log: %w", err)
	}
	return nil
}

// Events reads the audit log, the newest first.
func (s *Store) Events(ctx context.Context, q auth.EventQuery) ([]auth.Event, error) {
	where, args := []string{`1 = 1`}, []any(nil)
	add := func(is bool, condition string, values ...any) {
		if is {
			where, args = append(where, condition), append(args, values...)
		}
	}
	add(q.ActorID != "", `actor_id = ?`, q.ActorID)
	add(q.Action != "", `action = ?`, q.Action)
	add(q.ProjectID != "", `project_id = ?`, q.ProjectID)
	add(!q.Since.IsZero(), `at >= ?`, ms(q.Since))
	add(!q.Until.IsZero(), `at < ?`, ms(q.Until))
	add(q.Before > 0, `seq < ?`, q.Before)
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q.Text)) + "%"
	add(q.Text != "", `(lower(actor) LIKE ? ESCAPE '\' OR lower(target) LIKE ? ESCAPE '\' OR lower(detail) LIKE ? ESCAPE '\' OR address LIKE ? ESCAPE '\')`, like, like, like, like)
	list, err := all(ctx, s.handle, func(r scanner, e *auth.Event) error {
		var when int64
		err := r.Scan(&e.Seq, &when, &e.ActorID, &e.Actor, &e.Via, &e.Action, &e.Target, &e.ProjectID, &e.Status, &e.Address, &e.Detail)
		e.At = at(when)
		return err
	}, `SELECT seq, at, actor_id, actor, via, action, target, project_id, status, address, detail FROM audit WHERE `+
		strings.Join(where, ` AND `)+` ORDER BY seq DESC LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("reading audit log: %w", err)
	}
	return list, nil
}
