package clickhouse

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// sweep applies the sweeps of a batch to the rows that are there, and the sweeps
// that are there to the rows of the batch that came late. The rows of the batch are
// written by now, and its sweeps are before anything is read: whichever of a row and
// a sweep is written second, the one who writes it sees the other.
func (s *Store) sweep(ctx context.Context, b *rows.Batch) error {
	missed, err := s.missed(ctx, b)
	if err != nil {
		return fmt.Errorf("reading sweeps: %w", err)
	}
	late, err := s.mergedLate(ctx, b)
	if err != nil {
		return fmt.Errorf("reading what websites are merged into: %w", err)
	}
	sweeps := slices.Concat(missed, late, b.Sweeps)
	if len(sweeps)+len(b.Unsure) == 0 {
		return nil
	}
	out, err := s.meet(ctx, sweeps, b.Unsure)
	if err != nil {
		return fmt.Errorf("applying %d sweeps: %w", len(sweeps), err)
	}
	for i := range out.Changes {
		b.Swept = append(b.Swept, out.Changes[i].ResourceID)
	}
	return s.write(ctx, out)
}

// lateQuery selects the sweeps that are not older than the oldest row of a batch.
type lateQuery struct {
	projects []string
	since    int64
}

const selectSweeps = "SELECT DISTINCT action, project_id, id, kind, since, until, first, last, domain, ports, protocol, path, cause, blocked_version, blocked\nFROM sweeps\n"

// SQL returns the statement and the values bound to it. What was known before the
// row was seen cannot concern it, and that is what the table is ordered by.
func (q lateQuery) SQL() (string, []any) {
	return selectSweeps +
			"WHERE until >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')\n  AND project_id IN {projects:Array(String)}",
		[]any{clickhouse.Named("since", strconv.FormatInt(q.since, 10)), clickhouse.Named("projects", q.projects)}
}

// missed returns the sweeps that concern a row of the batch.
func (s *Store) missed(ctx context.Context, b *rows.Batch) ([]rows.Sweep, error) {
	l := newLate(b)
	if len(l.projects) == 0 {
		return nil, nil
	}
	found, err := all(ctx, s, lateQuery{l.projects, l.since}, scanSweep)
	if err != nil {
		return nil, err
	}
	var out []rows.Sweep
	for i := range found {
		if l.concerned(&found[i]) {
			out = append(out, found[i])
		}
	}
	return out, nil
}

func scanSweep(r scanner) (w rows.Sweep, err error) {
	var action, kind, protocol string
	var since, until time.Time
	if err := r.Scan(&action, &w.ProjectID, &w.ID, &kind, &since, &until, &w.First, &w.Last, &w.Domain, &w.Ports, &protocol, &w.Path, &w.Cause, &w.Blocked.Version, &w.Blocked.Value); err != nil {
		return w, err
	}
	w.Action, w.Kind, w.Protocol = rows.SweepAction(action), pipeline.Kind(kind), pipeline.Protocol(protocol)
	w.Since, w.Until = since.UnixMilli(), until.UnixMilli()
	w.First, w.Last = w.First.Unmap(), w.Last.Unmap()
	return w, nil
}

// late is what of a batch may have missed a sweep: by address and by domain, the
// oldest time something was seen.
type late struct {
	projects []string
	since    int64
	addrs    map[placed]int64
	domains  map[of]int64
	ids      map[of]int64 // of those that no place leads to
}

type placed struct {
	project string
	addr    netip.Addr
}

func newLate(b *rows.Batch) *late {
	l := &late{since: rows.Never, addrs: map[placed]int64{}, domains: map[of]int64{}, ids: map[of]int64{}}
	have := map[string]bool{}
	see := func(project string, addr netip.Addr, domain string, at int64) {
		add(&l.projects, have, project)
		l.since = min(l.since, at)
		if addr.IsValid() {
			oldest(l.addrs, placed{project, addr}, at)
		}
		if domain != "" {
			oldest(l.domains, of{project, domain}, at)
		}
	}
	for i := range b.Hosts {
		see(b.Hosts[i].ProjectID, b.Hosts[i].Addr, "", b.Hosts[i].First)
	}
	for i := range b.Ports {
		see(b.Ports[i].ProjectID, b.Ports[i].Addr, "", b.Ports[i].First)
	}
	for i := range b.Websites {
		see(b.Websites[i].ProjectID, b.Websites[i].Addr, b.Websites[i].Domain, b.Websites[i].First)
		oldest(l.ids, of{b.Websites[i].ProjectID, b.Websites[i].ID}, b.Websites[i].First)
	}
	for i := range b.Links {
		see(b.Links[i].ProjectID, b.Links[i].Addr, b.Links[i].Domain, b.Links[i].First)
	}
	for i := range b.Domains {
		see(b.Domains[i].ProjectID, netip.Addr{}, b.Domains[i].Name, b.Domains[i].First)
	}
	for i := range b.Ranges {
		see(b.Ranges[i].ProjectID, netip.Addr{}, "", b.Ranges[i].First)
		oldest(l.ids, of{b.Ranges[i].ProjectID, b.Ranges[i].ID}, b.Ranges[i].First)
	}
	for i := range b.Tags {
		t := &b.Tags[i]
		see(t.ProjectID, t.Addr, t.Domain, rows.At(t.State.Version))
		oldest(l.ids, of{t.ProjectID, t.ResourceID}, rows.At(t.State.Version))
	}
	for i := range b.Paths { // their website is among the above
		oldest(l.ids, of{b.Paths[i].ProjectID, b.Paths[i].WebsiteID}, b.Paths[i].First)
	}
	return l
}

func oldest[K comparable](m map[K]int64, k K, at int64) {
	if have, ok := m[k]; !ok || at < have {
		m[k] = at
	}
}

func (l *late) concerned(w *rows.Sweep) bool {
	if at, ok := l.ids[of{w.ProjectID, w.ID}]; ok && at <= w.Until && w.Action == rows.SweepDelete {
		return true
	}
	if w.Kind == pipeline.KindDomain {
		at, ok := l.domains[of{w.ProjectID, w.Domain}]
		return ok && at <= w.Until
	}
	if w.First == w.Last {
		at, ok := l.addrs[placed{w.ProjectID, w.First}]
		return ok && at <= w.Until
	}
	for k, at := range l.addrs {
		if k.project == w.ProjectID && at <= w.Until && k.addr.Is4() == w.First.Is4() && k.addr.Compare(w.First) >= 0 && k.addr.Compare(w.Last) <= 0 {
			return true
		}
	}
	return false
}

// places are where the resources are that sweeps may concern.
type places struct {
	projects, addrs, domains []string
	ranges                   [][2]string
}

func (p *places) of(sweeps []rows.Sweep) {
	seen := map[string]bool{}
	for i := range sweeps {
		w := &sweeps[i]
		add(&p.projects, seen, w.ProjectID)
		switch {
		case w.Action == rows.SweepMerge:
		case w.Kind == pipeline.KindDomain:
			p.domains = append(p.domains, w.Domain)
		case !w.First.IsValid(): // nothing is below it
		case w.First == w.Last:
			add(&p.addrs, seen, bound(w.First))
		default:
			p.ranges = append(p.ranges, [2]string{bound(w.First), bound(w.Last)})
		}
	}
}

// bound is an address as a bound IPv6 value.
func bound(a netip.Addr) string { return netip.AddrFrom16(a.As16()).String() }

// metQuery selects the resources at some places, as rows of one shape.
type metQuery struct {
	places
	kind pipeline.Kind
}

// SQL returns the statement and the values bound to it.
func (q metQuery) SQL() (string, []any) {
	args := []any{clickhouse.Named("projects", q.projects)}
	var at []string
	if len(q.addrs) > 0 {
		at, args = append(at, "addr IN {addrs:Array(IPv6)}"), append(args, clickhouse.Named("addrs", q.addrs))
	}
	for i, r := range q.ranges {
		at = append(at, fmt.Sprintf("addr >= {first%[1]d:IPv6} AND addr <= {last%[1]d:IPv6}", i))
		args = append(args, clickhouse.Named(fmt.Sprintf("first%d", i), r[0]), clickhouse.Named(fmt.Sprintf("last%d", i), r[1]))
	}
	if q.kind == pipeline.KindWebsite && len(q.domains) > 0 {
		at, args = append(at, "domain IN {domains:Array(String)}"), append(args, clickhouse.Named("domains", q.domains))
	}
	return met[q.kind].sql("("+strings.Join(at, " OR ")+")", ""), args
}

// mergedQuery selects the websites that are merged into others, in the same shape.
type mergedQuery struct{ projects, into []string }

// SQL returns the statement and the values bound to it. Which website a row was
// merged into last is known once all its rows are one.
func (q mergedQuery) SQL() (string, []any) {
	const into = "'value') IN {into:Array(String)}"
	m := met[pipeline.KindWebsite]
	return m.sql("("+m.key+") IN (SELECT "+m.key+" FROM websites WHERE project_id IN {projects:Array(String)} AND tupleElement(merged_into, "+into+")", "\nHAVING tupleElement(max(merged_into), "+into),
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("into", q.into)}
}

// shape tells how the resources of a kind are read as rows of one shape.
type shape struct{ table, key, columns string }

var met = map[pipeline.Kind]shape{
	pipeline.KindHost:    {"hosts", "addr", "'', addr, toUInt16(0), '', '', toUInt64(0), '', toDateTime64(0, 3, 'UTC')"},
	pipeline.KindPort:    {"ports", "addr, port, protocol", "'', addr, port, toString(protocol), '', toUInt64(0), '', max(looked_at)"},
	pipeline.KindWebsite: {"websites", "domain, addr, port, path", "domain, addr, port, 'tcp', path, tupleElement(max(merged_into), 'version'), tupleElement(max(merged_into), 'value'), max(looked_at)"},
}

func (m shape) sql(where, having string) string {
	return fmt.Sprintf("SELECT project_id, max(id), min(first_seen), max(last_seen), max(deleted_at), %s\nFROM %s\nWHERE project_id IN {projects:Array(String)}\n  AND %s\nGROUP BY project_id, %s%s",
		m.columns, m.table, where, m.key, having)
}
