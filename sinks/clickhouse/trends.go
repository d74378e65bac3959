package clickhouse

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// period is a moment and the one as long before it.
type period struct{ since, before time.Time }

func (p period) bind() []any {
	return []any{clickhouse.Named("since", millis(p.since)), clickhouse.Named("before", millis(p.before))}
}

// newer counts what came since a moment, and in the time before.
func newer(at string) string {
	return fmt.Sprintf("countIf(%[1]s >= %[2]s), countIf(%[1]s >= %[3]s AND %[1]s < %[2]s)", at, instant("since"), instant("before"))
}

// trendQuery counts the resources of one kind, and the new among them.
type trendQuery struct {
	selection
	period
}

// SQL returns the statement and the values bound to it.
func (q trendQuery) SQL() (string, []any) {
	from, args := q.from()
	return "SELECT count(), " + newer(cameAt(q.kind)) + "\n" + from, append(args, q.bind()...)
}

// findingTrendQuery counts findings, each once.
type findingTrendQuery struct {
	scope
	period
}

// SQL returns the statement and the values bound to it.
func (q findingTrendQuery) SQL() (string, []any) {
	where, args := q.conditions()
	return "SELECT count(), " + newer("at") + "\nFROM finding_ids FINAL" + conditions(where), append(args, q.bind()...)
}

// stateTrendQuery counts executions by state.
type stateTrendQuery struct {
	scope
	period
}

// SQL returns the statement and the values bound to it.
func (q stateTrendQuery) SQL() (string, []any) {
	where, args := q.conditions()
	return "SELECT " + currentState + " AS state, count(), " + newer("queued_at") + "\nFROM executions FINAL" + conditions(where) + "\nGROUP BY state", append(args, q.bind()...)
}

// certificateQuery counts the certificates of websites that are there, by their
// fingerprints.
type certificateQuery struct {
	scope
	now time.Time
}

// SQL returns the statement and the values bound to it.
func (q certificateQuery) SQL() (string, []any) {
	where, args := q.conditions()
	fingerprint, ends := certificatePart("fingerprint"), certificatePart("notAfter")
	where = append(where, visible, "looked_at <= last_seen", valueOf("certificate")+" != ''", ends+" > '0001-01-02'")
	return fmt.Sprintf("SELECT uniqExact(%[1]s), uniqExactIf(%[1]s, %[2]s < {now:String}), uniqExactIf(%[1]s, %[2]s >= {now:String} AND %[2]s < {soon:String})\nFROM websites FINAL%[3]s",
		fingerprint, ends, conditions(where)), append(args, clickhouse.Named("now", stamp(q.now.UnixMilli())), clickhouse.Named("soon", stamp(q.now.AddDate(0, 0, 30).UnixMilli())))
}

// Trends counts what there is and what is new.
func (s *Store) Trends(ctx context.Context, q pipeline.TrendQuery) (out pipeline.Trends, err error) {
	ctx, done := s.reading(ctx, "trends")
	defer func() { done(&err) }()
	now := s.now().UTC().Truncate(time.Millisecond)
	if q.Since.IsZero() {
		q.Since = now.AddDate(0, 0, -7)
	}
	if !q.Since.Before(now) {
		return out, pipeline.Errorf(pipeline.CodeInvalid, "since %s is not in the past", q.Since.Format(time.RFC3339))
	}
	out.Since, out.Until, out.Before = q.Since.UTC(), now, q.Since.Add(-now.Sub(q.Since)).UTC()
	sc, p := scope{q.ProjectID, q.Visible}, period{out.Since, out.Before}
	g, ctx := errgroup.WithContext(ctx)
	for kind, into := range map[pipeline.Kind]*pipeline.Trend{
		pipeline.KindDomain: &out.Domains, pipeline.KindHost: &out.Hosts, pipeline.KindRange: &out.Ranges,
		pipeline.KindPort: &out.Ports, pipeline.KindWebsite: &out.Websites,
	} {
		g.Go(func() error {
			return s.three(ctx, trendQuery{selection{kind: kind, scope: sc}, p}, &into.Total, &into.New, &into.Previous)
		})
	}
	g.Go(func() error {
		return s.three(ctx, findingTrendQuery{sc, p}, &out.Findings.Total, &out.Findings.New, &out.Findings.Previous)
	})
	c := &out.Certificates
	g.Go(func() error { return s.three(ctx, certificateQuery{sc, now}, &c.Total, &c.Expired, &c.Soon) })
	g.Go(func() (err error) {
		out.Executions, err = s.stateTrends(ctx, stateTrendQuery{sc, p})
		return err
	})
	return out, g.Wait()
}

// three reads the one row of a statement that counts three things.
func (s *Store) three(ctx context.Context, q statement, a, b, c *uint64) error {
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) { return struct{}{}, r.Scan(a, b, c) })
	return err
}

func (s *Store) stateTrends(ctx context.Context, q stateTrendQuery) (map[pipeline.State]pipeline.Trend, error) {
	out := map[pipeline.State]pipeline.Trend{}
	for _, state := range pipeline.States() {
		out[state] = pipeline.Trend{}
	}
	_, err := all(ctx, s, q, func(r scanner) (struct{}, error) {
		var state string
		var t pipeline.Trend
		err := r.Scan(&state, &t.Total, &t.New, &t.Previous)
		if _, known := out[pipeline.State(state)]; known {
			out[pipeline.State(state)] = t
		}
		return struct{}{}, err
	})
	return out, err
}

// jobStatsQuery says how the executions of jobs went, the jobs that took most time
// first.
type jobStatsQuery struct {
	selection
	since time.Time
	limit int
}

// SQL returns the statement and the values bound to it.
func (q jobStatsQuery) SQL() (string, []any) {
	from, args := q.from("queued_at >= " + instant("since"))
	took := hasEnded + " AND " + hasStarted
	return fmt.Sprintf("SELECT job, count() AS n, sumMap(map(%[1]s, toUInt64(1))) AS by_state, quantilesExactIf(0.5, 0.95, 1)(toFloat64(%[2]s) / 1000, %[3]s) AS parts, sumIf(toFloat64(%[2]s) / 1000, %[3]s) AS seconds\n%[4]s\nGROUP BY job\nORDER BY seconds DESC, n DESC, job\nLIMIT %[5]d",
		currentState, tookMillis, took, from, q.limit), append(args, clickhouse.Named("since", millis(q.since)))
}

// JobStats says how jobs did, those that took most time first.
func (s *Store) JobStats(ctx context.Context, q pipeline.JobStatsQuery) (out []pipeline.JobStats, err error) {
	ctx, done := s.reading(ctx, "job_stats")
	defer func() { done(&err) }()
	if q.Since.IsZero() {
		q.Since = s.now().AddDate(0, 0, -7)
	}
	if q.Limit == 0 {
		q.Limit = 20
	}
	if q.Limit < 0 || q.Limit > 100 {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "limit %d is not within 1..100", q.Limit)
	}
	sel, err := s.selection(filter.Execution, scope{q.ProjectID, q.Visible}, q.Text)
	if err != nil {
		return nil, err
	}
	return all(ctx, s, jobStatsQuery{sel, q.Since, q.Limit}, scanJobStats)
}

func scanJobStats(r scanner) (j pipeline.JobStats, err error) {
	states, parts := map[string]uint64{}, []float64{}
	if err := r.Scan(&j.Job, &j.Executions, &states, &parts, &j.Seconds); err != nil {
		return j, err
	}
	j.States = map[pipeline.State]uint64{}
	for _, s := range pipeline.States() {
		j.States[s] = states[string(s)]
	}
	for i, into := range []*float64{&j.Median, &j.P95, &j.Max} {
		if i < len(parts) && !math.IsNaN(parts[i]) { // none ended
			*into = max(parts[i], 0)
		}
	}
	return j, nil
}
