package v1

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

// numbers is a store that answers with what it was asked.
type numbers struct {
	shelf
	series *pipeline.SeriesQuery
	trends *pipeline.TrendQuery
	jobs   *pipeline.JobStatsQuery
}

func (n numbers) Series(_ context.Context, q pipeline.SeriesQuery) (pipeline.Series, error) {
	*n.series = q
	at := []time.Time{time.Unix(0, 0).UTC()}
	return pipeline.Series{Step: pipeline.StepDay, Since: at[0], Until: at[0], At: at, Counts: []uint64{1}, Total: 1, Values: []pipeline.SeriesValue{{Value: "ssh", Counts: []uint64{1}, Total: 1}}}, nil
}

func (n numbers) Trends(_ context.Context, q pipeline.TrendQuery) (pipeline.Trends, error) {
	*n.trends = q
	return pipeline.Trends{Executions: map[pipeline.State]pipeline.Trend{pipeline.StateFailed: {Total: 3, New: 1}}}, nil
}

func (n numbers) JobStats(_ context.Context, q pipeline.JobStatsQuery) ([]pipeline.JobStats, error) {
	*n.jobs = q
	return []pipeline.JobStats{{Job: "Scan", Executions: 2, States: map[pipeline.State]uint64{pipeline.StateFailed: 2}, Median: 1.5}}, nil
}

func TestAnalyticsAskTheStoreForWhatTheCallerMaySee(t *testing.T) {
	n := numbers{series: new(pipeline.SeriesQuery), trends: new(pipeline.TrendQuery), jobs: new(pipeline.JobStatsQuery)}
	w := newWorld(t, n)
	var own, foreign pipeline.Project
	w.operator().must("POST", "/projects", map[string]any{"name": "Own"}, &own)
	w.operator().must("POST", "/projects", map[string]any{"name": "Foreign"}, &foreign)
	c := w.person("a@example.com")
	w.operator().must("PUT", "/projects/"+own.ID+"/members/user/"+c.id, map[string]any{"role": auth.RoleViewer}, nil)
	c.must("GET", "/ports/series?field=service&limit=3&step=week&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z&q=port:22%20project:Own", nil, nil)
	want := pipeline.SeriesQuery{
		Kind: pipeline.KindPort, Visible: []string{own.ID}, Text: "port:22 project.id:" + own.ID, Field: "service", Limit: 3, Step: pipeline.StepWeek,
		Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	if d := cmp.Diff(*n.series, want); d != "" {
		t.Errorf("series (-got +want):\n%s", d)
	}
	for _, path := range []string{"/findings/series", "/trends", "/executions/jobs?q=job:Scan*&limit=5"} {
		c.must("GET", path, nil, nil)
		c.refused(404, "no project", "GET", path+map[bool]string{true: "&", false: "?"}[path[len(path)-1] == '5']+"project="+foreign.ID, nil)
	}
	if n.series.Kind != filter.Finding || cmp.Diff(n.trends.Visible, []string{own.ID}) != "" || n.jobs.Text != "job:Scan*" || n.jobs.Limit != 5 {
		t.Errorf("%+v %+v %+v", n.series, n.trends, n.jobs)
	}
	c.refused(400, "no time", "GET", "/trends?since=yesterday", nil)
	c.refused(400, "colour", "GET", "/hosts/series?q=colour:red", nil)
	c.refused(400, "step", "GET", "/hosts/series?step=year", nil)
	(&client{w: w}).refused(401, "", "GET", "/trends", nil)
}
