package clickhouse

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/sinks/rows"
)

// insertsAtOnce bounds how many tables one batch is written to in parallel.
const insertsAtOnce = 4

// manyFindings is from how many in a batch on writing needs a share of the cores.
const manyFindings = 1000

// Write writes a batch, one INSERT per table that has rows, applies its sweeps, and
// returns nil when the store has acknowledged all of it. After an error some may be
// written: write the batch again.
func (s *Store) Write(ctx context.Context, b *rows.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	if len(b.Findings) >= manyFindings {
		defer s.door.write()()
	}
	if err := s.write(ctx, b); err != nil {
		return explain(err)
	}
	return explain(s.sweep(ctx, b))
}

func (s *Store) write(ctx context.Context, b *rows.Batch) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(insertsAtOnce)
	// the largest first
	insert(ctx, g, s, findingTable, b.Findings)
	insert(ctx, g, s, findingIDTable, b.Findings)
	insert(ctx, g, s, logTable, b.Lines)
	insert(ctx, g, s, websiteTable, b.Websites)
	insert(ctx, g, s, portTable, b.Ports)
	insert(ctx, g, s, hostTable, b.Hosts)
	insert(ctx, g, s, domainTable, b.Domains)
	insert(ctx, g, s, domainHostTable, b.Links)
	insert(ctx, g, s, hostDomainTable, b.Links)
	insert(ctx, g, s, rangeTable, b.Ranges)
	insert(ctx, g, s, tagTable, b.Tags)
	insert(ctx, g, s, executionTable, b.Executions)
	insert(ctx, g, s, changeTable, b.Changes)
	insert(ctx, g, s, pathTable, b.Paths)
	insert(ctx, g, s, sweepTable, lasting(b.Sweeps, time.Now()))
	insert(ctx, g, s, verdictTable, b.Verdicts)
	insertMarks(ctx, g, s, b.Marks)
	return g.Wait()
}

// target is how rows of type R are laid out in columns of a table.
type target[R any] struct {
	name    string
	columns []column[R]
}

// column takes one column out of many rows, as a slice that the driver appends
// in one go.
type column[R any] struct {
	name string
	take func([]R) any
}

func field[R, T any](name string, get func(*R) T) column[R] {
	return column[R]{name, func(rs []R) any {
		out := make([]T, len(rs))
		for i := range rs {
			out[i] = get(&rs[i])
		}
		return out
	}}
}

func newest[R any, T string | uint8 | uint16](name string, get func(*R) rows.Value[T]) column[R] {
	return field(name, func(r *R) []any {
		v := get(r)
		return []any{v.Version, v.Value}
	})
}

func insert[R any](ctx context.Context, g *errgroup.Group, s *Store, t *target[R], rs []R) {
	if len(rs) == 0 {
		return
	}
	g.Go(func() error {
		start := time.Now()
		if err := send(ctx, s, t, rs); err != nil {
			return fmt.Errorf("writing %d rows of %s: %w", len(rs), t.name, err)
		}
		s.metrics.inserts.WithLabelValues(t.name).Observe(time.Since(start).Seconds())
		s.metrics.rows.WithLabelValues(t.name).Add(float64(len(rs)))
		return nil
	})
}

func send[R any](ctx context.Context, s *Store, t *target[R], rs []R) error {
	b, err := s.conn.PrepareBatch(ctx, t.sql())
	if err != nil {
		return err
	}
	for i, c := range t.columns {
		if err := b.Column(i).Append(c.take(rs)); err != nil {
			_ = b.Abort()
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return b.Send()
}

func (t *target[R]) sql() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return fmt.Sprintf("INSERT INTO %s (%s)", t.name, strings.Join(names, ", "))
}

var domainTable = &target[rows.Domain]{"domains", []column[rows.Domain]{
	field("project_id", func(r *rows.Domain) string { return r.ProjectID }),
	field("name", func(r *rows.Domain) string { return r.Name }),
	field("id", func(r *rows.Domain) string { return r.ID }),
	field("first_seen", func(r *rows.Domain) int64 { return r.First }),
	field("last_seen", func(r *rows.Domain) int64 { return r.Last }),
}}

var hostTable = &target[rows.Host]{"hosts", []column[rows.Host]{
	field("project_id", func(r *rows.Host) string { return r.ProjectID }),
	field("addr", func(r *rows.Host) netip.Addr { return r.Addr }),
	field("id", func(r *rows.Host) string { return r.ID }),
	field("ip", func(r *rows.Host) string { return r.Addr.String() }),
	field("first_seen", func(r *rows.Host) int64 { return r.First }),
	field("last_seen", func(r *rows.Host) int64 { return r.Last }),
	newest("os", func(r *rows.Host) rows.Value[string] { return r.OS }),
}}

var rangeTable = &target[rows.Range]{"ip_ranges", []column[rows.Range]{
	field("project_id", func(r *rows.Range) string { return r.ProjectID }),
	field("addr", func(r *rows.Range) netip.Addr { return r.Addr }),
	field("bits", func(r *rows.Range) uint8 { return r.Bits }),
	field("id", func(r *rows.Range) string { return r.ID }),
	field("cidr", func(r *rows.Range) string { return netip.PrefixFrom(r.Addr, int(r.Bits)).String() }),
	field("first_seen", func(r *rows.Range) int64 { return r.First }),
	field("last_seen", func(r *rows.Range) int64 { return r.Last }),
}}

var portTable = &target[rows.Port]{"ports", []column[rows.Port]{
	field("project_id", func(r *rows.Port) string { return r.ProjectID }),
	field("addr", func(r *rows.Port) netip.Addr { return r.Addr }),
	field("port", func(r *rows.Port) uint16 { return r.Port }),
	field("protocol", func(r *rows.Port) string { return string(r.Protocol) }),
	field("id", func(r *rows.Port) string { return r.ID }),
	field("address", func(r *rows.Port) string {
		return netip.AddrPortFrom(r.Addr, r.Port).String() + "/" + string(r.Protocol)
	}),
	field("first_seen", func(r *rows.Port) int64 { return r.First }),
	field("last_seen", func(r *rows.Port) int64 { return r.Last }),
	newest("service", func(r *rows.Port) rows.Value[string] { return r.Service }),
	newest("product", func(r *rows.Port) rows.Value[string] { return r.Product }),
	newest("version", func(r *rows.Port) rows.Value[string] { return r.Version }),
}}

var websiteTable = &target[rows.Website]{"websites", []column[rows.Website]{
	field("project_id", func(r *rows.Website) string { return r.ProjectID }),
	field("domain", func(r *rows.Website) string { return r.Domain }),
	field("addr", func(r *rows.Website) netip.Addr { return r.Addr }),
	field("port", func(r *rows.Website) uint16 { return r.Port }),
	field("path", func(r *rows.Website) string { return r.Path }),
	field("id", func(r *rows.Website) string { return r.ID }),
	field("address", address),
	field("first_seen", func(r *rows.Website) int64 { return r.First }),
	field("last_seen", func(r *rows.Website) int64 { return r.Last }),
	newest("ssl", func(r *rows.Website) rows.Value[uint8] { return r.SSL }),
	newest("status", func(r *rows.Website) rows.Value[uint16] { return r.Status }),
	newest("title", func(r *rows.Website) rows.Value[string] { return r.Title }),
	newest("server", func(r *rows.Website) rows.Value[string] { return r.Server }),
	newest("certificate", func(r *rows.Website) rows.Value[string] { return r.Certificate }),
	newest("screenshot", func(r *rows.Website) rows.Value[string] { return r.Screenshot }),
	field("technologies_said", func(r *rows.Website) map[string]int64 { return r.Technologies }),
}}

var domainHostTable = &target[rows.Link]{"domain_hosts", linkColumns()}

var hostDomainTable = &target[rows.Link]{"host_domains", linkColumns()}

func linkColumns() []column[rows.Link] {
	return []column[rows.Link]{
		field("project_id", func(r *rows.Link) string { return r.ProjectID }),
		field("domain", func(r *rows.Link) string { return r.Domain }),
		field("addr", func(r *rows.Link) netip.Addr { return r.Addr }),
		field("first_seen", func(r *rows.Link) int64 { return r.First }),
		field("last_seen", func(r *rows.Link) int64 { return r.Last }),
		field("deleted_at", func(r *rows.Link) int64 { return r.Deleted }),
	}
}

var tagTable = &target[rows.Tag]{"resource_tags", []column[rows.Tag]{
	field("project_id", func(r *rows.Tag) string { return r.ProjectID }),
	field("resource_id", func(r *rows.Tag) string { return r.ResourceID }),
	field("tag", func(r *rows.Tag) string { return r.Tag }),
	newest("state", func(r *rows.Tag) rows.Value[uint8] { return r.State }),
}}

var findingTable = &target[rows.Finding]{"findings", []column[rows.Finding]{
	field("project_id", func(r *rows.Finding) string { return r.ProjectID }),
	field("at", func(r *rows.Finding) int64 { return r.At }),
	field("id", func(r *rows.Finding) string { return r.ID }),
	field("correlation_key", func(r *rows.Finding) string { return r.CorrelationKey }),
	field("source", func(r *rows.Finding) string { return r.Source }),
	field("execution_id", func(r *rows.Finding) string { return r.ExecutionID }),
	field("job", func(r *rows.Finding) string { return r.Job }),
	field("user_id", func(r *rows.Finding) string { return r.UserID }),
	field("root_id", func(r *rows.Finding) string { return r.RootID }),
	field("depth", func(r *rows.Finding) uint16 { return r.Depth }),
	field("type", func(r *rows.Finding) string { return r.Type }),
	field("key", func(r *rows.Finding) string { return r.Key }),
	field("name", func(r *rows.Finding) string { return r.Name }),
	field("tag", func(r *rows.Finding) string { return r.Tag }),
	field("domain", func(r *rows.Finding) string { return r.Domain }),
	field("ip", func(r *rows.Finding) string { return r.IP }),
	field("mask", func(r *rows.Finding) int16 { return r.Mask }),
	field("port", func(r *rows.Finding) uint16 { return r.Port }),
	field("protocol", func(r *rows.Finding) string { return r.Protocol }),
	field("path", func(r *rows.Finding) string { return r.Path }),
	field("ssl", func(r *rows.Finding) int8 { return r.SSL }),
	field("fields", func(r *rows.Finding) string { return r.Fields }),
	field("images", func(r *rows.Finding) []string { return r.Images }),
	field("said", func(r *rows.Finding) string { return r.Said }),
}}

var findingIDTable = &target[rows.Finding]{"finding_ids", []column[rows.Finding]{
	field("project_id", func(r *rows.Finding) string { return r.ProjectID }),
	field("execution_id", func(r *rows.Finding) string { return r.ExecutionID }),
	field("id", func(r *rows.Finding) string { return r.ID }),
	field("at", func(r *rows.Finding) int64 { return r.At }),
}}

var executionTable = &target[rows.Execution]{"executions", []column[rows.Execution]{
	field("project_id", func(r *rows.Execution) string { return r.ProjectID }),
	field("id", func(r *rows.Execution) string { return r.ID }),
	field("queued_at", func(r *rows.Execution) int64 { return r.QueuedAt }),
	field("job", func(r *rows.Execution) string { return r.Job }),
	field("target", func(r *rows.Execution) string { return r.Target }),
	field("request", func(r *rows.Execution) string { return r.Request }),
	field("current", func(r *rows.Execution) []any {
		c := &r.Current
		return []any{c.Attempt, c.Rank, time.UnixMilli(c.At), c.State, c.Reason, c.Detail, c.Exited, c.ExitCode, c.Runner}
	}),
	field("started", func(r *rows.Execution) []any {
		return []any{r.Started.Attempt, r.Started.Rank, time.UnixMilli(r.Started.At)}
	}),
}}

var logTable = &target[rows.Line]{"logs", []column[rows.Line]{
	field("execution_id", func(r *rows.Line) string { return r.ExecutionID }),
	field("attempt", func(r *rows.Line) uint32 { return r.Attempt }),
	field("stream", func(r *rows.Line) string { return r.Stream }),
	field("seq", func(r *rows.Line) uint64 { return r.Seq }),
	field("project_id", func(r *rows.Line) string { return r.ProjectID }),
	field("position", func(r *rows.Line) int64 { return r.Position }),
	field("at", func(r *rows.Line) int64 { return r.At }),
	field("level", func(r *rows.Line) uint8 { return r.Level }),
	field("text", func(r *rows.Line) string { return r.Text }),
}}

var verdictTable = &target[rows.Verdict]{"verdicts", []column[rows.Verdict]{
	field("project_id", func(r *rows.Verdict) string { return r.ProjectID }),
	field("finding_id", func(r *rows.Verdict) string { return r.FindingID }),
	field("subscription_id", func(r *rows.Verdict) string { return r.SubscriptionID }),
	field("at", func(r *rows.Verdict) int64 { return r.At }),
	field("version", func(r *rows.Verdict) int64 { return r.Version }),
	field("name", func(r *rows.Verdict) string { return r.Name }),
	field("stage", func(r *rows.Verdict) string { return r.Stage }),
	field("reason", func(r *rows.Verdict) string { return r.Reason }),
	field("detail", func(r *rows.Verdict) string { return r.Detail }),
	field("execution_id", func(r *rows.Verdict) string { return r.ExecutionID }),
}}

// address is what a website is searched by: name or address, the port unless it
// is one of the usual two, and the path.
func address(r *rows.Website) string {
	return authority(r.Domain, r.Addr, r.Port, r.Port == 80 || r.Port == 443) + r.Path
}
