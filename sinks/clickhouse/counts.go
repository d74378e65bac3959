package clickhouse

import (
	"context"
	"errors"
	"maps"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
)

// countQuery counts what a table holds of one project, or of all.
type countQuery struct{ table, project string }

// SQL returns the statement and the values bound to it.
func (q countQuery) SQL() (string, []any) {
	where, args := inProject(q.project)
	if q.table != "finding_ids" {
		where = append(where, visible)
	}
	return "SELECT count()\nFROM " + q.table + " FINAL" + conditions(where), args
}

// statesQuery counts the executions of one project, or of all, by state.
type statesQuery struct{ project string }

// SQL returns the statement and the values bound to it.
func (q statesQuery) SQL() (string, []any) {
	where, args := inProject(q.project)
	return "SELECT " + element("current", "state") + " AS state, count()\nFROM executions FINAL" + conditions(where) + "\nGROUP BY state", args
}

func inProject(project string) ([]string, []any) { return scope{project: project}.conditions() }

// scope is the projects that are read: one, those of a list, or all when that is
// nil.
type scope struct {
	project string
	visible []string
}

func (s scope) conditions() ([]string, []any) {
	switch {
	case s.project != "":
		return []string{"project_id = {project:String}"}, []any{clickhouse.Named("project", s.project)}
	case s.visible != nil:
		return []string{"project_id IN {visible:Array(String)}"}, []any{clickhouse.Named("visible", s.visible)}
	default:
		return nil, nil
	}
}

// Counts counts what a project has; an empty id means all projects.
func (s *Store) Counts(ctx context.Context, projectID string) (c pipeline.Counts, err error) {
	tables := []string{"domains", "hosts", "ip_ranges", "ports", "websites", "finding_ids", "executions"}
	c, err = shared(ctx, s, countQuery{project: projectID}, tables, func(ctx context.Context) (pipeline.Counts, error) { return s.readCounts(ctx, projectID) })
	c.Executions = maps.Clone(c.Executions)
	return c, err
}

func (s *Store) readCounts(ctx context.Context, projectID string) (c pipeline.Counts, err error) {
	ctx, done := s.reading(ctx, "counts")
	defer func() { done(&err) }()
	g, ctx := errgroup.WithContext(ctx)
	for table, into := range map[string]*uint64{
		"domains": &c.Domains, "hosts": &c.Hosts, "ip_ranges": &c.Ranges, "ports": &c.Ports, "websites": &c.Websites, "finding_ids": &c.Findings,
	} {
		g.Go(func() (err error) {
			*into, err = s.total(ctx, countQuery{table, projectID}, table)
			return err
		})
	}
	c.Executions = map[pipeline.State]uint64{}
	for _, state := range pipeline.States() {
		c.Executions[state] = 0
	}
	_, err = all(ctx, s, statesQuery{projectID}, func(r scanner) (struct{}, error) {
		var state string
		var n uint64
		err := r.Scan(&state, &n)
		c.Executions[pipeline.State(state)] += n
		return struct{}{}, err
	})
	return c, errors.Join(err, g.Wait())
}
