package clickhouse

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// resource is how one kind of resource is read: where from, in which order, and
// what belongs to it from other tables.
type resource[T any] struct {
	kind    pipeline.Kind
	table   string
	columns []selected
	key     []keyColumn // the sorting key after the project
	scan    func(scanner) (T, error)
	seen    func(*T) *pipeline.Seen
	keyOf   func(*T) []string                                 // values of key
	enrich  func(ctx context.Context, s *Store, ts []T) error // nil when there is nothing to add
}

// list reads one page and the exact total.
func list[T any](ctx context.Context, s *Store, k *resource[T], q pipeline.Query) (page pipeline.Page[T], err error) {
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	sel, err := k.query(s, q, limit)
	if err != nil {
		return page, err
	}
	tables := append([]string{k.table, "resource_tags", "domain_hosts", "host_domains", "ports", "website_paths"}, sel.filter.tables...)
	page, err = shared(ctx, s, listed{k.kind, q}, tables, func(ctx context.Context) (pipeline.Page[T], error) {
		return readList(ctx, s, k, sel, limit)
	})
	page.Items = slices.Clone(page.Items)
	return page, err
}

// listed is what is asked for, as the key of an answer that is shared.
type listed struct {
	kind  pipeline.Kind
	query any
}

func readList[T any](ctx context.Context, s *Store, k *resource[T], sel pageQuery, limit int) (page pipeline.Page[T], err error) {
	ctx, done := s.reading(ctx, k.table)
	defer func() { done(&err) }()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		page.Total, err = s.total(gctx, totalQuery{sel}, append(sel.filter.tables, k.table)...)
		return err
	})
	g.Go(func() (err error) {
		var last []string
		if page.Items, last, err = readPage(gctx, s, k, sel); err != nil {
			return err
		}
		if len(page.Items) > limit {
			page.Items = page.Items[:limit]
			end := &page.Items[limit-1]
			key := append([]string{k.seen(end).ProjectID}, k.keyOf(end)...)
			if sel.sort != nil {
				key = append([]string{sel.sort.spec, last[limit-1]}, key...)
			}
			page.Next = encodeCursor(key...)
		}
		return complete(gctx, s, k, page.Items)
	})
	if err := g.Wait(); err != nil {
		return pipeline.Page[T]{}, err
	}
	if page.Items == nil {
		page.Items = []T{}
	}
	return page, nil
}

// query makes a statement of what is asked for.
func (k *resource[T]) query(s *Store, q pipeline.Query, limit int) (sel pageQuery, err error) {
	sel = pageQuery{table: k.table, columns: k.columns, key: k.key, scope: scope{q.ProjectID, q.Visible}, limit: limit}
	if sel.filter, err = s.compile(k.kind, q.Text, q.ProjectID); err != nil {
		return sel, err
	}
	if sel.sort, err = parseSort(k.kind, q.Sort); err != nil {
		return sel, err
	}
	sel.after, err = decodeSorted(q.Cursor, sel.sort, append([]keyColumn{projectColumn}, k.key...))
	return sel, err
}

// readPage reads the rows of a page, and what each was sorted by.
func readPage[T any](ctx context.Context, s *Store, k *resource[T], sel pageQuery) (items []T, by []string, err error) {
	if sel.sort == nil {
		items, err = all(ctx, s, sel, k.scan)
		return items, nil, err
	}
	items, err = all(ctx, s, sel, func(r scanner) (T, error) {
		value, text := sel.sort.place()
		t, err := k.scan(withLast{r, value})
		by = append(by, text())
		return t, err
	})
	return items, by, err
}

// one reads the resource with an id.
func one[T any](ctx context.Context, s *Store, k *resource[T], id string) (t T, err error) {
	ctx, done := s.reading(ctx, k.table)
	defer func() { done(&err) }()
	found, err := all(ctx, s, oneQuery{k.table, k.columns, id}, k.scan)
	if err != nil {
		return t, err
	}
	if len(found) == 0 {
		return t, pipeline.Errorf(pipeline.CodeNotFound, "there is no %s with the id %q", k.kind, id)
	}
	return found[0], complete(ctx, s, k, found)
}

// complete adds what stands in other tables.
func complete[T any](ctx context.Context, s *Store, k *resource[T], ts []T) error {
	if len(ts) == 0 {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		seen := make([]*pipeline.Seen, len(ts))
		for i := range ts {
			seen[i] = k.seen(&ts[i])
		}
		return s.addTags(ctx, seen)
	})
	if k.enrich != nil {
		g.Go(func() error { return k.enrich(ctx, s, ts) })
	}
	return g.Wait()
}

// reading begins a read: it gives the deadline, and done names, measures and
// explains what came of it.
func (s *Store) reading(ctx context.Context, what string) (context.Context, func(*error)) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadTimeout)
	ctx, leave, refused := s.door.enter(ctx)
	if refused != nil {
		cancel() // nothing is asked any more
	}
	return ctx, func(err *error) {
		cancel()
		if refused != nil {
			s.metrics.refused.Inc()
			*err = refused
		} else {
			leave()
		}
		s.metrics.reads.WithLabelValues(what).Observe(time.Since(start).Seconds())
		if *err != nil && pipeline.CodeOf(*err) == pipeline.CodeInternal {
			*err = fmt.Errorf("reading %s: %w", what, explain(*err))
		}
	}
}

// Domains lists domains by name.
func (s *Store) Domains(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Domain], error) {
	return list(ctx, s, domainKind, q)
}

// Domain reads one domain.
func (s *Store) Domain(ctx context.Context, id string) (pipeline.Domain, error) {
	return one(ctx, s, domainKind, id)
}

// Hosts lists hosts by address.
func (s *Store) Hosts(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Host], error) {
	return list(ctx, s, hostKind, q)
}

// Host reads one host.
func (s *Store) Host(ctx context.Context, id string) (pipeline.Host, error) {
	return one(ctx, s, hostKind, id)
}

// Ranges lists ranges by address.
func (s *Store) Ranges(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.IPRange], error) {
	return list(ctx, s, rangeKind, q)
}

// Range reads one range.
func (s *Store) Range(ctx context.Context, id string) (pipeline.IPRange, error) {
	return one(ctx, s, rangeKind, id)
}

// Ports lists ports by address and number. The text is looked for in
// "address:port/protocol", in the service and in the product.
func (s *Store) Ports(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Port], error) {
	return list(ctx, s, portKind, q)
}

// Port reads one port.
func (s *Store) Port(ctx context.Context, id string) (pipeline.Port, error) {
	return one(ctx, s, portKind, id)
}

// Websites lists websites by domain, those of bare addresses first. The text is
// looked for in the URL, but for its scheme, and in the title.
func (s *Store) Websites(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Website], error) {
	return list(ctx, s, websiteKind, q)
}

// Website reads one website.
func (s *Store) Website(ctx context.Context, id string) (pipeline.Website, error) {
	return one(ctx, s, websiteKind, id)
}

// seenAnd are the columns every resource has, and those of one kind.
func seenAnd(more ...selected) []selected {
	return append([]selected{
		constant("id"), keyPart("project_id"),
		{"first_seen", "min", ""},
		{"last_seen", "max", ""},
		latest("blocked"),
		{"blocked", "max", "version"},
		latest("note"), latest("owner"),
	}, more...)
}

// seenRow is what seenAnd reads before it is finished.
type seenRow struct {
	blocked uint8
	version uint64
}

// into are the places seenAnd is read into, and those of one kind.
func (r *seenRow) into(s *pipeline.Seen, more ...any) []any {
	return append([]any{&s.ID, &s.ProjectID, &s.FirstSeen, &s.LastSeen, &r.blocked, &r.version, &s.Note, &s.Owner}, more...)
}

// finish computes what follows from the other columns.
func (r *seenRow) finish(s *pipeline.Seen, l pipeline.Locators, website bool) error {
	s.FirstSeen, s.LastSeen, s.Tags = s.FirstSeen.UTC(), s.LastSeen.UTC(), []string{}
	if s.Blocked, s.BlockedBelow = r.blocked > 0, r.blocked > 1; s.Blocked {
		s.BlockedAt = time.UnixMilli(rows.At(r.version)).UTC()
	}
	key, err := pipeline.CorrelationKey(s.ProjectID, l, website)
	if err != nil {
		return fmt.Errorf("the row with the id %s: %w", s.ID, err)
	}
	s.CorrelationKey = key
	return nil
}

var domainKind = &resource[pipeline.Domain]{
	kind: pipeline.KindDomain, table: "domains",
	columns: seenAnd(keyPart("name")),
	key:     []keyColumn{{"name", "String"}},
	seen:    func(d *pipeline.Domain) *pipeline.Seen { return &d.Seen },
	keyOf:   func(d *pipeline.Domain) []string { return []string{d.Name} },
	scan: func(r scanner) (d pipeline.Domain, err error) {
		var row seenRow
		if err := r.Scan(row.into(&d.Seen, &d.Name)...); err != nil {
			return d, err
		}
		return d, row.finish(&d.Seen, pipeline.Locators{Domain: d.Name}, false)
	},
	enrich: addHosts,
}

var hostKind = &resource[pipeline.Host]{
	kind: pipeline.KindHost, table: "hosts",
	columns: seenAnd(keyPart("addr"), latest("os")),
	key:     []keyColumn{{"addr", "IPv6"}},
	seen:    func(h *pipeline.Host) *pipeline.Seen { return &h.Seen },
	keyOf:   func(h *pipeline.Host) []string { return []string{mapped(h.IP)} },
	scan: func(r scanner) (h pipeline.Host, err error) {
		var row seenRow
		var addr netip.Addr
		if err := r.Scan(row.into(&h.Seen, &addr, &h.OS)...); err != nil {
			return h, err
		}
		h.IP = addr.Unmap().String()
		return h, row.finish(&h.Seen, pipeline.Locators{IP: h.IP}, false)
	},
	enrich: addDomainsAndPorts,
}

var rangeKind = &resource[pipeline.IPRange]{
	kind: pipeline.KindRange, table: "ip_ranges",
	columns: seenAnd(constant("cidr")),
	key:     []keyColumn{{"addr", "IPv6"}, {"bits", "UInt8"}},
	seen:    func(r *pipeline.IPRange) *pipeline.Seen { return &r.Seen },
	keyOf: func(r *pipeline.IPRange) []string {
		p, err := netip.ParsePrefix(r.CIDR)
		if err != nil { // scan has read it
			panic(err)
		}
		return []string{mapped(p.Addr().String()), strconv.Itoa(p.Bits())}
	},
	scan: func(r scanner) (x pipeline.IPRange, err error) {
		var row seenRow
		if err := r.Scan(row.into(&x.Seen, &x.CIDR)...); err != nil {
			return x, err
		}
		p, err := netip.ParsePrefix(x.CIDR)
		if err != nil {
			return x, fmt.Errorf("the row with the id %s: %w", x.ID, err)
		}
		bits := p.Bits()
		return x, row.finish(&x.Seen, pipeline.Locators{IP: p.Addr().String(), Mask: &bits}, false)
	},
}

var portKind = &resource[pipeline.Port]{
	kind: pipeline.KindPort, table: "ports",
	columns: seenAnd(keyPart("addr"), keyPart("port"), keyPart("protocol"), latest("service"), latest("product"), latest("version"), lookedAt),
	key:     []keyColumn{{"addr", "IPv6"}, {"port", "UInt16"}, {"protocol", "String"}},
	seen:    func(p *pipeline.Port) *pipeline.Seen { return &p.Seen },
	keyOf: func(p *pipeline.Port) []string {
		return []string{mapped(p.IP), strconv.Itoa(p.Port), string(p.Protocol)}
	},
	scan: func(r scanner) (p pipeline.Port, err error) {
		var row seenRow
		var (
			addr     netip.Addr
			port     uint16
			protocol string
			looked   time.Time
		)
		if err := r.Scan(row.into(&p.Seen, &addr, &port, &protocol, &p.Service, &p.Product, &p.Version, &looked)...); err != nil {
			return p, err
		}
		p.IP, p.Port, p.Protocol = addr.Unmap().String(), int(port), pipeline.Protocol(protocol)
		p.Closed = closed(p.LastSeen, looked)
		return p, row.finish(&p.Seen, pipeline.Locators{IP: p.IP, Port: p.Port, Protocol: p.Protocol}, false)
	},
}

var lookedAt = selected{"looked_at", "max", ""}

// closed says whether somebody looked after a resource was seen the last time.
func closed(seen, looked time.Time) pipeline.Closed {
	if !looked.After(seen) {
		return pipeline.Closed{}
	}
	return pipeline.Closed{Closed: true, ClosedAt: looked.UTC()}
}

// mapped is an address as a bound IPv6 value.
func mapped(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip // refused when it is bound
	}
	return netip.AddrFrom16(addr.As16()).String()
}
