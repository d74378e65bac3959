package clickhouse

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// reappeared collects the resources that may have been seen after they were deleted,
// with when that was; 0 when something is in doubt for another reason. Whoever wrote
// that they were seen may not have known, and left out of the history what was so
// before already.
type reappeared struct {
	projects []string
	since    map[pipeline.Kind]map[string]int64
	seen     map[string]bool
}

func newReappeared() *reappeared {
	return &reappeared{since: map[pipeline.Kind]map[string]int64{}, seen: map[string]bool{}}
}

func (a *reappeared) add(project string, kind pipeline.Kind, id string, deleted int64) {
	add(&a.projects, a.seen, project)
	if a.since[kind] == nil {
		a.since[kind] = map[string]int64{}
	}
	a.since[kind][id] = max(a.since[kind][id], deleted)
}

// againQuery selects what is known of resources of a kind, and since when.
type againQuery struct {
	kind          pipeline.Kind
	projects, ids []string
}

// knownOf are the values of a kind, as (attribute, version, text), and what websites
// were said to use.
func knownOf(kind pipeline.Kind) (values, used string) {
	used = "CAST(map(), 'Map(String, Int64)')"
	var parts []string
	value := func(text string, columns ...string) {
		for _, c := range columns {
			e := "max(" + c + ")"
			parts = append(parts, "('"+c+"', tupleElement("+e+", 'version'), "+strings.ReplaceAll(text, "?", "tupleElement("+e+", 'value')")+")")
		}
	}
	switch kind {
	default:
	case pipeline.KindHost:
		value("?", "os")
	case pipeline.KindPort:
		value("?", "service", "product", "version")
	case pipeline.KindWebsite:
		value("?", "title", "server", "certificate")
		value("if(? > 0, toString(?), '')", "status")
		value("if(? = 1, 'true', 'false')", "ssl")
		used = "maxMap(technologies_said)"
	}
	return "CAST([" + strings.Join(parts, ", ") + "], 'Array(Tuple(attribute String, version UInt64, text String))')", used
}

// SQL returns the statement and the values bound to it.
func (q againQuery) SQL() (string, []any) {
	values, used := knownOf(q.kind)
	return "SELECT project_id, id, max(last_seen), max(deleted_at), " + values + ", " + used + "\nFROM " + tableOf(q.kind) +
			"\nWHERE project_id IN {projects:Array(String)}\n  AND id IN {ids:Array(String)}\nGROUP BY project_id, id\nHAVING " + visibleGrouped,
		[]any{clickhouse.Named("projects", q.projects), clickhouse.Named("ids", q.ids)}
}

// again says in the history that resources are there again, and what they are.
func (s *Store) again(ctx context.Context, a *reappeared, out *rows.Batch) error {
	for kind, since := range a.since {
		q := againQuery{kind: kind, projects: a.projects}
		for id := range since {
			q.ids = append(q.ids, id)
		}
		_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
			c := rows.Change{Kind: kind}
			var last, deleted time.Time
			var values []struct {
				Attribute string `ch:"attribute"`
				Version   uint64 `ch:"version"`
				Text      string `ch:"text"`
			}
			var used map[string]int64
			if err := r.Scan(&c.ProjectID, &c.ResourceID, &last, &deleted, &values, &used); err != nil {
				return struct{}{}, err
			}
			cut := max(deleted.UnixMilli(), since[c.ResourceID])
			say := func(attribute string, at int64, value string) {
				if at > cut && value != "" {
					c.Attribute, c.At, c.Value = attribute, at, value
					out.Changes = append(out.Changes, c)
				}
			}
			say("", last.UnixMilli(), rows.Open)
			for _, v := range values {
				say(v.Attribute, rows.At(v.Version), rows.Said(v.Attribute, v.Text))
			}
			for t, at := range used {
				say(rows.Technology(t), at, "yes")
			}
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
