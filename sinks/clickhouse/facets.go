package clickhouse

import (
	"context"
	"fmt"
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

// facetOf is what is counted for each field: an expression that gives an array of
// texts per row. Empty texts are no value.
func facetOf(kind pipeline.Kind, field string) string {
	one := func(e string) string { return "[" + e + "]" }
	latest := func(column string) string { return one(valueOf(column)) }
	switch field {
	case "project.id":
		return one("toString(project_id)")
	case "owner":
		return latest("owner")
	}
	switch kind {
	default:
	case pipeline.KindHost:
		if field == "os" {
			return latest("os")
		}
	case pipeline.KindPort:
		return map[string]string{
			"port": one("toString(port)"), "port.protocol": one("toString(protocol)"), "host": one(ipText()),
			"port.service": latest("service"), "port.product": latest("product"), "port.version": latest("version"),
		}[field]
	case pipeline.KindWebsite:
		return map[string]string{
			"domain": one("domain"), "host": one(ipText()), "port": one("toString(port)"), "path": one("path"),
			"status": one("if(" + valueOf("status") + " > 0, toString(" + valueOf("status") + "), '')"),
			"title":  latest("title"), "server": latest("server"), "technology": shownTechnologies,
			"certificate.subject": one(certificatePart("subject")), "certificate.issuer": one(certificatePart("issuer")),
			"certificate.fingerprint": one(certificatePart("fingerprint")),
		}[field]
	case filter.Finding:
		return map[string]string{
			"key": one("toString(key)"), "type": one("toString(type)"), "source": one("toString(source)"), "name": one("name"), "tag": one("tag"),
			"job": one("toString(job)"), "execution.id": one("execution_id"), "depth": one("toString(depth)"), "domain": one("domain"), "host": one("ip"),
			"port": one("if(port > 0, toString(port), '')"), "port.protocol": one("toString(protocol)"), "path": one("path"),
		}[field]
	case filter.Execution:
		return map[string]string{
			"job": one("job"), "state": one(currentState), "reason": one(element("current", "reason")), "runner": one(element("current", "runner")),
			"attempt": one("toString(" + element("current", "attempt") + ")"), "exitCode": one("if(" + element("current", "exited") + " = 1, toString(" + element("current", "exit_code") + "), '')"),
		}[field]
	}
	return ""
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

// facetQuery counts the values of several fields in one pass: every row gives pairs
// of the field's number and a value.
type facetQuery struct {
	selection
	fields   []string
	prefix   string
	limit    int
	distinct bool // rows can be there twice: count ids
}

// SQL returns the statement and the values bound to it.
func (q facetQuery) SQL() (string, []any) {
	pairs := make([]string, len(q.fields))
	for i, f := range q.fields {
		pairs[i] = fmt.Sprintf("arrayMap(x -> (toUInt8(%d), x), %s)", i, facetOf(q.kind, f))
	}
	array := pairs[0]
	if len(pairs) > 1 {
		array = "arrayConcat(" + strings.Join(pairs, ", ") + ")"
	}
	from, args := q.from()
	having := "tupleElement(pair, 2) != ''"
	if q.prefix != "" {
		having += " AND startsWith(lowerUTF8(tupleElement(pair, 2)), {prefix:String})"
		args = append(args, clickhouse.Named("prefix", fold(q.prefix)))
	}
	count := "count()"
	if q.distinct {
		count = "uniqExact(id)"
	}
	return fmt.Sprintf(`SELECT field, value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT tupleElement(pair, 1) AS field, tupleElement(pair, 2) AS value, %s AS n
FROM (
SELECT %sarrayJoin(%s) AS pair
%s)
WHERE %s
GROUP BY field, value)
ORDER BY field, n DESC, value
LIMIT %d BY field`, count, map[bool]string{true: "id, "}[q.distinct], array, from, having, q.limit), args
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
	ctx, done := s.reading(ctx, "facets")
	defer func() { done(&err) }()
	sel, err := s.selection(q.Kind, scope{q.ProjectID, q.Visible}, q.Text)
	if err != nil {
		return nil, err
	}
	if err := checkFacets(&q); err != nil {
		return nil, err
	}
	out = make([]pipeline.Facet, len(q.Fields))
	all := facetQuery{selection: sel, prefix: q.Prefix, limit: q.Limit}
	var places []int // of the fields of all in out
	g, gctx := errgroup.WithContext(ctx)
	for i, f := range q.Fields {
		out[i] = pipeline.Facet{Field: f, Values: []pipeline.FacetValue{}}
		if f == "tag" && q.Kind != filter.Finding {
			g.Go(func() error { return s.facet(gctx, tagFacetQuery{sel, q.Prefix, q.Limit}, []int{i}, out) })
			continue
		}
		all.fields, places = append(all.fields, f), append(places, i)
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
	return out, g.Wait()
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
