package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// A series is compared with what a loop counts over the same rows.
func TestSeriesCountWhatCameWhen(t *testing.T) {
	s := clickhousetest.Open(t)
	rng := rand.New(rand.NewPCG(1, 2))
	services := []string{"http", "ssh", "dns", "", "smtp", "mysql", "redis"}
	type came struct {
		at      time.Time
		service string
	}
	var all []came
	b := &rows.Batch{}
	for i := range 500 {
		ms := rng.Int64N(90 * 24 * time.Hour.Milliseconds())
		service := services[min(rng.IntN(12), 6)]
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		key := fmt.Sprintf("project:p1;host:%s;port:80;protocol:tcp", addr)
		p := rows.Port{Seen: seen("p1", key, ms, ms), Addr: addr, Port: 80, Protocol: pipeline.TCP, Service: value(1, service)}
		b.Ports = append(b.Ports, p)
		all = append(all, came{at(ms), service})
	}
	b.Ports = append(b.Ports, rows.Port{Seen: seen("p2", "x", 0, 0), Addr: v4, Port: 80, Protocol: pipeline.TCP})
	write(t, s, b, b) // once more: not merged yet
	for _, q := range []pipeline.SeriesQuery{
		{Step: pipeline.StepDay},
		{Step: pipeline.StepWeek, Field: "service", Limit: 3},
		{Step: pipeline.StepMonth, Text: "service:http"},
		{Step: pipeline.StepHour, Since: at(0).AddDate(0, 0, 3), Until: at(0).AddDate(0, 0, 5), Field: "port.service"},
		{},
	} {
		q.Kind, q.ProjectID = pipeline.KindPort, "p1"
		if q.Until.IsZero() {
			q.Since, q.Until = at(0).Add(-time.Hour), at(0).AddDate(0, 0, 91)
		}
		got := get[pipeline.Series](t)(s.Series(t.Context(), q))
		want := pipeline.Series{Step: got.Step, Since: q.Since, Until: q.Until, At: got.At, Counts: make([]uint64, len(got.At)), Values: got.Values}
		values := map[string]uint64{}
		for _, c := range all {
			if c.at.Before(q.Since) || !c.at.Before(q.Until) || q.Text != "" && c.service != "http" {
				continue
			}
			for i, from := range got.At {
				if !c.at.Before(from) && c.at.Before(got.Step.Next(from)) {
					want.Counts[i]++
					want.Total++
				}
			}
			values[c.service]++
		}
		if d := cmp.Diff(got, want); d != "" || want.Total == 0 || len(got.At) < 2 {
			t.Errorf("%+v (-got +want):\n%s", q, d)
		}
		if q.Field == "" != (len(got.Values) == 0) || q.Limit > 0 && len(got.Values) != q.Limit {
			t.Errorf("%+v: %d lines", q, len(got.Values))
		}
		for i, v := range got.Values {
			var sum uint64
			for _, n := range v.Counts {
				sum += n
			}
			if v.Value == "" || v.Total != values[v.Value] || sum != v.Total || i > 0 && v.Total > got.Values[i-1].Total {
				t.Errorf("%s: %d, counted %d", v.Value, v.Total, values[v.Value])
			}
		}
	}
}

func TestSeriesOfFindingsCountEachOnce(t *testing.T) {
	s := clickhousetest.Open(t)
	f := rows.Finding{ID: "f1", ProjectID: "p1", At: day, Type: "CustomFinding", Key: "K", CorrelationKey: "k", Source: "job"}
	again, other := f, f
	again.At, other.ID, other.Key = day+5, "f2", "L"
	write(t, s, &rows.Batch{Findings: []rows.Finding{f, other}}, &rows.Batch{Findings: []rows.Finding{again}})
	got := get[pipeline.Series](t)(s.Series(t.Context(), pipeline.SeriesQuery{Kind: filter.Finding, ProjectID: "p1", Field: "key", Since: at(-5), Until: at(time.Hour.Milliseconds())}))
	if got.Total != 2 || len(got.Values) != 2 || got.Values[0].Total != 1 || got.Step != pipeline.StepMinute {
		t.Errorf("%+v", got)
	}
}

func TestSeriesRefuseWhatTheyCannotShow(t *testing.T) {
	s := clickhousetest.Open(t)
	for words, q := range map[string]pipeline.SeriesQuery{
		"not before":      {Since: at(1), Until: at(1)},
		"take a longer":   {Since: at(0), Until: at(0).AddDate(1, 0, 0), Step: pipeline.StepMinute},
		`step: "year"`:    {Since: at(0), Until: at(1), Step: "year"},
		"within 1..20":    {Since: at(0), Until: at(1), Limit: 21},
		"port.service":    {Since: at(0), Until: at(1), Field: "colour"},
		"colour":          {Since: at(0), Until: at(1), Text: "colour:red"},
		"is not split by": {Since: at(0), Until: at(1), Field: "domain"},
	} {
		q.Kind = pipeline.KindPort
		if _, err := s.Series(t.Context(), q); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v, want %q", q, err, words)
		}
	}
}

func TestTrends(t *testing.T) {
	s := clickhousetest.Open(t)
	now := time.Now().UnixMilli()
	ago := func(days int) int64 { return now - day - int64(days)*24*time.Hour.Milliseconds() }
	var b rows.Batch
	for i, days := range []int{1, 2, 8, 9, 10, 40} {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
		b.Hosts = append(b.Hosts, rows.Host{Seen: seen("p1", fmt.Sprint("h", i), ago(days), ago(0)), Addr: addr})
		b.Findings = append(b.Findings, rows.Finding{ID: fmt.Sprint("f", i), ProjectID: "p1", At: day + ago(days), Type: "CustomFinding", Key: "K"})
		ends := time.Now().AddDate(0, 0, 21*i-10).UTC().Format(time.RFC3339)
		cert := fmt.Sprintf(`{"subject":"s","fingerprint":"%d","notAfter":%q}`, i, ends)
		for _, path := range []string{"/", "/b"} {
			b.Websites = append(b.Websites, rows.Website{Seen: seen("p1", fmt.Sprint("w", i, path), ago(days), ago(0)), Addr: addr, Port: 443, Path: path, Certificate: value(1, cert)})
		}
	}
	b.Executions = []rows.Execution{
		{ProjectID: "p1", ID: "e1", Job: "J", QueuedAt: day + ago(1), Current: rows.State{Attempt: 1, Rank: 3, At: day + ago(1) + 4000, State: "succeeded"}, Started: rows.Start{Attempt: 1, Rank: 2, At: day + ago(1) + 1000}},
		{ProjectID: "p1", ID: "e2", Job: "J", QueuedAt: day + ago(1), Current: rows.State{Attempt: 1, Rank: 3, At: day + ago(1) + 2000, State: "failed"}, Started: rows.Start{Attempt: 1, Rank: 2, At: day + ago(1) + 1000}},
		{ProjectID: "p1", ID: "e3", Job: "J", QueuedAt: day + ago(9), Current: rows.State{Attempt: 1, Rank: 3, At: day + ago(9), State: "failed"}},
		{ProjectID: "p1", ID: "e4", Job: "Q", QueuedAt: day + ago(1), Current: rows.State{State: "queued"}},
	}
	write(t, s, &b, &b, &rows.Batch{Hosts: []rows.Host{{Seen: seen("p2", "h", ago(1), ago(1)), Addr: v4}}})
	got := get[pipeline.Trends](t)(s.Trends(t.Context(), pipeline.TrendQuery{ProjectID: "p1"}))
	executions := map[pipeline.State]pipeline.Trend{}
	for _, state := range pipeline.States() {
		executions[state] = pipeline.Trend{}
	}
	executions[pipeline.StateSucceeded] = pipeline.Trend{Total: 1, New: 1}
	executions[pipeline.StateFailed] = pipeline.Trend{Total: 2, New: 1, Previous: 1}
	executions[pipeline.StateQueued] = pipeline.Trend{Total: 1, New: 1}
	want := pipeline.Trends{
		Since: got.Since, Until: got.Until, Before: got.Before, Executions: executions,
		Hosts: pipeline.Trend{Total: 6, New: 2, Previous: 3}, Findings: pipeline.Trend{Total: 6, New: 2, Previous: 3}, Websites: pipeline.Trend{Total: 12, New: 4, Previous: 6},
		Certificates: pipeline.CertificateTrend{Total: 6, Expired: 1, Soon: 1},
	}
	if got.Until.Sub(got.Since) != got.Since.Sub(got.Before) {
		t.Errorf("%s, %s, %s", got.Before, got.Since, got.Until)
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
	if everywhere := get[pipeline.Trends](t)(s.Trends(t.Context(), pipeline.TrendQuery{Visible: []string{"p1", "p2"}})); everywhere.Hosts.New != 3 {
		t.Errorf("of two projects: %+v", everywhere.Hosts)
	}
	if nowhere := get[pipeline.Trends](t)(s.Trends(t.Context(), pipeline.TrendQuery{Visible: []string{}})); nowhere.Hosts.Total != 0 || nowhere.Findings.Total != 0 {
		t.Errorf("of no project: %+v", nowhere)
	}
	stats := get[[]pipeline.JobStats](t)(s.JobStats(t.Context(), pipeline.JobStatsQuery{ProjectID: "p1"}))
	if len(stats) != 2 || stats[0].Job != "J" || stats[0].Executions != 2 || stats[0].States[pipeline.StateFailed] != 1 || stats[0].Seconds != 4 || stats[0].Max != 3 || stats[1].Max != 0 {
		t.Errorf("%+v", stats)
	}
}
