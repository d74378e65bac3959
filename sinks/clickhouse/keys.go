package clickhouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
)

// manyQuery selects resources of a project by their ids.
type manyQuery struct {
	table   string
	columns []selected
	project string
	ids     []string
}

// SQL returns the statement and the values bound to it.
func (q manyQuery) SQL() (string, []any) {
	return "SELECT " + expressions(q.columns, selected.final) + "\nFROM " + q.table + " FINAL\nWHERE project_id = {project:String}\n  AND id IN {ids:Array(String)}\n  AND " +
			visible + "\nSETTINGS use_skip_indexes_if_final = 1",
		[]any{clickhouse.Named("project", q.project), clickhouse.Named("ids", q.ids)}
}

// keysAtOnce bounds how many ids one statement asks for.
const keysAtOnce = 1000

// Keys returns the correlation keys, by id, of the resources of a kind that a project
// shows. An id that is missing is of no such resource.
func (s *Store) Keys(ctx context.Context, projectID string, kind pipeline.Kind, ids []string) (map[string]string, error) {
	switch kind {
	case pipeline.KindDomain:
		return keys(ctx, s, domainKind, projectID, ids)
	case pipeline.KindHost:
		return keys(ctx, s, hostKind, projectID, ids)
	case pipeline.KindRange:
		return keys(ctx, s, rangeKind, projectID, ids)
	case pipeline.KindPort:
		return keys(ctx, s, portKind, projectID, ids)
	case pipeline.KindWebsite:
		return keys(ctx, s, websiteKind, projectID, ids)
	default:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "%q is no kind of resource", kind)
	}
}

func keys[T any](ctx context.Context, s *Store, k *resource[T], project string, ids []string) (out map[string]string, err error) {
	ctx, done := s.reading(ctx, k.table)
	defer func() { done(&err) }()
	out = make(map[string]string, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), keysAtOnce)
		found, err := all(ctx, s, manyQuery{k.table, k.columns, project, ids[:n]}, k.scan)
		if err != nil {
			return nil, err
		}
		for i := range found {
			seen := k.seen(&found[i])
			out[seen.ID] = seen.CorrelationKey
		}
		ids = ids[n:]
	}
	return out, nil
}
