package main

import "fmt"

func dashboards() []dashboard {
	return []dashboard{pipelineDashboard(), automationDashboard(), processDashboard(), surfaceDashboard()}
}

func rate(metric, by string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval]))", by, metric)
}

func quantile(p float64, histogram, by string) string {
	return fmt.Sprintf("histogram_quantile(%g, sum by (le, %s) (rate(%s_bucket[$__rate_interval])))", p, by, histogram)
}

func pipelineDashboard() dashboard {
	return dashboard{uid: "stalker-pipeline", title: "Stalker / Pipeline", rows: []row{
		{"At a glance", []panel{
			{title: "Findings accepted", kind: "stat", unit: "ops", queries: []query{q(`sum(rate(stalker_gateway_accepted_items_total{kind="findings"}[$__rate_interval]))`, "")}},
			{title: "Records behind", kind: "stat", unit: "short", help: "Not yet in the store or not yet matched", queries: []query{q("max by (group) (sum by (group, instance) (stalker_bus_lag_records))", "{{group}}")}},
			{title: "Dead letters, 24 h", kind: "stat", unit: "short", help: "Records nobody could handle: stalker dlq list", queries: []query{q("sum(increase(stalker_bus_dead_letters_total[24h])) or vector(0)", "")}},
			{title: "Rejected by the gateway", kind: "stat", unit: "ops", help: "Findings and log lines refused; the job was told why", queries: []query{q("sum(rate(stalker_gateway_rejected_items_total[$__rate_interval]))", "")}},
		}},
		{"Gateway", []panel{
			{title: "Items by kind", unit: "ops", stack: true, queries: []query{q(rate("stalker_gateway_accepted_items_total", "kind"), "{{kind}}")}},
			{title: "Requests by outcome", unit: "ops", queries: []query{q(rate("stalker_gateway_requests_total", "code"), "{{code}}")}},
			{title: "Request time", unit: "s", queries: []query{q(quantile(0.5, "stalker_gateway_request_seconds", "kind"), "{{kind}} p50"), q(quantile(0.99, "stalker_gateway_request_seconds", "kind"), "{{kind}} p99")}},
		}},
		{"Topics", []panel{
			{title: "Produced by topic", unit: "ops", queries: []query{q(rate("stalker_bus_produced_records_total", "topic"), "{{topic}}")}},
			{title: "Consumed by group", unit: "ops", queries: []query{q(rate("stalker_bus_consumed_records_total", "group"), "{{group}}")}},
			{title: "Lag", unit: "short", queries: []query{q("max by (group, topic) (stalker_bus_lag_records)", "{{group}} {{topic}}")}},
		}},
		{"Batches", []panel{
			{title: "Handling a batch, p99", unit: "s", queries: []query{q(quantile(0.99, "stalker_bus_handle_seconds", "group"), "{{group}}")}},
			{title: "What closed batches", unit: "ops", queries: []query{q(rate("stalker_bus_batches_total", "group, closed_by"), "{{group}} {{closed_by}}")}},
			{title: "Trouble", unit: "ops", help: "Retried batches, aborted transactions, failed produces, dead letters", queries: []query{
				q(rate("stalker_bus_retries_total", "group"), "{{group}} retries"), q(rate("stalker_bus_aborted_transactions_total", "group"), "{{group}} aborts"),
				q(rate("stalker_bus_produce_failures_total", "topic"), "{{topic}} not produced"), q(rate("stalker_bus_dead_letters_total", "group"), "{{group}} dead"),
			}},
		}},
		{"Store", []panel{
			{title: "Projector stages, p95", unit: "s", queries: []query{q(quantile(0.95, "stalker_projector_batch_seconds", "stage"), "{{stage}}")}},
			{title: "Rows written by table", unit: "ops", queries: []query{q(rate("stalker_clickhouse_rows_written_total", "table"), "{{table}}")}},
			{title: "Reads, p95", unit: "s", queries: []query{q(quantile(0.95, "stalker_clickhouse_read_seconds", "question"), "{{question}}")}},
		}},
	}}
}

func automationDashboard() dashboard {
	return dashboard{uid: "stalker-automation", title: "Stalker / Automation", rows: []row{
		{"At a glance", []panel{
			{title: "Subscriptions", kind: "stat", unit: "short", queries: []query{q("max(stalker_matcher_rules)", "")}},
			{title: "Broken subscriptions", kind: "stat", unit: "short", queries: []query{q("max(stalker_matcher_broken_subscriptions)", "")}},
			{title: "Waiting for a slot", kind: "stat", unit: "short", queries: []query{q("sum(stalker_launcher_pending_executions)", "")}},
			{title: "Ended badly, 1 h", kind: "stat", unit: "percentunit", queries: []query{
				q(`(sum(increase(stalker_launcher_ended_executions_total{state!="succeeded"}[1h])) or vector(0)) / clamp_min(sum(increase(stalker_launcher_ended_executions_total[1h])), 1)`, ""),
			}},
		}},
		{"Matching", []panel{
			{title: "Findings matched", unit: "ops", queries: []query{q("sum(rate(stalker_matcher_findings_total[$__rate_interval]))", "findings"), q("sum(rate(stalker_matcher_derived_findings_total[$__rate_interval]))", "derived")}},
			{title: "Verdicts", unit: "ops", help: "Why subscriptions fired or did not", stack: true, queries: []query{q(rate("stalker_matcher_verdicts_total", "reason"), "{{reason}}")}},
			{title: "Jobs asked for", unit: "ops", queries: []query{q("sum(rate(stalker_matcher_job_requests_total[$__rate_interval]))", "requests")}},
		}},
		{"Executions", []panel{
			{title: "Ends by state and reason", unit: "ops", stack: true, queries: []query{q(rate("stalker_launcher_ended_executions_total", "state, reason"), "{{state}} {{reason}}")}},
			{title: "Waited before starting", unit: "s", queries: []query{
				q("histogram_quantile(0.5, sum by (le) (rate(stalker_launcher_wait_seconds_bucket[$__rate_interval])))", "p50"),
				q("histogram_quantile(0.99, sum by (le) (rate(stalker_launcher_wait_seconds_bucket[$__rate_interval])))", "p99"),
			}},
			{title: "Ran for, p95", unit: "s", queries: []query{q(quantile(0.95, "stalker_launcher_run_seconds", "state"), "{{state}}")}},
		}},
		{"State", []panel{
			{title: "Triggers remembered", unit: "short", queries: []query{q("sum(stalker_matcher_triggers)", "triggers"), q("sum(stalker_matcher_hosts)", "hosts")}},
			{title: "Unfinished requests", unit: "short", queries: []query{q("sum by (group) (stalker_bus_queue_unfinished_records)", "{{group}}")}},
			{title: "Passed over", unit: "ops", help: "Log lines dropped, requests repeated or unreadable, names and ports not joined", queries: []query{
				q("sum(rate(stalker_launcher_dropped_log_lines_total[$__rate_interval]))", "log lines dropped"),
				q("sum(rate(stalker_launcher_repeated_requests_total[$__rate_interval]))", "requests repeated"),
				q(rate("stalker_matcher_unjoined_total", "what"), "{{what}} not joined"),
			}},
		}},
	}}
}

func processDashboard() dashboard {
	return dashboard{uid: "stalker-process", title: "Stalker / Processes", rows: []row{
		{"Processes", []panel{
			{title: "Running", kind: "stat", unit: "short", queries: []query{q("count(stalker_build_info)", "")}},
			{title: "Versions", kind: "stat", unit: "short", help: "More than one only while an upgrade rolls", queries: []query{q("count by (version) (stalker_build_info)", "{{version}}")}},
		}},
		{"Resources", []panel{
			{title: "CPU", unit: "short", queries: []query{q("rate(process_cpu_seconds_total[$__rate_interval]) * on (instance) group_left stalker_build_info", "{{instance}}")}},
			{title: "Memory", unit: "bytes", queries: []query{q("process_resident_memory_bytes * on (instance) group_left stalker_build_info", "{{instance}}")}},
			{title: "Goroutines", unit: "short", queries: []query{q("go_goroutines * on (instance) group_left stalker_build_info", "{{instance}}")}},
		}},
		{"HTTP", []panel{
			{title: "Requests", unit: "ops", queries: []query{q(rate("stalker_http_requests_total", "area, status"), "{{area}} {{status}}")}},
			{title: "Request time, p95", unit: "s", queries: []query{q(quantile(0.95, "stalker_http_request_seconds", "area"), "{{area}}")}},
			{title: "Open files", unit: "short", queries: []query{q("process_open_fds * on (instance) group_left stalker_build_info", "{{instance}}")}},
		}},
	}}
}

const (
	projectsQuery = "SELECT DISTINCT project_id FROM hosts UNION DISTINCT SELECT DISTINCT project_id FROM domains"
	ours          = "project_id IN (${project:singlequote})"
	alive         = ours + " AND last_seen > deleted_at"
)

func countOf(table string) panel {
	return panel{title: table, kind: "stat", unit: "short", queries: []query{q("SELECT count() FROM (SELECT * FROM "+table+" FINAL) WHERE "+alive, "")}}
}

func top(title, of, table, where string) panel {
	return panel{title: title, kind: "bargauge", unit: "short", queries: []query{
		q(fmt.Sprintf("SELECT %s AS value, count() AS resources FROM (SELECT * FROM %s FINAL) WHERE %s AND %s GROUP BY value ORDER BY resources DESC LIMIT 15", of, table, alive, where), ""),
	}}
}

func perHour(title, table, at string) panel {
	return panel{title: title, unit: "short", queries: []query{
		q(fmt.Sprintf("SELECT toStartOfHour(%[1]s) AS time, count() AS new FROM (SELECT * FROM %[2]s FINAL) WHERE %[3]s AND $__timeFilter(%[1]s) GROUP BY time ORDER BY time", at, table, ours), ""),
	}}
}

// surfaceDashboard asks ClickHouse itself: what is exposed, and since when.
func surfaceDashboard() dashboard {
	return dashboard{uid: "stalker-surface", title: "Stalker / Attack surface", rows: []row{
		{"Now", []panel{countOf("domains"), countOf("hosts"), countOf("ports"), countOf("websites")}},
		{"What", []panel{
			top("Services", "tupleElement(service, 'value')", "ports", "value != ''"),
			top("Ports", "concat(toString(port), '/', protocol)", "ports", "1"),
			top("Technologies", "arrayJoin(mapKeys(mapFilter((k, v) -> v > toUnixTimestamp64Milli(deleted_at), technologies_said)))", "websites", "1"),
		}},
		{"When", []panel{perHour("New hosts", "hosts", "first_seen"), perHour("New ports", "ports", "first_seen"), perHour("New websites", "websites", "first_seen")}},
		{"Work", []panel{
			{title: "Findings by key", unit: "short", stack: true, queries: []query{
				q("SELECT toStartOfInterval(at, INTERVAL 10 MINUTE) AS time, key, count() AS findings FROM findings WHERE "+ours+" AND $__timeFilter(at) GROUP BY time, key ORDER BY time", ""),
			}},
			{title: "Executions by state", kind: "bargauge", unit: "short", queries: []query{
				q("SELECT tupleElement(current, 'state') AS state, count() AS executions FROM (SELECT * FROM executions FINAL) WHERE "+ours+" GROUP BY state ORDER BY executions DESC", ""),
			}},
		}},
	}}
}
