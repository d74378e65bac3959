package clickhouse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/clickhouse"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/rows"
)

const (
	askOwn     = "aaaaaaaaaaaaaaaaaaaaaaaa"
	askForeign = "bbbbbbbbbbbbbbbbbbbbbbbb"
	canary     = "canary" // in every text of the other project, and nowhere else
)

// askStore is a store with the same things in two projects.
func askStore(t *testing.T) (s *clickhouse.Store, ask func(q string) (pipeline.SQLAnswer, error)) {
	t.Helper()
	s = clickhousetest.OpenUnmerged(t)
	for p, word := range map[string]string{askOwn: "mine", askForeign: canary} {
		b := &rows.Batch{}
		for i := range 3 {
			name := fmt.Sprintf("%s%d.example", word, i)
			b.Domains = append(b.Domains, rows.Domain{Seen: seen(p, "d"+name, 0, int64(i)), Name: name})
			b.Hosts = append(b.Hosts, rows.Host{Seen: seen(p, "h"+name, 0, 1), Addr: v4, OS: value(1, word)})
			b.Ports = append(b.Ports, rows.Port{Seen: seen(p, "p"+name, 0, 1), Addr: v4, Port: uint16(80 + i), Protocol: "tcp", Service: value(1, word)})
			b.Findings = append(b.Findings, rows.Finding{ProjectID: p, ID: name, At: day + int64(i), Type: "CustomFinding", Key: word, Name: word, Fields: "[]"})
		}
		write(t, s, b)
	}
	return s, func(q string) (pipeline.SQLAnswer, error) {
		return s.Ask(t.Context(), pipeline.SQLQuery{ProjectID: askOwn, Text: q})
	}
}

func answerText(t *testing.T, a pipeline.SQLAnswer) string {
	t.Helper()
	b, err := json.Marshal(a.Rows)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPeopleAskInSQL(t *testing.T) {
	_, ask := askStore(t)
	for q, want := range map[string]string{
		"SELECT name FROM domains ORDER BY name":                                                         `[["mine0.example"],["mine1.example"],["mine2.example"]]`,
		"select COUNT(*) from findings;":                                                                 `[[3]]`,
		"SELECT port, service FROM ports WHERE port IN (80, 82) ORDER BY port DESC":                      `[[82,"mine"],[80,"mine"]]`,
		"SELECT d.name AS n FROM domains AS d JOIN findings AS f ON f.id = d.name ORDER BY n LIMIT 1":    `[["mine0.example"]]`,
		"WITH x AS (SELECT port FROM ports) SELECT sum(port) FROM x":                                     `[[243]]`,
		"SELECT count() FROM domains WHERE name IN (SELECT id FROM findings)":                            `[[3]]`,
		"SELECT ip FROM hosts -- one\n/* and only */":                                                    `[["192.0.2.10"]]`,
		"SELECT arrayFilter(x -> x > 1, [1, 2, 3]) AS a, 'it''s \\\\ {project:String} ? @x $1 FORMAT' ":  `[[[2,3],"it's \\ {project:String} ? @x $1 FORMAT"]]`,
		"SELECT DISTINCT toStartOfDay(first_seen) = toStartOfDay(last_seen) AS same FROM domains":        `[[1]]`,
		"SELECT (SELECT max(port) FROM ports) AS top":                                                    `[[82]]`,
		"SELECT name, row_number() OVER (ORDER BY name DESC) AS n FROM domains ORDER BY n LIMIT 1":       `[["mine2.example",1]]`,
		"(SELECT 1 AS a) UNION ALL (SELECT 1)":                                                           `[[1],[1]]`,
		"SELECT \"name\" FROM `domains` WHERE last_seen < now() - INTERVAL 1 DAY AND name LIKE '%0.ex%'": `[["mine0.example"]]`,
	} {
		a, err := ask(q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		if got := answerText(t, a); got != want {
			t.Errorf("%s\n%s, want %s", q, got, want)
		}
	}
	a, err := ask("SELECT port + 1, name AS n FROM ports CROSS JOIN domains LIMIT 1")
	if err != nil || len(a.Columns) != 2 || a.Columns[1].Name != "n" || strings.Contains(a.Columns[0].Name, "own__") {
		t.Errorf("columns %+v: %v", a.Columns, err)
	}
	if a, err = ask("SELECT * FROM domains, hosts"); err != nil || len(a.Rows) != 3 {
		t.Errorf("all columns of two views: %+v, %v", a, err)
	}
	for _, v := range []string{"domains", "hosts", "ip_ranges", "ports", "websites", "domain_hosts", "tags", "findings", "executions", "changes"} {
		if _, err := ask("SELECT * FROM " + v); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

// What would reach something else is refused, and what is not refused gives nothing
// of the other project.
func TestSQLStaysInItsProject(t *testing.T) {
	_, ask := askStore(t)
	refused := func(q string) {
		t.Helper()
		a, err := ask(q)
		if err == nil {
			t.Errorf("%s\nis answered with %s", q, answerText(t, a))
		} else if c := pipeline.CodeOf(err); c != pipeline.CodeInvalid && c != pipeline.CodeTooLarge || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "project_id =") {
			t.Errorf("%s\n%s: %v", q, c, err)
		}
	}
	for _, q := range attacks {
		refused(q)
	}
	for _, q := range []string{
		"SELECT count() FROM domains AS d WHERE d.name LIKE '%canary%'",
		"SELECT count() FROM domains WHERE length(arrayMap((x, y) -> x, [1], if(startsWith(name, 'canary'), [1, 2], [1]))) = 2",
		"WITH (a, b) -> 1 AS equals, (a, b) -> 1 AS own__equals SELECT count() FROM domains WHERE name LIKE 'canary%'",
		"WITH 'bbbbbbbbbbbbbbbbbbbbbbbb' AS project_id SELECT count() FROM domains WHERE name LIKE 'canary%' AND project_id != ''",
		"WITH 1 AS visible, 1 AS last_seen, 0 AS deleted_at SELECT count() FROM domains WHERE name LIKE 'canary%'",
		"SELECT count() FROM domains WHERE 1 OR 1 UNION ALL SELECT 0 WHERE 0 HAVING count() != 3",
		"SELECT countIf(service != 'mine') FROM ports GROUP BY ROLLUP (port) HAVING countIf(service != 'mine') > 0 UNION ALL SELECT 0",
	} {
		a, err := ask(q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		for _, r := range a.Rows {
			if n := fmt.Sprint(r[0]); n != "0" && n != "3" || n == "3" && !strings.Contains(q, "1 OR 1") {
				t.Errorf("%s: %s", q, n)
			}
		}
	}
}

var attacks = strings.Split(strings.TrimSpace(`
SELECT * FROM system.tables
SELECT * FROM system . tables
SELECT * FROM "system"."tables"
SELECT * FROM information_schema.tables
SELECT * FROM INFORMATION_SCHEMA.COLUMNS
SELECT * FROM default.x
SELECT * FROM test_1.domains
SELECT * FROM '/etc/passwd'
SELECT * FROM 'etc/passwd'
SELECT * FROM 'system.tables'
SELECT * FROM 'system'.'tables'
SELECT * FROM 'http://127.0.0.1/x.csv'
SELECT * FROM domains JOIN '/etc/passwd' ON 1
SELECT * FROM domains, '/etc/passwd'
SELECT * FROM domains, 'system.tables'
SELECT * FROM 'domains'
SELECT * FROM ('domains')
SELECT * FROM 'logs'
SELECT * FROM 'sweeps'
SELECT * FROM ('verdicts')
SELECT * FROM (('finding_ids'))
SELECT * FROM domains JOIN 'logs' ON 1
SELECT * FROM domains JOIN ('logs') USING ('project_id')
SELECT * FROM domains, 'logs'
SELECT * FROM domains CROSS JOIN 'logs'
SELECT * FROM 'logs' AS domains
SELECT * FROM domains WHERE EXISTS (SELECT * FROM 'logs')
SELECT 1 UNION ALL SELECT count() FROM 'logs'
WITH x AS (SELECT * FROM 'logs') SELECT * FROM x
WITH 'logs' AS x SELECT * FROM x
SELECT 1 WHERE 'canary' IN (SELECT * FROM 'logs')
SELECT 1 IN ('system.one')
SELECT * FROM resource_tags
SELECT * FROM sweeps
SELECT * FROM logs
SELECT project_id FROM domains
SELECT domains.project_id FROM domains
SELECT deleted_at FROM domains
SELECT 1 WHERE 1 IN system.one
SELECT 1 WHERE 1 IN (system.one)
SELECT 1 WHERE in(1, system.one)
SELECT 1 WHERE 'canary' IN resource_tags
SELECT * FROM url('http://127.0.0.1/', CSV, 'a String')
SELECT * FROM file('/etc/passwd')
SELECT * FROM remote('127.0.0.1', system.one)
SELECT * FROM remoteSecure('127.0.0.1', system.one)
SELECT * FROM cluster('default', system.one)
SELECT * FROM merge('', '.*')
SELECT * FROM merge(REGEXP('.*'), '.*')
SELECT * FROM numbers(10)
SELECT * FROM generateRandom('a UInt8')
SELECT * FROM executable('x', TSV, 'a String', (SELECT 1))
SELECT * FROM input('a String')
SELECT * FROM values('a UInt8', 1)
SELECT * FROM view(SELECT 1)
SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))
SELECT * FROM mysql('h', 'd', 't', 'u', 'p')
SELECT * FROM postgresql('h', 'd', 't', 'u', 'p')
SELECT * FROM sqlite('/etc/x', 't')
SELECT * FROM s3('http://127.0.0.1/a')
SELECT * FROM hdfs('hdfs://x/y')
SELECT * FROM mergeTreeIndex(currentDatabase(), 'domains')
SELECT * FROM mergeTreeProjection(currentDatabase(), 'domains', 'x')
SELECT * FROM dictionary('d')
SELECT * FROM loop(domains)
SELECT * FROM null('a UInt8')
SELECT * FROM python('x')
SELECT * FROM fuzzQuery('SELECT 1')
SELECT dictGet('d', 'a', 1)
SELECT joinGet('d', 'a', 1)
SELECT joinGet(resource_tags, 'a', 1)
SELECT hasColumnInTable('system', 'one', 'dummy')
SELECT file('/etc/passwd')
SELECT getSetting('additional_table_filters')
SELECT getMacro('x')
SELECT getServerPort('http_port')
SELECT currentDatabase()
SELECT currentUser()
SELECT hostName()
SELECT version()
SELECT serverUUID()
SELECT displayName()
SELECT queryID()
SELECT connectionId()
SELECT sleep(3)
SELECT sleepEachRow(3)
SELECT throwIf(1)
SELECT evalMLMethod(1)
SELECT catboostEvaluate('/etc/passwd', 1)
SELECT arrayReduce('sum', [1])
SELECT initializeAggregation('sum', 1)
SELECT finalizeAggregation(1)
SELECT addressToLine(1)
SELECT demangle('x')
SELECT showCertificate()
SELECT executeInternal('SELECT 1')
SELECT toUInt8(name) FROM domains
SELECT CAST(name AS UInt8) FROM domains
SELECT name::UInt8 FROM domains
SELECT intDiv(1, 0)
SELECT 1 % 0
SELECT 1 SETTINGS additional_table_filters = {}
SELECT * FROM domains SETTINGS query_plan_filter_push_down = 1
SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)
SELECT * FROM domains FORMAT CSV
SELECT * FROM domains INTO OUTFILE '/tmp/x'
SELECT 1; SELECT 2
SELECT 1); SELECT (2
SELECT 1) UNION ALL SELECT * FROM system.tables --
SELECT 1) AS a, (SELECT 1
SELECT 1 /*) */ ) FROM (SELECT 1
SELECT * FROM domains FINAL SAMPLE 1
SELECT * FROM domains SAMPLE 1
SELECT * FROM domains PREWHERE 1
SELECT COLUMNS('.*') FROM domains
SELECT * REPLACE (1 AS name) FROM domains
SELECT * APPLY (toString) FROM domains
SELECT * FROM (EXPLAIN SELECT 1)
SELECT * FROM (SHOW TABLES)
SELECT * FROM (DESCRIBE TABLE domains)
SELECT * FROM (VALUES (1))
EXPLAIN SELECT 1
SHOW TABLES
DESCRIBE domains
INSERT INTO domains SELECT 1
CREATE TABLE x (a UInt8)
DROP TABLE domains
ALTER TABLE domains DELETE WHERE 1
TRUNCATE TABLE domains
GRANT ALL ON *.* TO default
SET readonly = 0
USE system
SYSTEM SHUTDOWN
KILL QUERY WHERE 1
ATTACH TABLE x
OPTIMIZE TABLE domains
BACKUP DATABASE x TO Disk('a', 'b')
FROM system.one SELECT 1
TABLE domains
VALUES (1)
WITH x AS (SELECT * FROM system.one) SELECT * FROM x
WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x
WITH system AS (SELECT 1 AS tables) SELECT * FROM system.tables
SELECT {a:Identifier}
SELECT * FROM {db:Identifier}.{t:Identifier}
SELECT $$x$$
SELECT @@version
SELECT 'a\x00b'
SELECT 'a\'
SELECT 'a
SELECT "a\"b"
SELECT `+"`a``b`"+`
SELECT 1a
SELECT 1 # x
SELECT ¹
SELECT * FROM domains ORDER BY name WITH FILL
SELECT name FROM domains WHERE match(name, '(((')
SELECT repeat('a', 1000000000)
SELECT range(1000000000)
SELECT DISTINCT _part, _table, _database FROM domains
SELECT _table FROM domains
SELECT domains._part FROM domains
SELECT own__name FROM domains
SELECT * FROM own__domains
`), "\n")

func TestSQLHasBounds(t *testing.T) {
	s, ask := askStore(t)
	crossed := func(n int) string { return "SELECT 1 AS x FROM domains" + strings.Repeat(", domains", n-1) }
	a, err := ask(crossed(9)) // 3 to the power of 9
	if err != nil || len(a.Rows) != 10_000 || !a.Truncated {
		t.Errorf("%d rows, truncated %v: %v", len(a.Rows), a.Truncated, err)
	}
	_, err = ask("SELECT groupArray(d1.name) FROM " + aliased(16))
	if c := pipeline.CodeOf(err); c != pipeline.CodeInvalid && c != pipeline.CodeBusy { // busy: the whole engine's memory ended first
		t.Errorf("what takes too much is %s: %v", c, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err = s.Ask(ctx, pipeline.SQLQuery{ProjectID: askOwn, Text: "SELECT count() FROM " + aliased(30) + " WHERE d1.name != d2.note"}); err == nil {
		t.Error("who went away got an answer")
	}
	if _, err := ask("SELECT count() FROM domains"); err != nil {
		t.Errorf("after one that was cancelled: %v", err)
	}
	if _, err := s.Ask(t.Context(), pipeline.SQLQuery{ProjectID: "x' OR '1", Text: "SELECT 1"}); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("the id of a project is not checked: %v", err)
	}
}

// aliased crosses the domains with themselves n times.
func aliased(n int) string {
	of := make([]string, n)
	for i := range of {
		of[i] = fmt.Sprintf("domains AS d%d", i+1)
	}
	return strings.Join(of, ", ")
}
