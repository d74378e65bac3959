package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
)

// levels are the log levels from least to most severe; a line's is stored by its
// position here.
var levels = pipeline.Levels()

// logKey orders lines; the cursor holds its value.
var logKey = []keyColumn{{"position", "Int64"}}

// logQuery selects lines of one execution's log in the order they arrived.
type logQuery struct {
	execution string
	level     int
	text      string
	after     []string
	limit     int
}

// SQL returns the statement and the values bound to it.
func (q logQuery) SQL() (string, []any) {
	where, args := q.where()
	if q.after != nil {
		where = append(where, "position > {position:Int64}")
		args = append(args, clickhouse.Named("position", q.after[0]))
	}
	return fmt.Sprintf("SELECT execution_id, project_id, attempt, stream, seq, position, at, level, text\nFROM logs FINAL%s\nORDER BY position\nLIMIT %d",
		conditions(where), q.limit), args
}

func (q logQuery) where() (where []string, args []any) {
	where = []string{"execution_id = {execution:String}"}
	args = []any{clickhouse.Named("execution", q.execution)}
	if q.level > 0 {
		where = append(where, "level >= {level:UInt8}")
		args = append(args, clickhouse.Named("level", strconv.Itoa(q.level)))
	}
	if q.text != "" {
		where = append(where, "positionCaseInsensitiveUTF8(text, {text:String}) > 0")
		args = append(args, clickhouse.Named("text", q.text))
	}
	return where, args
}

// logLevels counts the lines that a logQuery selects over all pages, and those it
// would select if it asked for another level, by level.
type logLevels struct{ of logQuery }

// SQL returns the statement and the values bound to it.
func (q logLevels) SQL() (string, []any) {
	q.of.level = 0
	where, args := q.of.where()
	return "SELECT level, count()\nFROM logs FINAL" + conditions(where) + "\nGROUP BY level", args
}

// logRow is a line and where it stands.
type logRow struct {
	line     pipeline.LogLine
	position int64
}

// Logs reads the log of one execution, in the order in which its lines arrived.
func (s *Store) Logs(ctx context.Context, q pipeline.LogQuery) (page pipeline.LogPage, err error) {
	ctx, done := s.reading(ctx, "logs")
	defer func() { done(&err) }()
	limit, err := pageSize(q.Limit)
	if err != nil {
		return page, err
	}
	after, err := decodeCursor(q.After, logKey)
	if err != nil {
		return page, err
	}
	level := slices.Index(levels, q.Level)
	if level < 0 && q.Level != "" {
		return page, pipeline.Errorf(pipeline.CodeInvalid, "level %q is none of %v", q.Level, levels)
	}
	if q.ExecutionID == "" {
		return page, pipeline.Errorf(pipeline.CodeInvalid, "the log of which execution?")
	}
	sel := logQuery{execution: q.ExecutionID, level: max(level, 0), text: q.Text, after: after, limit: limit}
	var found []logRow
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		page.Levels, page.Total, err = s.logLevels(gctx, sel)
		return err
	})
	g.Go(func() (err error) {
		found, err = all(gctx, s, sel, scanLine)
		return err
	})
	if err := g.Wait(); err != nil {
		return pipeline.LogPage{}, err
	}
	page.Items, page.Places, page.Next = make([]pipeline.LogLine, len(found)), make([]string, len(found)), q.After
	for i, r := range found {
		page.Items[i], page.Places[i] = r.line, encodeCursor(strconv.FormatInt(r.position, 10))
	}
	if len(found) > 0 {
		page.Next = page.Places[len(found)-1]
	}
	return page, nil
}

// logLevels counts by level; the total is of those that are asked for.
func (s *Store) logLevels(ctx context.Context, q logQuery) (counts map[pipeline.Level]uint64, total uint64, err error) {
	counts = map[pipeline.Level]uint64{}
	for _, l := range levels {
		counts[l] = 0
	}
	_, err = all(ctx, s, logLevels{q}, func(r scanner) (struct{}, error) {
		var level uint8
		var n uint64
		err := r.Scan(&level, &n)
		at := min(int(level), len(levels)-1)
		counts[levels[at]] += n
		if at >= q.level {
			total += n
		}
		return struct{}{}, err
	})
	return counts, total, err
}

func scanLine(r scanner) (l logRow, err error) {
	var (
		attempt uint32
		stream  string
		level   uint8
	)
	if err := r.Scan(&l.line.ExecutionID, &l.line.ProjectID, &attempt, &stream, &l.line.Seq, &l.position, &l.line.At, &level, &l.line.Text); err != nil {
		return l, err
	}
	l.line.Attempt, l.line.Stream, l.line.At = int(attempt), pipeline.Stream(stream), l.line.At.UTC()
	l.line.Level = levels[min(int(level), len(levels)-1)]
	return l, nil
}
