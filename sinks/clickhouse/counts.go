package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// countsQuery counts everything of one project, or of all, in rows of (table,
// state, count); only executions have a state.
type countsQuery struct{ project string }

// SQL returns the statement and the values bound to it.
func (q countsQuery) SQL() (string, []any) {
	where, args := "", []any(nil)
	if q.project != "" {
		where, args = "\nWHERE project_id = {project:String}", []any{clickhouse.Named("project", q.project)}
	}
	var parts []string
	for _, table := range []string{"domains", "hosts", "ip_ranges", "ports", "websites", "finding_ids"} {
		parts = append(parts, fmt.Sprintf("SELECT '%[1]s', '', count()\nFROM %[1]s FINAL%[2]s", table, where))
	}
	parts = append(parts, "SELECT 'executions', "+element("current", "state")+" AS state, count()\nFROM executions FINAL"+where+"\nGROUP BY state")
	return strings.Join(parts, "\nUNION ALL\n"), args
}

// Counts counts what a project has; an empty id means all projects.
func (s *Store) Counts(ctx context.Context, projectID string) (c pipeline.Counts, err error) {
	ctx, done := s.reading(ctx, "counts")
	defer func() { done(&err) }()
	c.Executions = map[pipeline.State]uint64{}
	for _, state := range pipeline.States() {
		c.Executions[state] = 0
	}
	into := map[string]*uint64{
		"domains": &c.Domains, "hosts": &c.Hosts, "ip_ranges": &c.Ranges, "ports": &c.Ports, "websites": &c.Websites, "finding_ids": &c.Findings,
	}
	_, err = all(ctx, s, countsQuery{projectID}, func(r scanner) (struct{}, error) {
		var table, state string
		var n uint64
		err := r.Scan(&table, &state, &n)
		if p := into[table]; p != nil {
			*p = n
		} else if err == nil {
			c.Executions[pipeline.State(state)] += n
		}
		return struct{}{}, err
	})
	return c, err
}
