package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
)

const migrate = "run stalker migrate"

// kafka looks at the brokers and the topics.
func kafka(ctx context.Context, cfg bus.Config) []Finding {
	b, err := bus.New(cfg, bus.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		return []Finding{bad(Fail, "mend the section bus of the configuration", "%v", err)}
	}
	defer b.Close()
	c, err := b.Inspect(ctx)
	if err != nil {
		return []Finding{bad(Fail, "check bus.brokers, bus.tls, bus.sasl and the network between", "%s: %v", strings.Join(cfg.Brokers, ", "), err)}
	}
	list := []Finding{ok("%d brokers, %s", c.Brokers, c.Version)}
	if len(c.Missing) > 0 {
		list = append(list, bad(Fail, migrate, "missing topics: %s", strings.Join(c.Missing, ", ")))
	}
	// a state record of one partition belongs to the findings of the same
	want, state := c.Topics[bus.TopicFindings], c.Topics[bus.TopicState]
	if want != state && want > 0 && state > 0 {
		list = append(list, bad(Fail, "give both topics the same number of partitions", "%s has %d partitions and %s has %d", bus.TopicFindings, want, bus.TopicState, state))
	}
	return list
}

// oldest is the first ClickHouse release the schema is made for.
var oldest = []int{24, 8}

// store looks at the ClickHouse servers, the schema and their clock.
func store(ctx context.Context, cfg clickhouse.Config) []Finding {
	s, err := clickhouse.Open(cfg, clickhouse.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		return []Finding{bad(Fail, "mend the section clickhouse of the configuration", "%v", err)}
	}
	defer func() { _ = s.Close() }()
	h, err := s.Inspect(ctx)
	if h.Version == "" && err != nil {
		return []Finding{bad(Fail, "check clickhouse.addresses, user, password, tls and the network between", "%s: %v", strings.Join(cfg.Addresses, ", "), err)}
	}
	list := []Finding{ok("ClickHouse %s", h.Version)}
	if slices.Compare(numbers(h.Version), oldest) < 0 {
		list[0] = bad(Fail, "upgrade it", "ClickHouse %s is older than %d.%d", h.Version, oldest[0], oldest[1])
	}
	if off := time.Since(h.Clock).Abs(); off > 5*time.Second {
		list = append(list, bad(Warn, "synchronise the clocks (NTP)", "its clock is off by %s", off.Round(time.Second)))
	}
	if err != nil {
		list = append(list, bad(Fail, "choose another clickhouse.database, or see docs/19-troubleshooting.md", "%v", err))
	}
	if len(h.Missing) > 0 {
		list = append(list, bad(Fail, migrate, "missing in database %s: %s", cfg.Database, strings.Join(h.Missing, ", ")))
	}
	return list
}

// oldestPostgres is the first PostgreSQL release that still gets security fixes.
const oldestPostgres = 13

// controlStore looks at the PostgreSQL database of the control plane.
func controlStore(ctx context.Context, cfg sqlstore.Config) []Finding {
	h, err := sqlstore.Inspect(ctx, string(cfg.DSN))
	if err != nil {
		return []Finding{bad(Fail, "check control.dsn, the user's rights and the network between", "%s", strings.Join(strings.Fields(err.Error()), " "))}
	}
	list := []Finding{ok("PostgreSQL %s at %s", h.Version, h.Where)}
	if n := numbers(h.Version); len(n) > 0 && n[0] < oldestPostgres {
		list[0] = bad(Fail, "upgrade it", "PostgreSQL %s is older than %d", h.Version, oldestPostgres)
	}
	if !h.TLS {
		list = append(list, bad(Warn, "add sslmode=verify-full to control.dsn", "the connection is not encrypted"))
	}
	if len(h.Missing) > 0 {
		list = append(list, bad(Fail, migrate, "missing migrations: %s", strings.Join(h.Missing, ", ")))
	}
	return list
}

// numbers returns the leading numbers of a version.
func numbers(version string) []int {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return nil
	}
	return []int{major, minor}
}
