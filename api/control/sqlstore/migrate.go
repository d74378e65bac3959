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
	dir := "migrations/sqlite"
	if s.pg {
		dir = "migrations/postgres"
	}
	names, err := fs.Glob(migrations, dir+"/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := s.apply(ctx, name); err != nil {
			return fmt.Errorf("migration %s: %w", path.Base(name), err)
		}
	}
	return nil
}

func (s *Store) apply(ctx context.Context, file string) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	name := "migrations/" + path.Base(file)
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
