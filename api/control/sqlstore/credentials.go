package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

const sessionColumns = `s.id, s.user_id, s.created_at, s.expires_at, s.last_seen, s.address, s.agent`

// session returns where to scan the columns of a session, and what to do then.
func session(s *auth.Session) (into []any, done func()) {
	var created, expires, seen int64
	return []any{&s.ID, &s.UserID, &created, &expires, &seen, &s.Address, &s.Agent}, func() {
		s.CreatedAt, s.ExpiresAt, s.LastSeen = at(created), at(expires), at(seen)
	}
}

// CreateSession adds a session and drops those that have expired.
func (s *Store) CreateSession(ctx context.Context, hash string, x auth.Session) error {
	return s.tx(ctx, func(tx handle) error {
		if _, err := tx.exec(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, ms(x.CreatedAt)); err != nil {
			return fmt.Errorf("dropping sessions: %w", err)
		}
		_, err := tx.exec(ctx, `INSERT INTO sessions (hash, id, user_id, created_at, expires_at, last_seen, address, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			hash, x.ID, x.UserID, ms(x.CreatedAt), ms(x.ExpiresAt), ms(x.LastSeen), x.Address, x.Agent)
		if err != nil {
			return fmt.Errorf("creating session: %w", err)
		}
		return nil
	})
}

// SessionByHash returns the session with this hash that has not expired and whose
// it is, or CodeNotFound.
func (s *Store) SessionByHash(ctx context.Context, hash string, now time.Time) (x auth.Session, u auth.User, err error) {
	into, done := session(&x)
	err = scanUser(s.row(ctx, `SELECT `+userColumns+`, `+sessionColumns+` FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ? AND s.expires_at > ?`,
		hash, ms(now)), &u, into...)
	done()
	return x, u, found(err, "session")
}

// SeenSession keeps when a session was used last.
func (s *Store) SeenSession(ctx context.Context, id string, now time.Time) error {
	if _, err := s.exec(ctx, `UPDATE sessions SET last_seen = ? WHERE id = ?`, ms(now), id); err != nil {
		return fmt.Errorf("saving session: %w", err)
	}
	return nil
}

// Sessions returns a user's sessions that have not expired, the last used first.
func (s *Store) Sessions(ctx context.Context, userID string, now time.Time) ([]auth.Session, error) {
	list, err := all(ctx, s.handle, func(r scanner, x *auth.Session) error {
		into, done := session(x)
		defer done()
		return r.Scan(into...)
	}, `SELECT `+sessionColumns+` FROM sessions s WHERE s.user_id = ? AND s.expires_at > ? ORDER BY s.last_seen DESC, s.id`, userID, ms(now))
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	return list, nil
}

// DeleteSession ends a session of a user, or is CodeNotFound.
func (s *Store) DeleteSession(ctx context.Context, userID, id string) error {
	n, err := s.exec(ctx, `DELETE FROM sessions WHERE user_id = ? AND id = ?`, userID, id)
	if err != nil {
		return fmt.Errorf("deleting session: %w", err)
	}
	if n == 0 {
		return pipeline.Errorf(pipeline.CodeNotFound, "no such session")
	}
	return nil
}

// DeleteSessions ends all sessions of a user but one.
func (s *Store) DeleteSessions(ctx context.Context, userID, exceptID string) error {
	if _, err := s.exec(ctx, `DELETE FROM sessions WHERE user_id = ? AND id <> ?`, userID, exceptID); err != nil {
		return fmt.Errorf("deleting sessions: %w", err)
	}
	return nil
}

// CreateKey adds an API key.
func (s *Store) CreateKey(ctx context.Context, hash string, k auth.Key) error {
	_, err := s.exec(ctx, `INSERT INTO api_keys (hash, id, name, user_id, scopes, projects, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		hash, k.ID, k.Name, k.UserID, texts(k.Scopes), texts(k.Projects), ms(k.CreatedAt), ms(k.ExpiresAt))
	if err != nil {
		return fmt.Errorf("creating API key: %w", err)
	}
	return nil
}

// texts is a list as it is stored.
func texts(list []string) string {
	if list == nil {
		list = []string{}
	}
	b, _ := json.Marshal(list) // texts always can
	return string(b)
}

const keyColumns = `k.id, k.name, k.user_id, k.scopes, k.projects, k.created_at, k.expires_at, k.last_used`

func key(k *auth.Key) (into []any, done func() error) {
	var scopes, projects string
	var created, expires, used int64
	return []any{&k.ID, &k.Name, &k.UserID, &scopes, &projects, &created, &expires, &used}, func() error {
		k.CreatedAt, k.ExpiresAt, k.LastUsed = at(created), at(expires), at(used)
		if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
			return err
		}
		return json.Unmarshal([]byte(projects), &k.Projects)
	}
}

// KeyByHash returns the key with this hash that has not expired and whose it is,
// or CodeNotFound.
func (s *Store) KeyByHash(ctx context.Context, hash string, now time.Time) (k auth.Key, u auth.User, err error) {
	into, done := key(&k)
	err = scanUser(s.row(ctx, `SELECT `+userColumns+`, `+keyColumns+` FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = ? AND k.expires_at > ?`,
		hash, ms(now)), &u, into...)
	if err == nil {
		err = done()
	}
	return k, u, found(err, "API key")
}

// UsedKey keeps when a key was used last.
func (s *Store) UsedKey(ctx context.Context, id string, now time.Time) error {
	if _, err := s.exec(ctx, `UPDATE api_keys SET last_used = ? WHERE id = ?`, ms(now), id); err != nil {
		return fmt.Errorf("saving API key: %w", err)
	}
	return nil
}

// Keys returns a user's keys, expired ones too, or everybody's.
func (s *Store) Keys(ctx context.Context, userID string) ([]auth.Key, error) {
	list, err := all(ctx, s.handle, func(r scanner, k *auth.Key) error {
		into, done := key(k)
		if err := r.Scan(into...); err != nil {
			return err
		}
		return done()
	}, `SELECT `+keyColumns+` FROM api_keys k WHERE ? = '' OR k.user_id = ? ORDER BY k.name, k.id`, userID, userID)
	if err != nil {
		return nil, fmt.Errorf("listing API keys: %w", err)
	}
	return list, nil
}

// DeleteKey ends a key.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	if _, err := s.exec(ctx, `DELETE FROM api_keys WHERE id = ?`, id); err != nil {
		return fmt.Errorf("deleting API key: %w", err)
	}
	return nil
}

// CreateLink adds a link; earlier ones of the user, and expired ones, end.
func (s *Store) CreateLink(ctx context.Context, hash, userID string, expires time.Time) error {
	return s.tx(ctx, func(tx handle) error {
		if _, err := tx.exec(ctx, `DELETE FROM links WHERE user_id = ?`, userID); err != nil {
			return fmt.Errorf("dropping links: %w", err)
		}
		if _, err := tx.exec(ctx, `INSERT INTO links (hash, user_id, expires_at) VALUES (?, ?, ?)`, hash, userID, ms(expires)); err != nil {
			return fmt.Errorf("creating link: %w", err)
		}
		return nil
	})
}

// TakeLink returns whose link this is, once.
func (s *Store) TakeLink(ctx context.Context, hash string, now time.Time) (userID string, err error) {
	var expires int64
	err = found(s.row(ctx, `DELETE FROM links WHERE hash = ? RETURNING user_id, expires_at`, hash).Scan(&userID, &expires), "link")
	if pipeline.CodeOf(err) == pipeline.CodeNotFound || err == nil && expires <= ms(now) {
		return "", pipeline.Errorf(pipeline.CodeForbidden, "the link was used, or is too old: ask for another")
	}
	return userID, err
}
