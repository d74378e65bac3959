package crash

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse/schema"
)

// snapshot is what a run left behind: per table its merged rows, without the times
// and versions that two runs cannot share.
type snapshot map[string][]string

// merging is how a column of several rows becomes one.
var merging = regexp.MustCompile(`^SimpleAggregateFunction\((\w+), (.*)\)$`)

// takeSnapshot reads every table of the store.
func takeSnapshot(t *testing.T, transport func(*http.Transport) (http.RoundTripper, error)) snapshot {
	t.Helper()
	conn, err := ch.Open(&ch.Options{
		Protocol: ch.HTTP, Addr: []string{"embedded:1"}, Auth: ch.Auth{Database: "stalker"}, TransportFunc: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	snap := snapshot{}
	for _, table := range schema.Tables() {
		if sql := rowsOf(&table); sql != "" {
			snap[table.Name] = query(t, conn, sql)
		}
	}
	return snap
}

// rowsOf returns a query for a table's rows as text, "" for a table that two runs
// need not share: what is logged depends on how often something was tried.
func rowsOf(table *schema.Table) string {
	switch table.Name {
	case "logs":
		return ""
	case "changes": // what changed, in its order; saying the same again is no change
		return "SELECT concat(resource_id, ' ', attribute, ' ', arrayStringConcat(arrayCompact(arrayMap(x -> x.2, arraySort(groupArray((at, said.value))))), ' > ')) AS row" +
			" FROM changes GROUP BY resource_id, attribute ORDER BY row"
	}
	var out []string
	for _, c := range table.Columns {
		if expr := compared(table, c); expr != "" {
			out = append(out, "toString("+expr+")")
		}
	}
	key := slices.DeleteFunc(slices.Clone(table.OrderBy), func(c string) bool { return c == "at" })
	return fmt.Sprintf("SELECT concat('', arrayStringConcat([%s], ' | ')) AS row FROM %s GROUP BY %s ORDER BY row", strings.Join(out, ", "), table.Name, strings.Join(key, ", "))
}

func compared(table *schema.Table, c schema.Column) string {
	m := merging.FindStringSubmatch(c.Type)
	switch {
	case strings.Contains(c.Name, "_seen") || strings.HasSuffix(c.Name, "_at") || c.Name == "at" || c.Name == "started" || c.Name == "request" || c.Name == "blocked_version" || table.Name == "verdicts" && c.Name == "detail":
		return "" // times, and what holds times
	case c.Name == "current":
		return "max(current).state"
	case slices.Contains(table.OrderBy, c.Name):
		return "`" + c.Name + "`"
	case m == nil:
		return "max(`" + c.Name + "`)"
	case strings.HasPrefix(m[2], "Tuple(version"):
		return "max(`" + c.Name + "`).value"
	case strings.HasPrefix(m[2], "Map"): // from what to when
		return "arraySort(mapKeys(" + m[1] + "(`" + c.Name + "`)))"
	case strings.HasPrefix(m[2], "Array"):
		return "arraySort(" + m[1] + "(`" + c.Name + "`))"
	default:
		return m[1] + "(`" + c.Name + "`)"
	}
}

func query(t *testing.T, conn driver.Conn, sql string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// compare fails with the first differences of each table.
func compare(t *testing.T, got, want snapshot) {
	t.Helper()
	for table, rows := range want {
		missing, extra := subtract(rows, got[table]), subtract(got[table], rows)
		t.Logf("%-14s %7d rows, %d missing, %d extra", table, len(rows), len(missing), len(extra))
		if len(missing) > 0 {
			t.Errorf("%s: %d rows are missing, the first: %.800q", table, len(missing), missing[:min(3, len(missing))])
		}
		if len(extra) > 0 {
			t.Errorf("%s: %d rows are extra, the first: %.800q", table, len(extra), extra[:min(3, len(extra))])
		}
	}
}

// subtract returns the rows of a that b has not, counting repetitions.
func subtract(a, b []string) []string {
	n := map[string]int{}
	for _, r := range b {
		n[r]++
	}
	var left []string
	for _, r := range a {
		if n[r] == 0 {
			left = append(left, r)
		}
		n[r]--
	}
	return left
}

// checkTriggers proves on the topics that a subscription fired once per resource
// and discriminator, and that every execution that was asked for ended, once, well.
func checkTriggers(t *testing.T, b *bus.Bus, wantJobs int) {
	t.Helper()
	asked := map[string]string{} // subscription, resource, port → execution
	requests := map[string]bool{}
	for _, r := range bustest.Read(t, b, bus.TopicJobs) {
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		requests[q.ID] = true
		trigger := q.Cause.SubscriptionName + " " + q.Target
		if other, ok := asked[trigger]; ok && other != q.ID {
			t.Errorf("%s fired twice: executions %s and %s", trigger, other, q.ID)
		}
		asked[trigger] = q.ID
	}
	ends := map[string]map[int]pipeline.State{}
	attempts := 0
	for _, r := range bustest.Read(t, b, bus.TopicExecutions) {
		e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		attempts = max(attempts, e.Attempt)
		if e.State.Ended() {
			if ends[e.ExecutionID] == nil {
				ends[e.ExecutionID] = map[int]pipeline.State{}
			}
			ends[e.ExecutionID][e.Attempt] = e.State
		}
	}
	for id := range requests {
		if len(ends[id]) != 1 {
			t.Errorf("execution %s ended %d times: %v", id, len(ends[id]), ends[id])
		}
	}
	for id, states := range ends {
		for attempt, s := range states {
			if s != pipeline.StateSucceeded || !requests[id] {
				t.Errorf("execution %s (asked for: %v) ended %s in attempt %d", id, requests[id], s, attempt)
			}
		}
	}
	if len(requests) != wantJobs {
		t.Errorf("%d executions were asked for, want %d", len(requests), wantJobs)
	}
	if dead := bustest.Read(t, b, bus.TopicDead); len(dead) != 0 {
		t.Errorf("%d dead letters, the first: %v", len(dead), dead[0].Headers)
	}
	t.Logf("%d executions, at most %d attempts", len(requests), attempts)
	t.Run("cooldown", func(t *testing.T) { checkCooldown(t, b) })
}

// checkCooldown proves that the cooldown held. What starts a Grab is said three times
// of each host, twice by the feed and once by the job itself, all within the hour of
// the cooldown: one of the three fired, and of every other it is on record that it was
// stopped by the cooldown and by nothing else.
func checkCooldown(t *testing.T, b *bus.Bus) {
	t.Helper()
	matching := map[string]string{} // finding → what it is about
	for _, r := range bustest.Read(t, b, bus.TopicFindings) {
		f, err := record.DecodeFinding(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if f.Key == pipeline.KeyPortService && f.FieldText("serviceName") == "ftp" {
			matching[f.ID] = f.CorrelationKey
		}
	}
	fired, cooling := map[string]bool{}, map[string]bool{}
	for _, r := range bustest.Read(t, b, bus.TopicVerdicts) {
		v, err := record.Decode[pipeline.Verdicts](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range v.List {
			switch {
			case one.Name != "Grab" || matching[v.FindingID] == "":
			case one.Reason == "fired":
				fired[v.FindingID] = true
			case one.Stage == "cooldown":
				cooling[v.FindingID] = true
			default:
				t.Errorf("finding %s did not fire for %s", v.FindingID, one.Reason)
			}
		}
	}
	said, started, stopped := map[string]int{}, map[string]int{}, 0
	for id, target := range matching {
		said[target]++
		switch {
		case fired[id]:
			started[target]++
		case cooling[id]:
			stopped++
		default:
			t.Errorf("finding %s about %s matches Grab, and there is no verdict about it", id, target)
		}
	}
	for target, n := range said {
		if n != 3 || started[target] != 1 {
			t.Errorf("%s was said %d times and fired %d times, want 3 and 1", target, n, started[target])
		}
	}
	t.Logf("the cooldown held: %d triggers, %d more findings within it", len(started), stopped)
}

var quiet = slog.New(slog.DiscardHandler)
