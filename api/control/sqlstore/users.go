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

const userColumns = `u.id, u.email, u.name, u.password, u.created_at, u.active, u.subject, u.totp, u.failures, u.locked_until, u.last_login, u.version`

// scanner is a row, or the row at which rows stand.
type scanner interface{ Scan(into ...any) error }

func scanUser(row scanner, u *auth.User, more ...any) error {
	var created, locked, login int64
	var subject sql.NullString
	err := row.Scan(append([]any{
		&u.ID, &u.Email, &u.Name, &u.Password, &created, &u.Active, &subject, &u.TOTP, &u.Failures, &locked, &login, &u.Version,
	}, more...)...)
	u.CreatedAt, u.Locked, u.LastLogin, u.Subject = at(created), at(locked), at(login), subject.String
	return err
}

// at is a stored time; 0 is none.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// found turns what a query says into what callers expect.
func found(err error, what string) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return pipeline.Errorf(pipeline.CodeNotFound, "no such %s", what)
	case err != nil:
		return fmt.Errorf("reading %s: %w", what, err)
	default:
		return nil
	}
}

// all reads every row.
func all[T any](ctx context.Context, h handle, scan func(scanner, *T) error, query string, args ...any) (list []T, err error) {
	rows, err := h.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x T
		if err := scan(rows, &x); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// HasUsers reports whether anyone can log in.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	var n int
	if err := s.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1) u`).Scan(&n); err != nil {
		return false, fmt.Errorf("counting users: %w", err)
	}
	return n > 0, nil
}

// maxSetupCodes bounds how many codes there are when servers that nobody sets up
// start again and again; the oldest go first.
const maxSetupCodes = 50

// AddSetupCode keeps a code for creating the first user.
func (s *Store) AddSetupCode(ctx context.Context, hash string, now, expires time.Time) error {
	return s.tx(ctx, func(tx handle) error {
		if _, err := tx.exec(ctx, `DELETE FROM setup_codes WHERE expires_at <= ? OR hash NOT IN (SELECT hash FROM setup_codes ORDER BY expires_at DESC LIMIT ?)`,
			ms(now), maxSetupCodes-1); err != nil {
			return fmt.Errorf("dropping setup codes: %w", err)
		}
		if _, err := tx.exec(ctx, `INSERT INTO setup_codes (hash, expires_at) VALUES (?, ?)`, hash, ms(expires)); err != nil {
			return fmt.Errorf("keeping setup code: %w", err)
		}
		return nil
	})
}

// CheckSetupCode is CodeForbidden for what is no setup code, whichever process made it.
func (s *Store) CheckSetupCode(ctx context.Context, hash string, now time.Time) error {
	var n int
	if err := s.row(ctx, `SELECT count(*) FROM setup_codes WHERE hash = ? AND expires_at > ?`, hash, ms(now)).Scan(&n); err != nil {
		return fmt.Errorf("reading setup codes: %w", err)
	}
	if n > 0 {
		return nil
	}
	if has, err := s.HasUsers(ctx); err != nil {
		return err
	} else if has {
		return errFirstUser
	}
	return pipeline.Errorf(pipeline.CodeForbidden, "the setup code is wrong, or older than a week: each server prints one when it starts")
}

var errFirstUser = pipeline.Errorf(pipeline.CodeForbidden, "the first user exists already: log in instead")

// CreateFirstUser adds a user, who may do everything, when there is none, else it
// is CodeForbidden.
func (s *Store) CreateFirstUser(ctx context.Context, u auth.User) error {
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockAccess); err != nil {
			return err
		}
		var n int
		if err := tx.row(ctx, `SELECT count(*) FROM users`).Scan(&n); err != nil {
			return fmt.Errorf("counting users: %w", err)
		}
		if n > 0 {
			return errFirstUser
		}
		if err := tx.createUser(ctx, u); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM setup_codes`); err != nil {
			return fmt.Errorf("ending setup codes: %w", err)
		}
		_, err := tx.exec(ctx, `INSERT INTO group_members (group_id, user_id) VALUES (?, ?)`, auth.AdminsID, u.ID)
		return err
	})
}

// CreateUser adds a user; an address that another has is CodeConflict.
func (s *Store) CreateUser(ctx context.Context, u auth.User) error { return s.createUser(ctx, u) }

func (h handle) createUser(ctx context.Context, u auth.User) error {
	_, err := h.exec(ctx, `INSERT INTO users (id, email, name, password, created_at, active, subject, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, u.Email, u.Name, u.Password, ms(u.CreatedAt), u.Active, null(u.Subject), u.Version)
	if unique(err) {
		return pipeline.Errorf(pipeline.CodeConflict, "a user with the e-mail address %s exists already", u.Email)
	}
	if err != nil {
		return fmt.Errorf("creating user: %w", err)
	}
	return nil
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Users returns everybody, by e-mail address.
func (s *Store) Users(ctx context.Context) ([]auth.User, error) {
	list, err := all(ctx, s.handle, func(r scanner, u *auth.User) error { return scanUser(r, u) }, `SELECT `+userColumns+` FROM users u ORDER BY u.email`)
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return list, nil
}

// User returns a user, or CodeNotFound.
func (s *Store) User(ctx context.Context, id string) (auth.User, error) {
	return s.user(ctx, `u.id = ?`, id)
}

// UserByEmail returns a user, or CodeNotFound.
func (s *Store) UserByEmail(ctx context.Context, email string) (auth.User, error) {
	return s.user(ctx, `u.email = ?`, email)
}

// UserBySubject returns the user whom the single sign-on calls so, or CodeNotFound.
func (s *Store) UserBySubject(ctx context.Context, subject string) (auth.User, error) {
	return s.user(ctx, `u.subject = ?`, subject)
}

func (s *Store) user(ctx context.Context, where string, args ...any) (u auth.User, err error) {
	err = scanUser(s.row(ctx, `SELECT `+userColumns+` FROM users u WHERE `+where, args...), &u)
	return u, found(err, "user")
}

// UpdateUser replaces a user. A version other than the stored one plus one is
// CodeConflict, as is leaving nobody who may do everything.
func (s *Store) UpdateUser(ctx context.Context, u auth.User) error {
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockAccess); err != nil {
			return err
		}
		n, err := tx.exec(ctx, `UPDATE users SET email = ?, name = ?, password = ?, active = ?, subject = ?, totp = ?, version = ? WHERE id = ? AND version = ?`,
			u.Email, u.Name, u.Password, u.Active, null(u.Subject), u.TOTP, u.Version, u.ID, u.Version-1)
		if unique(err) {
			return pipeline.Errorf(pipeline.CodeConflict, "a user with the e-mail address %s exists already", u.Email)
		}
		if err != nil {
			return fmt.Errorf("saving user: %w", err)
		}
		if n == 0 {
			return pipeline.Errorf(pipeline.CodeConflict, "the user was changed meanwhile: read it again")
		}
		return tx.someAdmin(ctx)
	})
}

// someAdmin makes sure that somebody is left who may do everything.
func (h handle) someAdmin(ctx context.Context) error {
	var n int
	err := h.row(ctx, `SELECT count(*) FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = ? AND u.active`, auth.AdminsID).Scan(&n)
	if err != nil {
		return fmt.Errorf("counting admins: %w", err)
	}
	if n == 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "nobody would be left who may do everything: make another user an admin first")
	}
	return nil
}

// DeleteUser removes a user and all that is theirs.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockAccess); err != nil {
			return err
		}
		n, err := tx.exec(ctx, `DELETE FROM users WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("deleting user: %w", err)
		}
		if n == 0 {
			return pipeline.Errorf(pipeline.CodeNotFound, "no such user")
		}
		if _, err := tx.exec(ctx, `DELETE FROM project_members WHERE kind = 'user' AND id = ?`, id); err != nil {
			return fmt.Errorf("deleting roles: %w", err)
		}
		return tx.someAdmin(ctx)
	})
}

// SetLogin keeps what the last attempts to log in were like; a zero last leaves the
// time of the last success as it is.
func (s *Store) SetLogin(ctx context.Context, id string, failures int, lockedUntil, last time.Time) error {
	_, err := s.exec(ctx, `UPDATE users SET failures = ?, locked_until = ?, last_login = CASE WHEN CAST(? AS BIGINT) > 0 THEN CAST(? AS BIGINT) ELSE last_login END WHERE id = ?`,
		failures, ms(lockedUntil), ms(last), ms(last), id)
	if err != nil {
		return fmt.Errorf("saving login: %w", err)
	}
	return nil
}

// UseCode takes a time step of the second factor, each once and in order.
func (s *Store) UseCode(ctx context.Context, id string, step int64) (bool, error) {
	n, err := s.exec(ctx, `UPDATE users SET totp_step = ? WHERE id = ? AND totp_step < ?`, step, id, step)
	if err != nil {
		return false, fmt.Errorf("saving code: %w", err)
	}
	return n > 0, nil
}
