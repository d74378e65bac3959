// Package sqlstoretest gives a test a control store of its own: a SQLite file, or,
// when STALKER_TEST_POSTGRES names a server (make test-postgres starts one), a
// schema there. The same tests then run on both.
package sqlstoretest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/config"
)

// Postgres returns the address of the server that tests are to use, "" for none.
func Postgres() string { return os.Getenv("STALKER_TEST_POSTGRES") }

// Place is where a store keeps its data. It may be opened several times.
type Place struct {
	Config sqlstore.Config
	file   string
}

// New returns an empty place that lives as long as the test.
func New(t testing.TB) Place {
	t.Helper()
	if Postgres() == "" {
		return Place{file: filepath.Join(t.TempDir(), "control.db")}
	}
	schema := "test_" + pipeline.NewID()
	run(t, t.Context(), "CREATE SCHEMA "+schema)
	t.Cleanup(func() { run(t, context.Background(), "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(Postgres())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return Place{Config: sqlstore.Config{DSN: config.Secret(u.String())}}
}

func run(t testing.TB, ctx context.Context, statement string) { //nolint:revive // t comes first in helpers
	t.Helper()
	c, err := pgx.Connect(ctx, Postgres())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Error(err)
	}
}

// Open opens the place; it is closed with the test.
func (p Place) Open(t testing.TB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(t.Context(), p.Config, p.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Fresh opens a place that nobody else knows.
func Fresh(t testing.TB) *sqlstore.Store {
	t.Helper()
	return New(t).Open(t)
}
