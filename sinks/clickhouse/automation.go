package clickhouse

import (
	"context"
	"net/netip"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// What the scheduler asks of the store besides its lists.

// freshQuery selects which of some resources have a finding with a key since a time.
type freshQuery struct {
	project, key string
	since        time.Time
	targets      []string
}

// SQL returns the statement and the values bound to it. A finding accepted twice is
// no matter here, so nothing has to be folded.
func (q freshQuery) SQL() (string, []any) {
	return "SELECT DISTINCT correlation_key\nFROM findings\nWHERE project_id = {project:String}\n  AND at >= fromUnixTimestamp64Milli({since:Int64})\n" +
			"  AND key = {key:String}\n  AND correlation_key IN {targets:Array(String)}",
		[]any{
			clickhouse.Named("project", q.project), clickhouse.Named("since", q.since.UnixMilli()),
			clickhouse.Named("key", q.key), clickhouse.Named("targets", q.targets),
		}
}

// Fresh returns which of the resources, by their correlation keys, have a finding
// with the key since a time.
func (s *Store) Fresh(ctx context.Context, projectID, key string, since time.Time, targets []string) (have map[string]bool, err error) {
	ctx, done := s.reading(ctx, "findings")
	defer func() { done(&err) }()
	have = map[string]bool{}
	if len(targets) == 0 {
		return have, nil
	}
	_, err = all(ctx, s, freshQuery{projectID, key, since, targets}, func(r scanner) (struct{}, error) {
		var target string
		err := r.Scan(&target)
		have[target] = true
		return struct{}{}, err
	})
	return have, err
}

// openQuery counts the executions of a subscription that have not ended.
type openQuery struct{ subscription string }

// SQL returns the statement and the values bound to it. The end of an execution is
// the greatest rank of its last attempt.
func (q openQuery) SQL() (string, []any) {
	return "SELECT count()\nFROM executions FINAL\nWHERE request != ''\n  AND " + element("current", "rank") + " < 3\n" +
		"  AND JSONExtractString(request, 'cause', 'subscriptionId') = {subscription:String}", []any{clickhouse.Named("subscription", q.subscription)}
}

// OpenOf returns how many executions a subscription asked for have not ended.
func (s *Store) OpenOf(ctx context.Context, subscriptionID string) (n uint64, err error) {
	ctx, done := s.reading(ctx, "executions")
	defer func() { done(&err) }()
	return count(ctx, s, openQuery{subscriptionID})
}

// NamesOf returns the domains that resolve to each of the addresses of a project, at
// most MaxLinks each.
func (s *Store) NamesOf(ctx context.Context, projectID string, ips []string) (names map[string][]string, err error) {
	ctx, done := s.reading(ctx, "host_domains")
	defer func() { done(&err) }()
	names = map[string][]string{}
	q := relatedQuery{table: "host_domains", one: "addr", typ: "IPv6", other: "domain", having: visibleGrouped}
	for _, ip := range ips {
		q.add(projectID, mapped(ip))
	}
	if len(ips) == 0 {
		return names, nil
	}
	_, err = all(ctx, s, q, func(r scanner) (struct{}, error) {
		var project, domain string
		var addr netip.Addr
		err := r.Scan(&project, &addr, &domain)
		ip := addr.Unmap().String()
		names[ip] = append(names[ip], domain)
		return struct{}{}, err
	})
	return names, err
}

// AddressesOf returns the addresses that names of a project resolve to.
func (s *Store) AddressesOf(ctx context.Context, projectID string, domains []string) (addresses map[string][]string, err error) {
	ctx, done := s.reading(ctx, "domain_hosts")
	defer func() { done(&err) }()
	addresses = map[string][]string{}
	q := relatedQuery{table: "domain_hosts", one: "domain", typ: "String", other: "addr", having: visibleGrouped}
	for _, d := range domains {
		q.add(projectID, d)
	}
	if len(domains) == 0 {
		return addresses, nil
	}
	_, err = all(ctx, s, q, func(r scanner) (struct{}, error) {
		var project, domain string
		var addr netip.Addr
		err := r.Scan(&project, &domain, &addr)
		addresses[domain] = append(addresses[domain], addr.Unmap().String())
		return struct{}{}, err
	})
	return addresses, err
}
