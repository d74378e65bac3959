package clickhouse

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// lasting are the sweeps that are stored, and since when others may hear of them.
func lasting(ws []rows.Sweep, at time.Time) (out []rows.Sweep) {
	for i := range ws {
		if !ws[i].Kept() {
			continue
		}
		w := ws[i]
		if w.By != "" {
			w.Stored = at.UnixMilli()
		}
		out = append(out, w)
	}
	return out
}

// rangesAtOnce bounds how many ranges one statement asks for.
const rangesAtOnce = 50

// meet works out what sweeps change: marks and changes of the resources they meet,
// and of the links, tags and paths that go with what is deleted; and what resources
// are of which the history may lack it.
func (s *Store) meet(ctx context.Context, sweeps []rows.Sweep, unsure []rows.Change) (*rows.Batch, error) {
	out := &rows.Batch{}
	var at places
	at.of(sweeps)
	found, err := s.found(ctx, at)
	if err != nil {
		return nil, err
	}
	by, back := index(sweeps), newReappeared()
	for i := range found {
		for _, w := range by.above(&found[i]) {
			found[i].meet(w, out)
			if v := &found[i]; w.Action == rows.SweepDelete && v.first <= w.Since && v.last > w.Since {
				back.add(v.project, v.Kind, v.id, w.Since)
			}
		}
	}
	for i := range sweeps {
		if w := &sweeps[i]; w.Action == rows.SweepDelete {
			back.add(w.ProjectID, w.Kind, w.ID, w.Since)
		}
	}
	for i := range unsure {
		back.add(unsure[i].ProjectID, unsure[i].Kind, unsure[i].ResourceID, 0)
	}
	if err := s.again(ctx, back, out); err != nil {
		return nil, err
	}
	if err := s.unmerge(ctx, sweeps, out); err != nil {
		return nil, err
	}
	return out, s.forget(ctx, at, by, sweeps, out)
}

// found reads the resources at some places.
func (s *Store) found(ctx context.Context, at places) (out []resident, err error) {
	if len(at.addrs)+len(at.ranges)+len(at.domains) == 0 {
		return nil, nil
	}
	for {
		part := at
		part.ranges = at.ranges[:min(len(at.ranges), rangesAtOnce)]
		for _, kind := range []pipeline.Kind{pipeline.KindHost, pipeline.KindPort, pipeline.KindWebsite} {
			if kind != pipeline.KindWebsite && len(part.addrs)+len(part.ranges) == 0 || kind == pipeline.KindHost && len(part.ranges) == 0 {
				continue // only websites are below a domain, only hosts are below a range alone
			}
			more, err := all(ctx, s, metQuery{part, kind}, scanResident(kind))
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		if at.ranges = at.ranges[len(part.ranges):]; len(at.ranges) == 0 {
			return out, nil
		}
		at.addrs, at.domains = nil, nil
	}
}

// resident is a resource that is there.
type resident struct {
	rows.Place
	project, id string
	first, last int64
	deleted     int64
	looked      int64
	merged      rows.Value[string]
}

func (v *resident) visible() bool { return v.last > v.deleted }

func scanResident(kind pipeline.Kind) func(scanner) (resident, error) {
	return func(r scanner) (v resident, err error) {
		var first, seen, deleted, looked time.Time
		var protocol string
		if err := r.Scan(&v.project, &v.id, &first, &seen, &deleted, &v.Domain, &v.Addr, &v.Port, &protocol, &v.Path, &v.merged.Version, &v.merged.Value, &looked); err != nil {
			return v, err
		}
		v.Kind, v.Addr, v.Protocol = kind, v.Addr.Unmap(), pipeline.Protocol(protocol)
		v.first, v.last, v.deleted, v.looked = first.UnixMilli(), seen.UnixMilli(), deleted.UnixMilli(), looked.UnixMilli()
		return v, nil
	}
}

// meet adds what a sweep changes of the resource. Whether it came before or after
// other sweeps must make no difference: a deletion or a block is for all that was
// known by then, also when it was deleted meanwhile.
func (v *resident) meet(w *rows.Sweep, out *rows.Batch) {
	m := rows.Mark{ProjectID: v.project, ID: v.id, Place: v.Place}
	c := rows.Change{ProjectID: v.project, ResourceID: v.id, Kind: v.Kind, Cause: w.Cause}
	switch w.Action {
	case rows.SweepDelete:
		if v.first > w.Since {
			return
		}
		m.Delete(w.Since) // also when it was seen since: what was known before is forgotten
		c.At, c.Value = w.Since, rows.Deleted
	case rows.SweepLook:
		if !v.visible() {
			return
		}
		if v.last >= w.Since && v.last <= w.Until && v.looked >= w.Since { // it was said to be closed before it was known that it was seen
			c.At, c.Value = w.Until, rows.Open
			out.Changes = append(out.Changes, c)
		}
		if v.last >= w.Since || v.looked >= w.Since {
			return
		}
		m.Looked = w.Since
		c.At, c.Value = w.Until, rows.Closed
	case rows.SweepBlock:
		if v.first > w.Since {
			return
		}
		m.Blocked = w.Blocked
		c.At, c.Attribute, c.Value = rows.At(w.Blocked.Version), "blocked", yesNo(w.Blocked.Value)
	case rows.SweepMerge:
		if v.merged.Version >= w.Into.Version {
			return
		}
		m.Merged = w.Into
		c.At, c.Attribute, c.Value = rows.At(w.Into.Version), "merged", w.Into.Value
	}
	out.Marks, out.Changes = append(out.Marks, m), append(out.Changes, c)
}

func yesNo(n uint8) string {
	if n > 0 {
		return "yes"
	}
	return ""
}

// sweepIndex finds the sweeps that may concern a resource.
type sweepIndex struct {
	addrs   map[placed][]*rows.Sweep
	domains map[of][]*rows.Sweep
	ranges  map[string][]*rows.Sweep // by project
}

func index(ws []rows.Sweep) *sweepIndex {
	x := &sweepIndex{map[placed][]*rows.Sweep{}, map[of][]*rows.Sweep{}, map[string][]*rows.Sweep{}}
	for i := range ws {
		w := &ws[i]
		switch {
		case w.Action == rows.SweepMerge:
		case w.Kind == pipeline.KindDomain:
			k := of{w.ProjectID, w.Domain}
			x.domains[k] = append(x.domains[k], w)
		case !w.First.IsValid():
		case w.First == w.Last:
			k := placed{w.ProjectID, w.First}
			x.addrs[k] = append(x.addrs[k], w)
		default:
			x.ranges[w.ProjectID] = append(x.ranges[w.ProjectID], w)
		}
	}
	return x
}

func (x *sweepIndex) above(v *resident) []*rows.Sweep {
	near := slices.Concat(x.addrs[placed{v.project, v.Addr}], x.ranges[v.project])
	if v.Domain != "" {
		near = append(near, x.domains[of{v.project, v.Domain}]...)
	}
	return slices.DeleteFunc(near, func(w *rows.Sweep) bool { return !w.Below(&v.Place) })
}

// unmerge moves the websites that are merged into one that is merged elsewhere, and
// frees those whose website is deleted.
func (s *Store) unmerge(ctx context.Context, sweeps []rows.Sweep, out *rows.Batch) error {
	moves := map[string]rows.Sweep{}
	q := mergedQuery{}
	seen := map[string]bool{}
	move := func(w rows.Sweep) {
		add(&q.projects, seen, w.ProjectID)
		add(&q.into, seen, w.ID)
		if have, ok := moves[w.ID]; !ok || have.Into.Version < w.Into.Version {
			moves[w.ID] = w
		}
	}
	for i := range sweeps {
		w := sweeps[i]
		switch {
		case w.Action == rows.SweepMerge:
			move(w)
		case w.Action == rows.SweepDelete && w.Kind == pipeline.KindWebsite:
			move(freed(w.ProjectID, w.ID, w.Since, w.Cause))
		}
	}
	for i := range out.Marks {
		if m := &out.Marks[i]; m.Kind == pipeline.KindWebsite && m.Deleted > 0 {
			move(freed(m.ProjectID, m.ID, m.Deleted, ""))
		}
	}
	if len(q.into) == 0 {
		return nil
	}
	found, err := all(ctx, s, q, scanResident(pipeline.KindWebsite))
	for i := range found {
		if w, ok := moves[found[i].merged.Value]; ok && found[i].id != w.Into.Value && found[i].project == w.ProjectID {
			found[i].meet(&w, out)
		}
	}
	return err
}

// intoQuery selects what websites are that others are merged into.
type intoQuery struct{ projects, ids []string }

// SQL returns the statement and the values bound to it.
func (q intoQuery) SQL() (string, []any) {
	return "SELECT project_id, id, tupleElement(max(merged_into), 'version'), tupleElement(max(merged_into), 'value'), max(deleted_at)\nFROM websites\n" +
			"WHERE project_id IN {projects:Array(String)}\n  AND id IN {ids:Array(String)}\nGROUP BY project_id, id",
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("ids", q.ids)}
}

// mergedLate returns what moves websites on that the batch merges into one that was
// merged elsewhere, or deleted, after that: its sweep has passed.
func (s *Store) mergedLate(ctx context.Context, b *rows.Batch) (out []rows.Sweep, err error) {
	q := intoQuery{}
	seen := map[string]bool{}
	for i := range b.Marks {
		if m := &b.Marks[i]; m.Merged.Value != "" {
			add(&q.projects, seen, m.ProjectID)
			add(&q.ids, seen, m.Merged.Value)
		}
	}
	if len(q.ids) == 0 {
		return nil, nil
	}
	_, err = all(ctx, s, q, func(r scanner) (struct{}, error) {
		w := rows.Sweep{Action: rows.SweepMerge}
		var deleted time.Time
		err := r.Scan(&w.ProjectID, &w.ID, &w.Into.Version, &w.Into.Value, &deleted)
		if w.Into.Value != "" {
			out = append(out, w)
		}
		if at := deleted.UnixMilli(); at > 0 {
			out = append(out, freed(w.ProjectID, w.ID, at, ""))
		}
		return struct{}{}, err
	})
	return out, err
}

func freed(project, id string, at int64, cause string) rows.Sweep {
	return rows.Sweep{Action: rows.SweepMerge, ProjectID: project, ID: id, Into: rows.Value[string]{Version: rows.Forgetting(at)}, Cause: cause}
}

// linkQuery selects the links of the places that are deleted.
type linkQuery struct {
	table    string
	column   string
	typ      string
	projects []string
	ones     []string
}

// SQL returns the statement and the values bound to it.
func (q linkQuery) SQL() (string, []any) {
	return "SELECT project_id, domain, addr, min(first_seen), max(last_seen)\nFROM " + q.table + "\nWHERE project_id IN {projects:Array(String)}\n  AND " + q.column +
			" IN {ones:Array(" + q.typ + ")}\nGROUP BY project_id, domain, addr",
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("ones", q.ones)}
}

// forget deletes the links of deleted hosts and domains, and the tags and paths of
// everything that is deleted.
func (s *Store) forget(ctx context.Context, at places, by *sweepIndex, sweeps []rows.Sweep, out *rows.Batch) error {
	deleted := map[string]int64{}
	ids := tagsQuery{}
	seen := map[string]bool{}
	gone := func(project, id string, at int64) {
		add(&ids.projects, seen, project)
		add(&ids.ids, seen, id)
		deleted[id] = max(deleted[id], at)
	}
	for i := range sweeps {
		if w := &sweeps[i]; w.Action == rows.SweepDelete {
			gone(w.ProjectID, w.ID, w.Since)
		}
	}
	for i := range out.Marks {
		if m := &out.Marks[i]; m.Deleted > 0 {
			gone(m.ProjectID, m.ID, m.Deleted)
		}
	}
	if len(deleted) == 0 {
		return nil
	}
	if err := s.unlink(ctx, at, by, out); err != nil {
		return err
	}
	tags, err := all(ctx, s, ids, func(r scanner) (t rows.Tag, err error) { return t, r.Scan(&t.ProjectID, &t.ResourceID, &t.Tag) })
	for _, t := range tags {
		t.State = rows.Value[uint8]{Version: rows.Forgetting(deleted[t.ResourceID])}
		out.Tags = append(out.Tags, t)
	}
	if err != nil {
		return err
	}
	return s.forgetPaths(ctx, ids, deleted)
}

func (s *Store) unlink(ctx context.Context, at places, by *sweepIndex, out *rows.Batch) error {
	for _, q := range []linkQuery{
		{"host_domains", "addr", "IPv6", at.projects, at.addrs},
		{"domain_hosts", "domain", "String", at.projects, at.domains},
	} {
		if len(q.ones) == 0 {
			continue
		}
		_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
			var l rows.Link
			var first, last time.Time
			err := r.Scan(&l.ProjectID, &l.Domain, &l.Addr, &first, &last)
			l.Addr = l.Addr.Unmap()
			cause := ""
			near := slices.Concat(by.addrs[placed{l.ProjectID, l.Addr}], by.domains[of{l.ProjectID, l.Domain}])
			for _, w := range near {
				if w.Action == rows.SweepDelete && (w.Kind == pipeline.KindHost || w.Kind == pipeline.KindDomain) && first.UnixMilli() <= w.Since {
					if w.Since >= l.Deleted {
						l.Deleted, cause = w.Since, w.Cause
					}
				}
			}
			if l.First = rows.Never; l.Deleted > 0 && err == nil {
				out.Links = append(out.Links, l)
				c := unlinked(&l, cause)
				if out.Changes = append(out.Changes, c); last.UnixMilli() > l.Deleted {
					c.At, c.Value, c.Cause = last.UnixMilli(), "yes", ""
					out.Changes = append(out.Changes, c)
				}
			}
			return struct{}{}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unlinked says in the history of a domain that it does not resolve to an address any
// more. When it is the domain that was deleted, that changes nothing.
func unlinked(l *rows.Link, cause string) rows.Change {
	key := "project:" + l.ProjectID + ";domain:" + l.Domain
	return rows.Change{
		ProjectID: l.ProjectID, At: l.Deleted, ResourceID: pipeline.ResourceID(key), Kind: pipeline.KindDomain, Key: key,
		Attribute: "address:" + l.Addr.String(), Cause: cause,
	}
}

// tagsQuery selects the tags that resources carry.
type tagsQuery struct{ projects, ids []string }

// SQL returns the statement and the values bound to it.
func (q tagsQuery) SQL() (string, []any) {
	return "SELECT project_id, resource_id, tag\nFROM resource_tags\nWHERE project_id IN {projects:Array(String)}\n  AND resource_id IN {ids:Array(String)}\n" +
			"GROUP BY project_id, resource_id, tag\nHAVING tupleElement(max(state), 'value') = 1",
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("ids", q.ids)}
}

// pathsStatement deletes the paths of the deleted websites.
type pathsStatement struct {
	tagsQuery
	at int64
}

// SQL returns the statement and the values bound to it.
func (q pathsStatement) SQL() (string, []any) {
	_, args := q.tagsQuery.SQL()
	return "INSERT INTO website_paths (project_id, website_id, path, first_seen, deleted_at, status)\nSELECT project_id, website_id, path, min(first_seen), {at:Int64}, ({version:UInt64}, 0)\n" +
			"FROM website_paths\nWHERE project_id IN {projects:Array(String)}\n  AND website_id IN {ids:Array(String)}\n" +
			"GROUP BY project_id, website_id, path\nHAVING min(first_seen) <= fromUnixTimestamp64Milli({at:Int64}, 'UTC') AND max(deleted_at) < fromUnixTimestamp64Milli({at:Int64}, 'UTC')",
		append(args, clickhouse.Named("at", strconv.FormatInt(q.at, 10)), clickhouse.Named("version", strconv.FormatUint(rows.Forgetting(q.at), 10)))
}

// forgetPaths leaves the rows in the store: a site map may be larger than memory.
func (s *Store) forgetPaths(ctx context.Context, ids tagsQuery, deleted map[string]int64) error {
	by := map[int64][]string{}
	for id, at := range deleted {
		by[at] = append(by[at], id)
	}
	for at, list := range by {
		sql, args := pathsStatement{tagsQuery{ids.projects, list}, at}.SQL()
		if err := s.conn.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	return nil
}
