// Package sqlstore keeps the control plane in SQLite or in PostgreSQL. Every change
// and its outbox row are one transaction, so the control topic misses nothing that
// was saved.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Store is a database. It is safe for concurrent use, also by several processes
// when it is PostgreSQL.
type Store struct {
	handle
	db         *sql.DB
	publishing sync.Mutex // what lockPublish is for SQLite
}

var (
	_ control.Store = (*Store)(nil)
	_ auth.Store    = (*Store)(nil)
)

// New opens what the configuration says: PostgreSQL, or a SQLite file.
func New(ctx context.Context, cfg Config, file string) (*Store, error) {
	if cfg.DSN != "" {
		return OpenPostgres(ctx, string(cfg.DSN))
	}
	return Open(ctx, file)
}

// Open opens a SQLite file, making it when missing, and brings its schema up to
// date.
func Open(ctx context.Context, file string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("opening control store: %w", err)
	}
	db.SetMaxOpenConns(4)
	return prepare(ctx, db, false, file)
}

// OpenPostgres connects to a PostgreSQL database and brings its schema up to date.
// dsn is a URL or keywords, as in the environment of psql; it never shows in an
// error.
func OpenPostgres(ctx context.Context, dsn string) (*Store, error) {
	cfg, err := parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("opening control store: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(16)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return prepare(ctx, db, true, "in PostgreSQL")
}

func prepare(ctx context.Context, db *sql.DB, pg bool, where string) (*Store, error) {
	s := &Store{handle: handle{db, pg}, db: db}
	err := s.migrate(ctx)
	if err == nil {
		err = s.ensureGroups(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening control store %s: %w", where, err), db.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return pipeline.Errorf(pipeline.CodeUnavailable, "asking the control store: %w", err)
	}
	return nil
}

// handle runs statements, written for SQLite, on either database.
type handle struct {
	on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	pg bool
}

func (h handle) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := h.on.ExecContext(ctx, h.dialect(query), h.clean(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (h handle) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return h.on.QueryContext(ctx, h.dialect(query), h.clean(args)...)
}

func (h handle) row(ctx context.Context, query string, args ...any) *sql.Row {
	return h.on.QueryRowContext(ctx, h.dialect(query), h.clean(args)...)
}

// dialect numbers the parameters for PostgreSQL. No statement has a question mark
// elsewhere.
func (h handle) dialect(query string) string {
	if !h.pg {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// clean replaces in texts what PostgreSQL does not store: NUL, and bytes that are
// no UTF-8. Both come from outside, in paths and names.
func (h handle) clean(args []any) []any {
	if !h.pg {
		return args
	}
	for i, a := range args {
		if s, ok := a.(string); ok && (strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)) {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

// Locks of PostgreSQL, held until the transaction ends. A transaction of SQLite is
// alone anyway.
const (
	lockOutbox  = 0x57a11e01 // rows of the outbox become visible in their order
	lockAccess  = 0x57a11e02 // somebody must stay who may do everything
	lockSchema  = 0x57a11e03 // one process migrates
	lockPublish = 0x57a11e04 // one process publishes
)

func (h handle) lock(ctx context.Context, key int64) error {
	if !h.pg {
		return nil
	}
	_, err := h.exec(ctx, `SELECT pg_advisory_xact_lock(?)`, key)
	return err
}

func (s *Store) tx(ctx context.Context, fn func(handle) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	if err := fn(handle{tx, s.pg}); err != nil {
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
	err = s.tx(ctx, func(tx handle) error {
		if err := put(ctx, tx, e); err != nil {
			return err
		}
		seq, err = outbox(ctx, tx, change)
		return err
	})
	return seq, err
}

// Keep writes an entity that nobody else is told of, as Save does.
func (s *Store) Keep(ctx context.Context, e control.Entity) error { return put(ctx, s.handle, e) }

// Forget deletes an entity that nobody else was told of.
func (s *Store) Forget(ctx context.Context, kind record.ChangeKind, id string) error {
	if _, err := s.exec(ctx, `DELETE FROM entities WHERE kind = ? AND id = ?`, kind, id); err != nil {
		return fmt.Errorf("removing %s: %w", kind, err)
	}
	return nil
}

func put(ctx context.Context, tx handle, e control.Entity) error {
	n, err := tx.exec(ctx, `INSERT INTO entities (kind, id, name, key_name, built_in, version, body) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, key_name = excluded.key_name, built_in = excluded.built_in,
				version = excluded.version, body = excluded.body WHERE entities.version = excluded.version - 1`,
		e.Kind, e.ID, e.Name, keyName(e), e.BuiltIn, e.Version, string(e.Body))
	if unique(err) {
		return pipeline.Errorf(pipeline.CodeConflict, "a %s named %q exists already", e.Kind, e.Name)
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", e.Kind, err)
	}
	if n == 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "the %s was changed meanwhile: read it again", e.Kind)
	}
	return nil
}

// keyName is what must be unique among entities of the kind; subscriptions may
// share names, and secrets do across projects: their ids follow from both.
func keyName(e control.Entity) any {
	if e.Kind == record.ChangeSubscription || e.Kind == record.ChangeSecret {
		return nil
	}
	return e.Name
}

// Remove deletes an entity and writes its change. Removing nothing is CodeNotFound.
func (s *Store) Remove(ctx context.Context, kind record.ChangeKind, id string) (seq int64, err error) {
	err = s.tx(ctx, func(tx handle) error {
		n, err := tx.exec(ctx, `DELETE FROM entities WHERE kind = ? AND id = ?`, kind, id)
		if err != nil {
			return fmt.Errorf("removing %s: %w", kind, err)
		}
		if n == 0 {
			return pipeline.Errorf(pipeline.CodeNotFound, "no %s has the id %s", kind, id)
		}
		if kind == record.ChangeProject {
			if _, err := tx.exec(ctx, `DELETE FROM project_members WHERE project_id = ?`, id); err != nil {
				return fmt.Errorf("removing roles: %w", err)
			}
		}
		seq, err = outbox(ctx, tx, record.Change{Kind: kind, ID: id})
		return err
	})
	return seq, err
}

// List returns the entities of a kind, by name.
func (s *Store) List(ctx context.Context, kind record.ChangeKind) (list []control.Entity, err error) {
	rows, err := s.query(ctx, `SELECT id, name, built_in, version, body FROM entities WHERE kind = ? ORDER BY name, id`, kind)
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
	err := s.row(ctx, `SELECT name, built_in, version, body FROM entities WHERE kind = ? AND id = ?`, kind, id).
		Scan(&e.Name, &e.BuiltIn, &e.Version, &e.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return e, pipeline.Errorf(pipeline.CodeNotFound, "no %s has the id %s", kind, id)
	}
	if err != nil {
		return e, fmt.Errorf("reading %s: %w", kind, err)
	}
	return e, nil
}

func unique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505"
}
