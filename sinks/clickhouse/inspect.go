package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// Health is what Inspect saw of the store.
type Health struct {
	Version string
	Clock   time.Time // the server's, to the second
	Missing []string  // what Migrate would make
}

// Inspect asks the store what is there. It changes nothing.
func (s *Store) Inspect(ctx context.Context) (Health, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadTimeout)
	defer cancel()
	conn, err := s.outside()
	if err != nil {
		return Health{}, err
	}
	defer conn.Close() //nolint:errcheck // nothing is pending on it
	var h Health
	var database bool
	err = conn.QueryRow(ctx, "SELECT version(), now('UTC'), count() > 0 FROM system.databases WHERE name = ?", s.cfg.Database).Scan(&h.Version, &h.Clock, &database)
	if err != nil {
		return Health{}, explain(fmt.Errorf("asking the store: %w", err))
	}
	if !database {
		h.Missing = []string{"database " + s.cfg.Database}
		return h, nil
	}
	if h.Missing, err = schema.Missing(ctx, s.conn, s.tables()); err != nil {
		return h, explain(fmt.Errorf("comparing the schema: %w", err))
	}
	return h, nil
}
