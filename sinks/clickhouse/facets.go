package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// Bounds of facets.
const (
	defaultValues = 10
	maxValues     = 100
	maxFacets     = 12
)

// facet is what is counted for a field: an expression to group by, and how the text
// of a group is made of it, with %s for the value. Empty texts are no value.
type facet struct {
	by   string
	text string
	many bool // by gives an array of texts
}

func plainly(e string) facet   { return facet{by: e, text: "toString(%s)"} }
func ofLatest(c string) facet  { return plainly(valueOf(c)) }
func positive(e string) facet  { return facet{by: e, text: "if(%s > 0, toString(%[1]s), '')"} }
func ofAddress(e string) facet { return facet{by: e, text: ipTextOf("%[1]s")} }

// facetFor is what is counted for a field of a kind, nothing when it is not.
func facetFor(kind pipeline.Kind, field string) facet {
	switch field {
	case "project.id":
		return plainly("project_id")
	case "owner":
		return ofLatest("owner")
	}
	switch kind {
	default:
	case pipeline.KindHost:
		if field == "os" {
			return ofLatest("os")
		}
	case pipeline.KindPort:
		return map[string]facet{
			"port": plainly("port"), "port.protocol": plainly("protocol"), "host": ofAddress("addr"),
			"port.service": ofLatest("service"), "port.product": ofLatest("product"), "port.version": ofLatest("version"),
		}[field]
	case pipeline.KindWebsite:
		return map[string]facet{
			"domain": plainly("domain"), "host": ofAddress("addr"), "port": plainly("port"), "path": plainly("path"),
			"status": positive(valueOf("status")), "title": ofLatest("title"), "server": ofLatest("server"), "technology": {by: shownTechnologies, many: true},
			"certificate.subject": plainly(certificatePart("subject")), "certificate.issuer": plainly(certificatePart("issuer")),
			"certificate.fingerprint": plainly(certificatePart("fingerprint")),
		}[field]
	case filter.Finding:
		return map[string]facet{
			"key": plainly("key"), "type": plainly("type"), "source": plainly("source"), "name": plainly("name"), "tag": plainly("tag"),
			"job": plainly("job"), "execution.id": plainly("execution_id"), "depth": plainly("depth"), "domain": plainly("domain"), "host": plainly("ip"),
			"port": positive("port"), "port.protocol": plainly("protocol"), "path": plainly("path"),
		}[field]
	case filter.Execution:
		return map[string]facet{
			"job": plainly("job"), "state": plainly(currentState), "reason": plainly(element("current", "reason")), "runner": plainly(element("current", "runner")),
			"attempt": plainly(element("current", "attempt")), "exitCode": plainly("if(" + element("current", "exited") + " = 1, toString(" + element("current", "exit_code") + "), '')"),
		}[field]
	}
	return facet{}
}

// of is the text of the value that an expression gives.
func (f facet) of(e string) string { return fmt.Sprintf(strings.Replace(f.text, "%s", "%[1]s", 1), e) }

// facetOf is what a field has, as an array of texts per row; "" when it is not counted.
func facetOf(kind pipeline.Kind, field string) string {
	switch f := facetFor(kind, field); {
	case f.by == "":
		return ""
	case f.many:
		return f.by
	default:
		return "[" + f.of(f.by) + "]"
	}
}

// tableOf is the table of a kind.
func tableOf(kind pipeline.Kind) string {
	switch kind {
	case pipeline.KindDomain:
		return domainKind.table
	case pipeline.KindHost:
		return hostKind.table
	case pipeline.KindRange:
		return rangeKind.table
	case pipeline.KindPort:
		return portKind.table
	case pipeline.KindWebsite:
		return websiteKind.table
	case filter.Finding:
		return "findings"
	default:
		return "executions"
	}
}

// selection is a filtered list as what other statements are made of.
type selection struct {
	kind pipeline.Kind
	scope
	filter compiled
}

func (s *Store) selection(kind pipeline.Kind, sc scope, text string) (selection, error) {
	f, err := s.compile(kind, text, sc.project)
	return selection{kind, sc, f}, err
}

// from is the FROM and the conditions, on folded rows.
func (q selection) from(more ...string) (string, []any) {
	where, args := q.conditions()
	cond, bound := q.filter.conditions()
	where = append(where, cond...)
	table := tableOf(q.kind)
	switch q.kind {
	case filter.Finding:
	case filter.Execution:
		table += " FINAL"
	default:
		table += " FINAL"
		where = append(where, visible)
	}
	return "FROM " + table + conditions(append(where, more...)), append(args, bound...)
}

// facetQuery counts the values of several fields in one pass over the rows: each is
// grouped by what is stored, and what comes out is written as text.
type facetQuery struct {
	selection
	fields   []string
	prefix   string
	limit    int
	distinct bool // rows can be there twice: count ids
}

// SQL returns the statement and the values bound to it.
func (q facetQuery) SQL() (string, []any) {
	var values, sets, keys, field, text []string
	for i, name := range q.fields {
		f, v := facetFor(q.kind, name), fmt.Sprintf("v%d", i)
		e := f.by
		if f.many {
			e, f.text = "arrayJoin("+e+")", "%s"
		}
		values, keys, sets = append(values, e+" AS "+v), append(keys, v), append(sets, "("+v+")")
		field = append(field, fmt.Sprintf("grouped = %d, %d", 1<<len(q.fields)-1-1<<(len(q.fields)-1-i), i))
		text = append(text, fmt.Sprintf("grouped = %d, %s", 1<<len(q.fields)-1-1<<(len(q.fields)-1-i), f.of(v)))
	}
	grouped, group := "grouping("+strings.Join(keys, ", ")+")", "GROUPING SETS ("+strings.Join(sets, ", ")+")"
	number, value := "multiIf("+strings.Join(field, ", ")+", 0)", "multiIf("+strings.Join(text, ", ")+", '')"
	if len(q.fields) == 1 {
		grouped, group, number, value = "0", "v0", "0", facetText(q.kind, q.fields[0])
	}
	from, args := q.from()
	having := "value != ''"
	if q.prefix != "" {
		having += " AND startsWith(lowerUTF8(value), {prefix:String})"
		args = append(args, clickhouse.Named("prefix", fold(q.prefix)))
	}
	count := "count()"
	if q.distinct {
		count = "uniqExact(id)"
		values = append(values, "id")
	}
	return fmt.Sprintf(`SELECT toUInt8(%s) AS field, %s AS value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT %s AS grouped, %s, %s AS n
FROM (
SELECT %s
%s)
GROUP BY %s)
WHERE %s
ORDER BY field, n DESC, value
LIMIT %d BY field`, number, value, grouped, strings.Join(keys, ", "), count, strings.Join(values, ", "), from, group, having, q.limit), args
}

func facetText(kind pipeline.Kind, field string) string {
	f := facetFor(kind, field)
	if f.many {
		return "v0"
	}
	return f.of("v0")
}

// tagFacetQuery counts the tags of the resources of a list.
type tagFacetQuery struct {
	selection
	prefix string
	limit  int
}

// SQL returns the statement and the values bound to it.
func (q tagFacetQuery) SQL() (string, []any) {
	where, _ := q.conditions()
	from, args := q.from()
	where = append(where, valueOf("state")+" = 1")
	if q.prefix != "" {
		where = append(where, "startsWith(lowerUTF8(tag), {prefix:String})")
		args = append(args, clickhouse.Named("prefix", fold(q.prefix)))
	}
	where = append(where, "(project_id, resource_id) IN (\nSELECT project_id, id\n"+from+")")
	return fmt.Sprintf("SELECT toUInt8(0) AS field, tag AS value, count() AS n, count() OVER () AS total\nFROM resource_tags FINAL%s\nGROUP BY tag\nORDER BY n DESC, value\nLIMIT %d",
		conditions(where), q.limit), args
}

// Facets counts the values that fields have in a list.
func (s *Store) Facets(ctx context.Context, q pipeline.FacetQuery) (out []pipeline.Facet, err error) {
	sel, err := s.selection(q.Kind, scope{q.ProjectID, q.Visible}, q.Text)
	if err != nil {
		return nil, err
	}
	if err := checkFacets(&q); err != nil {
		return nil, err
	}
	tables := append([]string{tableOf(q.Kind), "resource_tags", "finding_ids"}, sel.filter.tables...)
	out, err = shared(ctx, s, q, tables, func(ctx context.Context) ([]pipeline.Facet, error) { return s.readFacets(ctx, q, sel) })
	return slices.Clone(out), err
}

func (s *Store) readFacets(ctx context.Context, q pipeline.FacetQuery, sel selection) (out []pipeline.Facet, err error) {
	ctx, done := s.reading(ctx, "facets")
	defer func() { done(&err) }()
	out = make([]pipeline.Facet, len(q.Fields))
	all := facetQuery{selection: sel, prefix: q.Prefix, limit: q.Limit}
	var places []int       // of the fields of all in out
	again := map[int]int{} // a field that was asked for before, and where
	g, gctx := errgroup.WithContext(ctx)
	for i, f := range q.Fields {
		out[i] = pipeline.Facet{Field: f, Values: []pipeline.FacetValue{}}
		if f == "tag" && q.Kind != filter.Finding {
			g.Go(func() error { return s.facet(gctx, tagFacetQuery{sel, q.Prefix, q.Limit}, []int{i}, out) })
			continue
		}
		switch at := slices.Index(q.Fields, f); {
		case at < i:
			again[i] = at
		case facetFor(q.Kind, f).many: // the rows of the others are not repeated for it
			one := all
			one.fields = []string{f}
			g.Go(func() error { return s.facet(gctx, one, []int{i}, out) })
		default:
			all.fields, places = append(all.fields, f), append(places, i)
		}
	}
	if len(places) > 0 {
		g.Go(func() (err error) {
			if q.Kind == filter.Finding {
				if all.distinct, err = s.repeated(gctx, sel.scope); err != nil {
					return err
				}
			}
			return s.facet(gctx, all, places, out)
		})
	}
	err = g.Wait()
	for i, at := range again {
		out[i] = out[at]
	}
	return out, err
}

// checkFacets puts the names of fields in order, and the bounds.
func checkFacets(q *pipeline.FacetQuery) error {
	switch {
	case q.Limit == 0:
		q.Limit = defaultValues
	case q.Limit < 0 || q.Limit > maxValues:
		return pipeline.Errorf(pipeline.CodeInvalid, "limit %d is not within 1..%d", q.Limit, maxValues)
	}
	if len(q.Fields) == 0 || len(q.Fields) > maxFacets {
		return pipeline.Errorf(pipeline.CodeInvalid, "1 to %d fields are counted at once, not %d", maxFacets, len(q.Fields))
	}
	fields := make([]string, len(q.Fields))
	for i, name := range q.Fields {
		f := filter.Lookup(q.Kind, name)
		if f == nil || !f.Facet {
			return pipeline.Errorf(pipeline.CodeInvalid, "the values of %q of a %s cannot be counted, those of %s can", name, q.Kind, strings.Join(facetNames(q.Kind), ", "))
		}
		fields[i] = f.Name
	}
	q.Fields = fields
	return nil
}

func facetNames(kind pipeline.Kind) []string {
	var out []string
	for _, f := range filter.Fields(kind) {
		if f.Facet {
			out = append(out, f.Name)
		}
	}
	return out
}

// facet reads values into the facets at places.
func (s *Store) facet(ctx context.Context, q statement, places []int, out []pipeline.Facet) error {
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var field uint8
		var v pipeline.FacetValue
		var distinct uint64
		if err := r.Scan(&field, &v.Value, &v.Count, &distinct); err != nil {
			return struct{}{}, err
		}
		f := &out[places[field]]
		f.Values, f.Distinct = append(f.Values, v), distinct
		return struct{}{}, nil
	})
	return err
}

// rowsQuery counts the rows of findings, whether or not they are there twice.
type rowsQuery struct{ scope }

// SQL returns the statement and the values bound to it.
func (q rowsQuery) SQL() (string, []any) {
	where, args := q.conditions()
	return "SELECT count()\nFROM findings" + conditions(where), args
}

// repeated reports whether some finding has more than one row: if not, counting
// rows counts findings, which is much cheaper than telling them apart by their ids.
func (s *Store) repeated(ctx context.Context, sc scope) (bool, error) {
	var n, ids uint64
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		n, err = s.total(ctx, rowsQuery{sc}, "findings")
		return err
	})
	g.Go(func() (err error) {
		ids, err = s.total(ctx, findingTotal{of: findingQuery{FindingQuery: pipeline.FindingQuery{ProjectID: sc.project, Visible: sc.visible}}}, "finding_ids")
		return err
	})
	err := g.Wait()
	return n != ids, err
}
