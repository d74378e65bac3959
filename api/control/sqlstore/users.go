package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

var _ auth.Store = (*Store)(nil)

// HasUsers reports whether anyone can log in.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1)`).Scan(&n); err != nil {
		return false, fmt.Errorf("counting users: %w", err)
	}
	return n > 0, nil
}

// CreateFirstUser adds a user when there is none, else it is CodeForbidden.
func (s *Store) CreateFirstUser(ctx context.Context, u auth.User) error {
	res, err := s.db.ExecContext(ctx, `INSERT INTO users (id, email, name, password, created_at)
		SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM users)`, u.ID, u.Email, u.Name, u.Password, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("creating first user: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return pipeline.Errorf(pipeline.CodeForbidden, "the first user exists already: log in instead")
	}
	return nil
}

// UserByEmail returns a user, or CodeNotFound.
func (s *Store) UserByEmail(ctx context.Context, email string) (auth.User, error) {
	return s.user(ctx, `SELECT id, email, name, password FROM users WHERE email = ?`, email)
}

// UserBySession returns whose session has this hash and has not expired, or
// CodeNotFound.
func (s *Store) UserBySession(ctx context.Context, hash string, now time.Time) (auth.User, error) {
	return s.user(ctx, `SELECT u.id, u.email, u.name, u.password FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.hash = ? AND s.expires_at > ?`, hash, now.UnixMilli())
}

func (s *Store) user(ctx context.Context, query string, args ...any) (auth.User, error) {
	var u auth.User
	err := s.db.QueryRowContext(ctx, query, args...).Scan(&u.ID, &u.Email, &u.Name, &u.Password)
	if errors.Is(err, sql.ErrNoRows) {
		return u, pipeline.Errorf(pipeline.CodeNotFound, "no such user")
	}
	if err != nil {
		return u, fmt.Errorf("reading user: %w", err)
	}
	return u, nil
}

// CreateSession adds a session and drops those that have expired.
func (s *Store) CreateSession(ctx context.Context, hash, userID string, expires time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, time.Now().UnixMilli()); err != nil {
			return fmt.Errorf("dropping sessions: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, user_id, expires_at) VALUES (?, ?, ?)`, hash, userID, expires.UnixMilli()); err != nil {
			return fmt.Errorf("creating session: %w", err)
		}
		return nil
	})
}

// DeleteSession ends a session; ending none is fine.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE hash = ?`, hash); err != nil {
		return fmt.Errorf("deleting session: %w", err)
	}
	return nil
}
