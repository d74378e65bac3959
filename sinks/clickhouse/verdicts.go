package clickhouse

import (
	"context"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// maxVerdicts bounds how many verdicts about one finding are read.
const maxVerdicts = 10_000

// verdictQuery selects what became of subscriptions for a finding. Of a finding that
// was judged twice it gives both, the later one last.
type verdictQuery struct{ project, finding string }

// SQL returns the statement and the values bound to it.
func (q verdictQuery) SQL() (string, []any) {
	return "SELECT project_id, finding_id, subscription_id, at, version, name, stage, reason, detail, execution_id\nFROM verdicts FINAL\n" +
			"WHERE project_id = {project:String}\n  AND finding_id = {finding:String}\nORDER BY at, subscription_id\nLIMIT " + strconv.Itoa(maxVerdicts),
		[]any{clickhouse.Named("project", q.project), clickhouse.Named("finding", q.finding)}
}

// Verdicts returns what was recorded of subscriptions for a finding, the oldest first.
func (s *Store) Verdicts(ctx context.Context, projectID, findingID string) (list []pipeline.StoredVerdict, err error) {
	ctx, done := s.reading(ctx, "verdicts")
	defer func() { done(&err) }()
	return all(ctx, s, verdictQuery{projectID, findingID}, func(r scanner) (v pipeline.StoredVerdict, err error) {
		err = r.Scan(&v.ProjectID, &v.FindingID, &v.SubscriptionID, &v.At, &v.Version, &v.Name, &v.Stage, &v.Reason, &v.Detail, &v.ExecutionID)
		v.At = v.At.UTC()
		return v, err
	})
}

// Finding returns one stored finding of those that q may see, by its id; of one that
// was accepted twice, the first.
func (s *Store) Finding(ctx context.Context, q pipeline.FindingQuery, id string) (f pipeline.StoredFinding, err error) {
	ctx, done := s.reading(ctx, "findings")
	defer func() { done(&err) }()
	q.Text, q.Sort = "id:"+id, "at"
	sel, err := s.findingQuery(q, 0)
	if err != nil {
		return f, err
	}
	list, err := all(ctx, s, sel, scanFinding)
	if err == nil && len(list) == 0 {
		err = pipeline.Errorf(pipeline.CodeNotFound, "no finding has the id %s", id)
	}
	if err != nil {
		return f, err
	}
	return list[0], nil
}
