package clickhouse

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// pictureQuery selects the data of one image of a finding.
type pictureQuery struct {
	project, finding string
	n                int
}

// SQL returns the statement and the values bound to it. Few findings have images:
// their number is a column that costs next to nothing to read, and leaves few rows of
// which the id, and one of which the image is read.
func (q pictureQuery) SQL() (string, []any) {
	return "SELECT images[{n:UInt32} + 1]\nFROM findings\nPREWHERE project_id = {project:String} AND images.size0 > {n:UInt32}\nWHERE id = {id:String}\nLIMIT 1",
		[]any{clickhouse.Named("n", q.n), clickhouse.Named("project", q.project), clickhouse.Named("id", q.finding)}
}

// Picture returns the nth image of a finding of a project, counting from 0, as the
// data URL that the job sent.
func (s *Store) Picture(ctx context.Context, projectID, findingID string, n int) (data string, err error) {
	ctx, done := s.reading(ctx, "findings")
	defer func() { done(&err) }()
	text, args := pictureQuery{projectID, findingID, n}.SQL()
	err = s.conn.QueryRow(ctx, text, args...).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", pipeline.Errorf(pipeline.CodeNotFound, "the finding %s has no image %d", findingID, n)
	}
	return data, err
}
