package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// purgeQuery deletes what a table has of a project.
type purgeQuery struct{ table, on, project string }

// SQL returns the statement and the values bound to it. A lightweight delete
// hides the rows at once and drops them when parts merge.
func (q purgeQuery) SQL() (string, []any) {
	return "DELETE FROM " + q.table + q.on + " WHERE project_id = {project:String}", []any{clickhouse.Named("project", q.project)}
}

// DeleteProject deletes everything of a project, in every table. Records of the
// project that are still on their way are written after it; delete again when
// none can come any more.
func (s *Store) DeleteProject(ctx context.Context, projectID string) error {
	if projectID == "" {
		return pipeline.Errorf(pipeline.CodeInvalid, "which project is to be deleted?")
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	for _, t := range s.tables() {
		sql, args := purgeQuery{t.Own(), t.Cluster.On(), projectID}.SQL()
		if err := s.conn.Exec(ctx, sql, args...); err != nil {
			return fmt.Errorf("deleting the project %s from %s: %w", projectID, t.Name, explain(err))
		}
	}
	return nil
}
