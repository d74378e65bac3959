package clickhouse

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// changeKey orders changes; the cursor holds its values.
var changeKey = []keyColumn{{"at", "Int64"}, {"resource_id", "String"}, {"attribute", "String"}}

// changedQuery selects where in the history something was said, the oldest first.
// Whether that changed anything follows from what was said before.
type changedQuery struct {
	pipeline.ChangeQuery
	after []string
	limit int
}

// SQL returns the statement and the values bound to it. A place that is there twice is
// given twice: whoever looks at it tells them apart, and grouping costs more than that.
func (q changedQuery) SQL() (string, []any) {
	where, args := inProject(q.ProjectID)
	bind := func(cond, name, value string) {
		where, args = append(where, cond), append(args, clickhouse.Named(name, value))
	}
	if q.ResourceID != "" {
		bind("resource_id = {resource:String}", "resource", q.ResourceID)
	}
	if !q.Since.IsZero() {
		bind("at > "+instant("since"), "since", strconv.FormatInt(q.Since.UnixMilli(), 10))
	}
	if !q.Until.IsZero() {
		bind("at <= "+instant("until"), "until", strconv.FormatInt(q.Until.UnixMilli(), 10))
	}
	if q.after != nil {
		bind("at >= "+instant("at"), "at", q.after[0])
		bind("(at, resource_id, attribute) > ("+instant("at")+", {id:String}, {attribute:String})", "id", q.after[1])
		args = append(args, clickhouse.Named("attribute", q.after[2]))
	}
	return "SELECT project_id, at, resource_id, attribute\nFROM changes" + conditions(where) +
		"\nORDER BY project_id, at, resource_id, attribute\nLIMIT " + strconv.Itoa(q.limit), args
}

func instant(name string) string { return "fromUnixTimestamp64Milli({" + name + ":Int64}, 'UTC')" }

// timelineQuery selects everything that was said of some attributes of some
// resources up to a time, and of the resources themselves.
type timelineQuery struct {
	project         string
	ids, attributes []string
	until           int64
}

// SQL returns the statement and the values bound to it.
func (q timelineQuery) SQL() (string, []any) {
	return "SELECT project_id, at, resource_id, attribute, max(kind), max(correlation_key), " + element("max(said)", "value") + ", " + element("max(said)", "cause") +
			"\nFROM changes\nWHERE project_id = {project:String}\n  AND at <= " + instant("until") +
			"\n  AND resource_id IN {ids:Array(String)}\n  AND attribute IN {attributes:Array(String)}\nGROUP BY project_id, at, resource_id, attribute",
		[]any{
			clickhouse.Named("project", q.project), clickhouse.Named("until", strconv.FormatInt(q.until, 10)),
			clickhouse.Named("ids", q.ids), clickhouse.Named("attributes", q.attributes),
		}
}

// changeRounds bounds how often a page looks further when much of what it reads
// changed nothing; then the page is short, and its Next goes on. In the second round it
// looks at so many places at once: finding where in the history a few resources are costs
// almost as much as finding it for many.
const (
	changeRounds = 2
	changeStride = 3000
)

// Changes lists what became of the resources of a project.
func (s *Store) Changes(ctx context.Context, q pipeline.ChangeQuery) (page pipeline.ChangePage, err error) {
	ctx, done := s.reading(ctx, "changes")
	defer func() { done(&err) }()
	if q.ProjectID == "" {
		return page, pipeline.Errorf(pipeline.CodeInvalid, "changes are listed for one project")
	}
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	after, err := decodeCursor(q.Cursor, changeKey)
	if err != nil {
		return page, err
	}
	page.Items, page.Next = []pipeline.Change{}, q.Cursor
	for n := range changeRounds {
		places := limit
		if n > 0 {
			places = max(limit, changeStride)
		}
		at, err := all(ctx, s, changedQuery{ChangeQuery: q, after: after, limit: places}, scanChanged)
		if err != nil || len(at) == 0 {
			return page, err
		}
		more, err := s.became(ctx, q.ProjectID, at)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, more...)
		last := &at[len(at)-1]
		after = []string{strconv.FormatInt(last.At, 10), last.ResourceID, last.Attribute}
		page.Next = encodeCursor(after...)
		if len(page.Items) >= limit {
			if page.Items = page.Items[:limit]; len(more) > 0 { // what is left out comes next
				end := &page.Items[limit-1]
				page.Next = encodeCursor(strconv.FormatInt(end.At.UnixMilli(), 10), end.ResourceID, end.Attribute)
			}
			break
		}
	}
	return page, nil
}

func scanChanged(r scanner) (c rows.Change, err error) {
	var at time.Time
	err = r.Scan(&c.ProjectID, &at, &c.ResourceID, &c.Attribute)
	c.At = at.UnixMilli()
	return c, err
}

// became returns what was changed at some places in the history.
func (s *Store) became(ctx context.Context, project string, at []rows.Change) ([]pipeline.Change, error) {
	type place struct {
		at            int64
		id, attribute string
	}
	wanted := map[place]bool{}
	q := timelineQuery{project: project, until: at[len(at)-1].At, attributes: []string{""}}
	ids, attributes := map[string]bool{}, map[string]bool{"": true}
	for i := range at {
		wanted[place{at[i].At, at[i].ResourceID, at[i].Attribute}] = true
		add(&q.ids, ids, at[i].ResourceID)
		add(&q.attributes, attributes, at[i].Attribute)
	}
	said, err := all(ctx, s, q, scanChange)
	if err != nil {
		return nil, err
	}
	var out []pipeline.Change
	for _, e := range rows.Events(said) {
		if wanted[place{e.At, e.ResourceID, e.Attribute}] {
			out = append(out, event(&e))
		}
	}
	return out, nil
}

func scanChange(r scanner) (c rows.Change, err error) {
	var at time.Time
	var kind string
	err = r.Scan(&c.ProjectID, &at, &c.ResourceID, &c.Attribute, &kind, &c.Key, &c.Value, &c.Cause)
	c.At, c.Kind = at.UnixMilli(), pipeline.Kind(kind)
	return c, err
}

func event(e *rows.Event) pipeline.Change {
	return pipeline.Change{
		ProjectID: e.ProjectID, At: time.UnixMilli(e.At).UTC(), What: e.What, Kind: e.Kind, ResourceID: e.ResourceID,
		CorrelationKey: e.Key, Attribute: e.Attribute, Before: e.Before, After: e.Value, Cause: e.Cause,
	}
}

// lastSaid is what an attribute is after all that is read of it. Of one instant the
// greatest value counts, as in rows.Events.
const lastSaid = "argMax(tupleElement(said, 'value'), (at, tupleElement(said, 'value')))"

// pastQuery selects which resources a project had at a time.
type pastQuery struct {
	pipeline.PastQuery
	after []string
	limit int
}

// SQL returns the statement and the values bound to it. What is closed was open, and
// not deleted since: a look that is late may say of a deleted one that it is closed.
func (q pastQuery) SQL() (string, []any) {
	where, args := inProject(q.ProjectID)
	where = append(where, "attribute = ''", "at <= "+instant("at"))
	args = append(args, clickhouse.Named("at", strconv.FormatInt(q.At.UnixMilli(), 10)))
	if q.Kind != "" {
		where, args = append(where, "kind = {kind:String}"), append(args, clickhouse.Named("kind", string(q.Kind)))
	}
	if q.after != nil {
		where, args = append(where, "resource_id > {after:String}"), append(args, clickhouse.Named("after", q.after[0]))
	}
	const value = "tupleElement(said, 'value')"
	return "SELECT resource_id, max(kind), max(correlation_key), " + lastSaid + " AS state\nFROM changes" + conditions(where) +
		"\nGROUP BY resource_id\nHAVING argMaxIf(" + value + ", (at, " + value + "), " + value + " != 'closed') = 'open'\nORDER BY resource_id\nLIMIT " + strconv.Itoa(q.limit), args
}

// attributesQuery selects the attributes that resources had at a time.
type attributesQuery struct {
	project string
	ids     []string
	at      int64
}

// SQL returns the statement and the values bound to it.
func (q attributesQuery) SQL() (string, []any) {
	return "SELECT resource_id, attribute, " + lastSaid + " AS value, max(at)\nFROM changes\nWHERE project_id = {project:String}\n  AND at <= " + instant("at") +
			"\n  AND resource_id IN {ids:Array(String)}\n  AND attribute != ''\nGROUP BY resource_id, attribute\nHAVING value != ''",
		[]any{clickhouse.Named("project", q.project), clickhouse.Named("at", strconv.FormatInt(q.at, 10)), clickhouse.Named("ids", q.ids)}
}

// AsOf lists the resources that a project had at a time, as they were.
func (s *Store) AsOf(ctx context.Context, q pipeline.PastQuery) (page pipeline.PastPage, err error) {
	ctx, done := s.reading(ctx, "changes")
	defer func() { done(&err) }()
	if q.ProjectID == "" || q.At.IsZero() {
		return page, pipeline.Errorf(pipeline.CodeInvalid, "the past is that of one project at one time")
	}
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	after, err := decodeCursor(q.Cursor, []keyColumn{{"resource_id", "String"}})
	if err != nil {
		return page, err
	}
	page.Items, err = all(ctx, s, pastQuery{q, after, limit + 1}, func(r scanner) (p pipeline.Past, err error) {
		var kind, state string
		err = r.Scan(&p.ResourceID, &kind, &p.CorrelationKey, &state)
		p.Kind, p.Closed, p.Attributes = pipeline.Kind(kind), state == rows.Closed, map[string]string{}
		return p, err
	})
	if err != nil || len(page.Items) == 0 {
		page.Items = []pipeline.Past{}
		return page, err
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = encodeCursor(page.Items[limit-1].ResourceID)
	}
	return page, s.attributes(ctx, q, page.Items)
}

func (s *Store) attributes(ctx context.Context, q pipeline.PastQuery, ps []pipeline.Past) error {
	by := map[string]map[string]string{}
	ask := attributesQuery{project: q.ProjectID, at: q.At.UnixMilli()}
	for i := range ps {
		by[ps[i].ResourceID] = ps[i].Attributes
		ask.ids = append(ask.ids, ps[i].ResourceID)
	}
	deleted, err := s.deletions(ctx, ask)
	if err != nil {
		return err
	}
	_, err = all(ctx, s, ask, func(r scanner) (struct{}, error) {
		var id, attribute, value string
		var at time.Time
		err := r.Scan(&id, &attribute, &value, &at)
		if at.UnixMilli() > deleted[id] {
			by[id][attribute] = value
		}
		return struct{}{}, err
	})
	return err
}

// deletions returns when resources were deleted the last time, before the time that
// is asked about.
func (s *Store) deletions(ctx context.Context, q attributesQuery) (map[string]int64, error) {
	said, err := all(ctx, s, timelineQuery{project: q.project, ids: q.ids, attributes: []string{""}, until: q.at}, scanChange)
	by := map[string][]rows.Change{}
	for i := range said {
		by[said[i].ResourceID] = append(by[said[i].ResourceID], said[i])
	}
	out := map[string]int64{}
	for id, cs := range by {
		for _, at := range rows.Deletions(cs) {
			out[id] = at
		}
	}
	return out, err
}

// diffKey orders differences; the cursor holds its values.
var diffKey = []keyColumn{{"resource_id", "String"}, {"attribute", "String"}}

// diffQuery selects what has another value at one time than at an earlier one. What
// was said before a resource was deleted is no value any more. Of what is deleted the
// resource is named, not everything it had.
type diffQuery struct {
	pipeline.DiffQuery
	after []string
	limit int
}

// SQL returns the statement and the values bound to it.
func (q diffQuery) SQL() (string, []any) {
	between := []string{"project_id = {project:String}", "at > " + instant("from"), "at <= " + instant("to")}
	args := []any{
		clickhouse.Named("project", q.ProjectID), clickhouse.Named("from", strconv.FormatInt(q.From.UnixMilli(), 10)),
		clickhouse.Named("to", strconv.FormatInt(q.To.UnixMilli(), 10)),
	}
	if q.after != nil {
		args = append(args, clickhouse.Named("id", q.after[0]), clickhouse.Named("attribute", q.after[1]))
	}
	const value = "tupleElement(said, 'value')"
	const project = "project_id = {project:String}"
	until := " AND at <= " + instant("to")
	deletions := "SELECT resource_id, maxIf(at, state = 'deleted' AND at <= " + instant("from") + ") AS first_forgotten, maxIf(at, state = 'deleted') AS forgotten, maxIf(at, state = 'open') AS open_at\n" +
		"FROM (\nSELECT resource_id, at, max(" + value + ") AS state\nFROM changes\nWHERE " + project + until + " AND attribute = ''\n" +
		"  AND resource_id IN (SELECT resource_id FROM changes WHERE " + project + until + " AND attribute = '' AND " + value + " = 'deleted')\n" +
		"GROUP BY resource_id, at)\nGROUP BY resource_id"
	came := "SELECT resource_id, attribute\nFROM changes" + conditions(between) + q.page()
	went := "SELECT resource_id, attribute\nFROM changes\nWHERE " + project + until + q.page() +
		"\n  AND resource_id IN (SELECT resource_id FROM (" + deletions + ") WHERE forgotten > " + instant("from") + ")"
	latest := func(of string) string { return "argMaxIf(" + value + ", (at, " + value + "), " + of + ")" }
	return "SELECT resource_id, attribute, max(kind), greatest(max(at), max(forgotten)), " +
		latest("at <= "+instant("from")+" AND (attribute = '' OR at > first_forgotten)") + " AS before, " + latest("attribute = '' OR at > forgotten") + " AS after\n" +
		"FROM changes LEFT JOIN (\n" + deletions + ") AS deletions USING (resource_id)\nWHERE " + project + until +
		"\n  AND (resource_id, attribute) IN (" + came + "\nUNION DISTINCT " + went + ")\n  AND (attribute = '' OR open_at >= forgotten)" +
		"\nGROUP BY resource_id, attribute\nHAVING before != after\nORDER BY resource_id, attribute\nLIMIT " + strconv.Itoa(q.limit), args
}

// page is the condition that a difference comes after those of the page before.
func (q diffQuery) page() string {
	if q.after == nil {
		return ""
	}
	return " AND (resource_id, attribute) > ({id:String}, {attribute:String})"
}

// namesQuery selects what resources are called.
type namesQuery struct {
	project string
	ids     []string
}

// SQL returns the statement and the values bound to it.
func (q namesQuery) SQL() (string, []any) {
	return "SELECT resource_id, max(correlation_key)\nFROM changes\nWHERE project_id = {project:String}\n  AND resource_id IN {ids:Array(String)}\n  AND attribute = ''\nGROUP BY resource_id",
		[]any{clickhouse.Named("project", q.project), clickhouse.Named("ids", q.ids)}
}

// Diff lists what is not at one time as it was at an earlier one. What changed in
// between and changed back is not in it.
func (s *Store) Diff(ctx context.Context, q pipeline.DiffQuery) (page pipeline.ChangePage, err error) {
	ctx, done := s.reading(ctx, "changes")
	defer func() { done(&err) }()
	if q.ProjectID == "" || !q.From.Before(q.To) {
		return page, pipeline.Errorf(pipeline.CodeInvalid, "a difference is that of one project between an earlier and a later time")
	}
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	after, err := decodeCursor(q.Cursor, diffKey)
	if err != nil {
		return page, err
	}
	got, err := all(ctx, s, diffQuery{q, after, limit + 1}, scanDiff(q.ProjectID))
	if err != nil {
		return page, err
	}
	if len(got) > limit {
		got = got[:limit]
		page.Next = encodeCursor(got[limit-1].ResourceID, got[limit-1].Attribute)
	}
	page.Items = []pipeline.Change{}
	for _, c := range got {
		if c.What = rows.Became(c.Attribute == "", c.Before != "", c.Before, c.After); c.What != "" {
			page.Items = append(page.Items, c)
		}
	}
	return page, s.nameThem(ctx, q.ProjectID, page.Items)
}

func scanDiff(project string) func(scanner) (pipeline.Change, error) {
	return func(r scanner) (c pipeline.Change, err error) {
		var kind string
		err = r.Scan(&c.ResourceID, &c.Attribute, &kind, &c.At, &c.Before, &c.After)
		c.ProjectID, c.Kind, c.At = project, pipeline.Kind(kind), c.At.UTC()
		return c, err
	}
}

func (s *Store) nameThem(ctx context.Context, project string, cs []pipeline.Change) error {
	if len(cs) == 0 {
		return nil
	}
	keys, seen := map[string]string{}, map[string]bool{}
	q := namesQuery{project: project}
	for i := range cs {
		add(&q.ids, seen, cs[i].ResourceID)
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var id, key string
		err := r.Scan(&id, &key)
		keys[id] = key
		return struct{}{}, err
	})
	for i := range cs {
		cs[i].CorrelationKey = cmp.Or(keys[cs[i].ResourceID], cs[i].CorrelationKey)
	}
	return err
}
