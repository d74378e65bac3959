package clickhouse

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
)

// relatedQuery selects, for the resources of one page, what another table holds
// about each: rows of (project_id, one, other), at most MaxLinks per resource.
type relatedQuery struct {
	table    string
	one      string // the column that names the resource of the page
	typ      string // its type
	other    string // the column that names what is related
	having   string // what the rows of one key must add up to; "" for anything
	projects []string
	ones     []string
}

// SQL returns the statement and the values bound to it. Grouping by the key does
// what FINAL would, on the few rows that are read.
func (q relatedQuery) SQL() (string, []any) {
	having := ""
	if q.having != "" {
		having = "\nHAVING " + q.having
	}
	return fmt.Sprintf("SELECT project_id, %[1]s, %[2]s\nFROM %[3]s\nWHERE project_id IN {projects:Array(String)}\n  AND %[1]s IN {ones:Array(%[4]s)}"+
			"\nGROUP BY project_id, %[1]s, %[2]s%[5]s\nORDER BY project_id, %[1]s, %[2]s\nLIMIT %[6]d BY project_id, %[1]s",
			q.one, q.other, q.table, q.typ, having, pipeline.MaxLinks),
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("ones", q.ones)}
}

// portCountQuery counts the open ports of the hosts of one page.
type portCountQuery struct{ projects, addrs []string }

// SQL returns the statement and the values bound to it.
func (q portCountQuery) SQL() (string, []any) {
	return "SELECT project_id, addr, count()\nFROM (\nSELECT project_id, addr\nFROM ports\nWHERE project_id IN {projects:Array(String)}\n  AND addr IN {addrs:Array(IPv6)}\n" +
			"GROUP BY project_id, addr, port, protocol\nHAVING " + visibleGrouped + " AND max(looked_at) <= max(last_seen))\nGROUP BY project_id, addr",
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("addrs", q.addrs)}
}

// of names a resource inside all projects.
type of struct{ project, name string }

// addTags fills in the tags of the resources of a page.
func (s *Store) addTags(ctx context.Context, seen []*pipeline.Seen) error {
	by := map[of]*pipeline.Seen{}
	q := relatedQuery{table: "resource_tags", one: "resource_id", typ: "String", other: "tag", having: "tupleElement(max(state), 'value') = 1"}
	for _, x := range seen {
		by[of{x.ProjectID, x.ID}] = x
		q.add(x.ProjectID, x.ID)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var k of
		var tag string
		err := r.Scan(&k.project, &k.name, &tag)
		if x := by[k]; x != nil {
			x.Tags = append(x.Tags, tag)
		}
		return struct{}{}, err
	})
	return err
}

// add asks for one more resource.
func (q *relatedQuery) add(project, name string) {
	if !slices.Contains(q.projects, project) {
		q.projects = append(q.projects, project)
	}
	q.ones = append(q.ones, name)
}

// addHosts fills in the addresses that the domains of a page resolve to.
func addHosts(ctx context.Context, s *Store, ds []pipeline.Domain) error {
	by := map[of]*pipeline.Domain{}
	q := relatedQuery{table: "domain_hosts", one: "domain", typ: "String", other: "addr", having: visibleGrouped}
	for i := range ds {
		d := &ds[i]
		d.Hosts = []string{}
		by[of{d.ProjectID, d.Name}] = d
		q.add(d.ProjectID, d.Name)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var k of
		var addr netip.Addr
		err := r.Scan(&k.project, &k.name, &addr)
		if d := by[k]; d != nil {
			d.Hosts = append(d.Hosts, addr.Unmap().String())
		}
		return struct{}{}, err
	})
	return err
}

// addDomainsAndPorts fills in the names and the number of ports of the hosts of a
// page.
func addDomainsAndPorts(ctx context.Context, s *Store, hs []pipeline.Host) error {
	by := map[of]*pipeline.Host{}
	q := relatedQuery{table: "host_domains", one: "addr", typ: "IPv6", other: "domain", having: visibleGrouped}
	for i := range hs {
		h := &hs[i]
		h.Domains = []string{}
		by[of{h.ProjectID, h.IP}] = h
		q.add(h.ProjectID, mapped(h.IP))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
			var project, domain string
			var addr netip.Addr
			err := r.Scan(&project, &addr, &domain)
			if h := by[of{project, addr.Unmap().String()}]; h != nil {
				h.Domains = append(h.Domains, domain)
			}
			return struct{}{}, err
		})
		return err
	})
	g.Go(func() error {
		_, err := all(ctx, s, portCountQuery{q.projects, q.ones}, func(r scanner) (struct{}, error) {
			var project string
			var addr netip.Addr
			var n uint64
			err := r.Scan(&project, &addr, &n)
			if h := by[of{project, addr.Unmap().String()}]; h != nil {
				h.Ports = int(n)
			}
			return struct{}{}, err
		})
		return err
	})
	return g.Wait()
}
