package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// Numbered migrations, one folder per database; both have the same numbers.
//
//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// migrate applies the numbered files that were not applied yet, one transaction each.
func (s *Store) migrate(ctx context.Context) error {
	if _, err := s.exec(ctx, `CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)`); err != nil && !unique(err) {
		return err // unique: another process made it at the same moment
	}
	names, err := files(s.pg)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.apply(ctx, name); err != nil {
			return fmt.Errorf("migration %s: %w", path.Base(name), err)
		}
	}
	return nil
}

// files returns the migrations of a database, in their order.
func files(pg bool) ([]string, error) {
	dir := "migrations/sqlite"
	if pg {
		dir = "migrations/postgres"
	}
	names, err := fs.Glob(migrations, dir+"/*.sql")
	slices.Sort(names)
	return names, err
}

// missing returns which migrations of PostgreSQL are not among those applied.
func missing(applied map[string]bool) (list []string, err error) {
	names, err := files(true)
	for _, n := range names {
		if !applied[applies(n)] {
			list = append(list, path.Base(n))
		}
	}
	return list, err
}

// applies is the name under which a migration is remembered.
func applies(file string) string { return "migrations/" + path.Base(file) }

func (s *Store) apply(ctx context.Context, file string) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	name := applies(file)
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockSchema); err != nil {
			return err
		}
		var n int
		if err := tx.row(ctx, `SELECT count(*) FROM migrations WHERE name = ?`, name).Scan(&n); err != nil || n > 0 {
			return err
		}
		if _, err := tx.on.ExecContext(ctx, string(text)); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO migrations (name) VALUES (?)`, name)
		return err
	})
}
