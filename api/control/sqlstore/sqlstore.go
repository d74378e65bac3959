// Package sqlstore keeps the control plane in SQLite. Every change and its outbox
// row are one transaction, so the control topic misses nothing that was saved.
package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a SQLite file. It is safe for concurrent use.
type Store struct{ db *sql.DB }

var _ control.Store = (*Store)(nil)

// Open opens the file, making it when missing, and brings its schema up to date.
func Open(ctx context.Context, file string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("opening control store: %w", err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening control store %s: %w", file, err), db.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return pipeline.Errorf(pipeline.CodeUnavailable, "asking the control store: %w", err)
	}
	return nil
}

// migrate applies the numbered files that were not applied yet, one transaction each.
func (s *Store) migrate(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)`); err != nil {
		return err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.apply(ctx, name); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

func (s *Store) apply(ctx context.Context, name string) error {
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM migrations WHERE name = ?`, name).Scan(&n); err != nil || n > 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO migrations (name) VALUES (?)`, name)
		return err
	})
}

func (s *Store) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing transaction: %w", err)
	}
	return nil
}

// Save writes an entity and its change. A version other than the stored one plus
// one is CodeConflict, as is a name that another entity of the kind has.
func (s *Store) Save(ctx context.Context, e control.Entity, change record.Change) (seq int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO entities (kind, id, name, key_name, built_in, version, body) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, key_name = excluded.key_name, built_in = excluded.built_in,
				version = excluded.version, body = excluded.body WHERE entities.version = excluded.version - 1`,
			e.Kind, e.ID, e.Name, keyName(e), e.BuiltIn, e.Version, string(e.Body))
		if unique(err) {
			return pipeline.Errorf(pipeline.CodeConflict, "a %s named %q exists already", e.Kind, e.Name)
		}
		if err != nil {
			return fmt.Errorf("saving %s: %w", e.Kind, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return pipeline.Errorf(pipeline.CodeConflict, "the %s was changed meanwhile: read it again", e.Kind)
		}
		seq, err = outbox(ctx, tx, change)
		return err
	})
	return seq, err
}

// keyName is what must be unique among entities of the kind; subscriptions may
// share names.
func keyName(e control.Entity) any {
	if e.Kind == record.ChangeSubscription {
		return nil
	}
	return e.Name
}

// Remove deletes an entity and writes its change. Removing nothing is CodeNotFound.
func (s *Store) Remove(ctx context.Context, kind record.ChangeKind, id string) (seq int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM entities WHERE kind = ? AND id = ?`, kind, id)
		if err != nil {
			return fmt.Errorf("removing %s: %w", kind, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return pipeline.Errorf(pipeline.CodeNotFound, "no %s has the id %s", kind, id)
		}
		seq, err = outbox(ctx, tx, record.Change{Kind: kind, ID: id})
		return err
	})
	return seq, err
}

func outbox(ctx context.Context, tx *sql.Tx, change record.Change) (int64, error) {
	v, err := record.Encode(change)
	if err != nil {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO outbox (key, change) VALUES (?, ?)`, change.Key(), string(v))
	if err != nil {
		return 0, fmt.Errorf("writing outbox: %w", err)
	}
	return res.LastInsertId()
}

// List returns the entities of a kind, by name.
func (s *Store) List(ctx context.Context, kind record.ChangeKind) (list []control.Entity, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, built_in, version, body FROM entities WHERE kind = ? ORDER BY name, id`, kind)
	if err != nil {
		return nil, fmt.Errorf("listing %ss: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		e := control.Entity{Kind: kind}
		if err := rows.Scan(&e.ID, &e.Name, &e.BuiltIn, &e.Version, &e.Body); err != nil {
			return nil, fmt.Errorf("listing %ss: %w", kind, err)
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// Get returns one entity, or CodeNotFound.
func (s *Store) Get(ctx context.Context, kind record.ChangeKind, id string) (control.Entity, error) {
	e := control.Entity{Kind: kind, ID: id}
	err := s.db.QueryRowContext(ctx, `SELECT name, built_in, version, body FROM entities WHERE kind = ? AND id = ?`, kind, id).
		Scan(&e.Name, &e.BuiltIn, &e.Version, &e.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return e, pipeline.Errorf(pipeline.CodeNotFound, "no %s has the id %s", kind, id)
	}
	if err != nil {
		return e, fmt.Errorf("reading %s: %w", kind, err)
	}
	return e, nil
}

// Unsent returns the oldest changes that were not published.
func (s *Store) Unsent(ctx context.Context, limit int) (list []control.Unsent, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, key, change FROM outbox ORDER BY seq LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("reading outbox: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var u control.Unsent
		if err := rows.Scan(&u.Seq, &u.Key, &u.Change); err != nil {
			return nil, fmt.Errorf("reading outbox: %w", err)
		}
		list = append(list, u)
	}
	return list, rows.Err()
}

// Sent forgets the changes up to seq.
func (s *Store) Sent(ctx context.Context, seq int64) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM outbox WHERE seq <= ?`, seq); err != nil {
		return fmt.Errorf("clearing outbox: %w", err)
	}
	return nil
}

func unique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}
