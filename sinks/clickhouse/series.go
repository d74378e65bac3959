package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// Bounds of series.
const (
	maxStretches = 2000
	maxLines     = 20
)

// cameAt is when a thing of a kind came.
func cameAt(kind pipeline.Kind) string {
	switch kind {
	case filter.Finding:
		return "at"
	case filter.Execution:
		return "queued_at"
	default:
		return "first_seen"
	}
}

// startOf is the beginning of the stretch in which an instant lies, as
// pipeline.Step.Floor has it.
func startOf(step pipeline.Step, at string) string {
	fn := map[pipeline.Step]string{
		pipeline.StepMinute: "toStartOfMinute", pipeline.StepHour: "toStartOfHour", pipeline.StepDay: "toStartOfDay",
		pipeline.StepWeek: "toMonday", pipeline.StepMonth: "toStartOfMonth",
	}[step]
	return "toInt64(toUnixTimestamp(toDateTime(" + fn + "(" + at + "), 'UTC')))"
}

// between limits a selection to what came in a time.
func (q selection) between(since, until time.Time) (string, []any) {
	at := cameAt(q.kind)
	from, args := q.from(at+" >= "+instant("since"), at+" < "+instant("until"))
	return from, append(args, clickhouse.Named("since", millis(since)), clickhouse.Named("until", millis(until)))
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// seriesQuery counts what came in each stretch, of each value when there is an
// expression for values.
type seriesQuery struct {
	selection
	step         pipeline.Step
	since, until time.Time
	value        string   // an array of texts per row; "" counts every row once
	values       []string // those that are counted
	distinct     bool     // rows can be there twice: count ids
}

// SQL returns the statement and the values bound to it.
func (q seriesQuery) SQL() (string, []any) {
	from, args := q.between(q.since, q.until)
	count, value, having := "count()", "''", ""
	if q.distinct {
		count = "uniqExact(id)"
	}
	if q.value != "" {
		value, having = "arrayJoin("+q.value+")", "\nHAVING value IN {values:Array(String)}"
		args = append(args, clickhouse.Named("values", q.values))
	}
	return fmt.Sprintf("SELECT %s AS stretch, %s AS value, %s\n%s\nGROUP BY stretch, value%s", startOf(q.step, cameAt(q.kind)), value, count, from, having), args
}

// topQuery picks the values of a field that came most often in a time.
type topQuery struct {
	selection
	since, until time.Time
	value        string
	limit        int
}

// SQL returns the statement and the values bound to it.
func (q topQuery) SQL() (string, []any) {
	from, args := q.between(q.since, q.until)
	return fmt.Sprintf("SELECT arrayJoin(%s) AS value\n%s\nGROUP BY value\nHAVING value != ''\nORDER BY count() DESC, value\nLIMIT %d", q.value, from, q.limit), args
}

// Series counts when the things of a list came.
func (s *Store) Series(ctx context.Context, q pipeline.SeriesQuery) (out pipeline.Series, err error) {
	ctx, done := s.reading(ctx, "series")
	defer func() { done(&err) }()
	if err := s.checkSeries(&q); err != nil {
		return out, err
	}
	sel, err := s.selection(q.Kind, scope{q.ProjectID, q.Visible}, q.Text)
	if err != nil {
		return out, err
	}
	out = pipeline.Series{Step: q.Step, Since: q.Since, Until: q.Until, Values: []pipeline.SeriesValue{}}
	for at := q.Step.Floor(q.Since); at.Before(q.Until); at = q.Step.Next(at) {
		out.At = append(out.At, at)
	}
	out.Counts = make([]uint64, len(out.At))
	base := seriesQuery{selection: sel, step: q.Step, since: q.Since, until: q.Until}
	if q.Kind == filter.Finding {
		if base.distinct, err = s.repeated(ctx, sel.scope); err != nil {
			return out, err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		lines, err := s.lines(gctx, base, &out, []string{""})
		if err == nil {
			out.Counts, out.Total = lines[0].Counts, lines[0].Total
		}
		return err
	})
	if q.Field != "" {
		g.Go(func() (err error) {
			split := base
			split.value = facetOf(q.Kind, q.Field)
			top := topQuery{sel, q.Since, q.Until, split.value, q.Limit}
			if split.values, err = all(gctx, s, top, func(r scanner) (v string, err error) { return v, r.Scan(&v) }); err != nil || len(split.values) == 0 {
				return err
			}
			out.Values, err = s.lines(gctx, split, &out, split.values)
			return err
		})
	}
	return out, g.Wait()
}

// lines reads one line of numbers for each value.
func (s *Store) lines(ctx context.Context, q seriesQuery, of *pipeline.Series, values []string) ([]pipeline.SeriesValue, error) {
	at := make(map[int64]int, len(of.At))
	for i, t := range of.At {
		at[t.Unix()] = i
	}
	lines, by := make([]pipeline.SeriesValue, len(values)), map[string]int{}
	for i, v := range values {
		lines[i], by[v] = pipeline.SeriesValue{Value: v, Counts: make([]uint64, len(of.At))}, i
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var stretch int64
		var value string
		var n uint64
		err := r.Scan(&stretch, &value, &n)
		i, known := by[value]
		k, inside := at[stretch]
		if err == nil && known && inside {
			lines[i].Counts[k] += n
			lines[i].Total += n
		}
		return struct{}{}, err
	})
	return lines, err
}

// checkSeries fills in what was left out and keeps the bounds.
func (s *Store) checkSeries(q *pipeline.SeriesQuery) error {
	if q.Until.IsZero() {
		q.Until = s.now()
	}
	if q.Since.IsZero() {
		q.Since = q.Until.AddDate(0, 0, -30)
	}
	q.Since, q.Until = q.Since.UTC().Truncate(time.Millisecond), q.Until.UTC().Truncate(time.Millisecond)
	if !q.Since.Before(q.Until) {
		return pipeline.Errorf(pipeline.CodeInvalid, "since %s is not before until %s", q.Since.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	if q.Step == "" {
		q.Step = stepFor(q.Until.Sub(q.Since))
	}
	least, known := shortest[q.Step]
	if !known {
		return pipeline.Errorf(pipeline.CodeInvalid, "step: %q is none of %v", q.Step, pipeline.Steps())
	}
	if n := q.Until.Sub(q.Since) / least; n > maxStretches {
		return pipeline.Errorf(pipeline.CodeInvalid, "step: %q gives %d numbers, at most %d are given: take a longer one", q.Step, n, maxStretches)
	}
	if q.Limit == 0 {
		q.Limit = 5
	}
	if q.Limit < 0 || q.Limit > maxLines {
		return pipeline.Errorf(pipeline.CodeInvalid, "limit %d is not within 1..%d", q.Limit, maxLines)
	}
	if q.Field == "" {
		return nil
	}
	if f := filter.Lookup(q.Kind, q.Field); f != nil && f.Facet && facetOf(q.Kind, f.Name) != "" {
		q.Field = f.Name
		return nil
	}
	return pipeline.Errorf(pipeline.CodeInvalid, "a series of a %s is not split by %q; what it can be split by: %s", q.Kind, q.Field, splitNames(q.Kind))
}

// shortest is the least a step lasts.
var shortest = map[pipeline.Step]time.Duration{
	pipeline.StepMinute: time.Minute, pipeline.StepHour: time.Hour, pipeline.StepDay: 24 * time.Hour,
	pipeline.StepWeek: 7 * 24 * time.Hour, pipeline.StepMonth: 28 * 24 * time.Hour,
}

func stepFor(d time.Duration) pipeline.Step {
	for _, step := range pipeline.Steps() {
		if d/shortest[step] <= 62 {
			return step
		}
	}
	return pipeline.StepMonth
}

func splitNames(kind pipeline.Kind) string {
	names := slices.DeleteFunc(facetNames(kind), func(n string) bool { return facetOf(kind, n) == "" })
	return strings.Join(names, ", ")
}
