package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stalker-asm/stalker/pipeline/config"
)

// Config says where the control plane is kept.
type Config struct {
	// DSN is a PostgreSQL database, such as postgres://user:password@host:5432/stalker?sslmode=verify-full.
	// Empty means a SQLite file in the data directory, for one process that serves the API.
	DSN config.Secret `yaml:"dsn"`
}

// Validate reports what is wrong with the settings.
func (c *Config) Validate() error {
	if c.DSN == "" {
		return nil
	}
	_, err := parse(string(c.DSN))
	return err
}

// parse reads a URL or keywords. What is wrong with it is not told in its words,
// since they hold the password.
func parse(dsn string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("dsn is not understood: postgres://user:password@host:5432/database?sslmode=verify-full is expected, with special characters of the password %-encoded")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "stalker"
	}
	return c, nil
}

// Health is what a look at the database finds.
type Health struct {
	Version string   // of PostgreSQL
	Where   string   // host and database
	Missing []string // migrations that were not applied
	TLS     bool
}

// Inspect looks at a PostgreSQL database without changing it.
func Inspect(ctx context.Context, dsn string) (h Health, err error) {
	cfg, err := parse(dsn)
	if err != nil {
		return h, err
	}
	h.Where, h.TLS = cfg.Host+"/"+cfg.Database, cfg.TLSConfig != nil
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return h, err // pgx leaves the password out
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := conn.QueryRow(ctx, `SHOW server_version`).Scan(&h.Version); err != nil {
		return h, err
	}
	var there bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('migrations') IS NOT NULL`).Scan(&there); err != nil {
		return h, err
	}
	applied := map[string]bool{}
	if there {
		rows, err := conn.Query(ctx, `SELECT name FROM migrations`)
		if err != nil {
			return h, err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return h, err
		}
		for _, n := range names {
			applied[n] = true
		}
	}
	h.Missing, err = missing(applied)
	return h, err
}
