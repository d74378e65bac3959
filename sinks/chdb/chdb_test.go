package chdb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

var (
	engine *chdb.Engine // one per process
	reg    = prometheus.NewRegistry()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chdb")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if engine, err = chdb.Open(config(dir), deps()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := reopen(dir); err != nil {
		fmt.Fprintln(os.Stderr, "closing and opening again:", err)
		return 1
	}
	return code
}

// reopen checks what needs the one engine of the process for itself: what was
// written is there after Close and Open, and not in another directory; a closed
// engine answers with an error.
func reopen(dir string) error {
	ask := func(sql string) string {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(sql)))
		return fmt.Sprint(w.Code, " ", w.Body)
	}
	ask("CREATE DATABASE kept")
	ask("CREATE TABLE kept.t (n UInt8) ENGINE = MergeTree ORDER BY n")
	ask("INSERT INTO kept.t VALUES (7)")
	for _, step := range []struct{ dir, want string }{{dir, "200 7\n"}, {dir + "/other", "500 "}, {dir, "200 7\n"}} {
		if err := engine.Close(); err != nil {
			return err
		}
		if got := ask("SELECT 1"); !strings.HasPrefix(got, "500 ") {
			return fmt.Errorf("a closed engine answers %q", got)
		}
		reg = prometheus.NewRegistry()
		var err error
		if engine, err = chdb.Open(config(step.dir), deps()); err != nil {
			return err
		}
		if got := ask("SELECT n FROM kept.t"); !strings.HasPrefix(got, step.want) {
			return fmt.Errorf("in %s: got %q, want %q", step.dir, got, step.want)
		}
	}
	return engine.Close()
}

func config(dir string) chdb.Config {
	cfg := chdb.DefaultConfig()
	cfg.Dir, cfg.Connections = filepath.Join(dir, "clickhouse"), 4
	return cfg
}

func deps() chdb.Deps {
	return chdb.Deps{Log: slog.New(slog.DiscardHandler), Metrics: reg}
}

// open gives a client on a database of the test's own.
func open(t *testing.T) clickhouse.Conn {
	t.Helper()
	database := fmt.Sprintf("t%d", time.Now().UnixNano())
	dial := func(database string) clickhouse.Conn {
		c, err := clickhouse.Open(&clickhouse.Options{
			Protocol: clickhouse.HTTP, Addr: []string{"embedded:1"},
			Auth: clickhouse.Auth{Database: database}, TransportFunc: engine.Transport, MaxOpenConns: 16,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	root := dial("default")
	if err := root.Exec(t.Context(), "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Exec(context.Background(), "DROP DATABASE "+database+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	return dial(database)
}

func TestInsertAndSelect(t *testing.T) {
	c := open(t)
	if err := c.Exec(t.Context(), `CREATE TABLE t (n UInt64, s SimpleAggregateFunction(max, String), v SimpleAggregateFunction(max, Tuple(version UInt64, value String)))
		ENGINE = AggregatingMergeTree ORDER BY n`); err != nil {
		t.Fatal(err)
	}
	const rows = 20_000
	b, err := c.PrepareBatch(t.Context(), "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(rows) {
		if err := b.Append(i%10_000, strings.Repeat("x", int(i%50)), []any{i, strconv.FormatUint(i, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Send(); err != nil {
		t.Fatal(err)
	}
	var n, sum uint64
	if err := c.QueryRow(t.Context(), "SELECT count(), sum(toUInt64(v.value)) FROM t FINAL").Scan(&n, &sum); err != nil {
		t.Fatal(err)
	}
	if n != 10_000 || sum != (10_000+19_999)*10_000/2 {
		t.Errorf("got %d rows with sum %d", n, sum)
	}
	got := 0
	r, err := c.Query(t.Context(), "SELECT n, s FROM t") // more than one piece
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		got++
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil || got < 10_000 {
		t.Errorf("read %d rows, %v", got, err)
	}
}

func TestNoRows(t *testing.T) {
	c := open(t)
	r, err := c.Query(t.Context(), "SELECT number FROM numbers(10) WHERE number > 10")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Next() || r.Err() != nil {
		t.Errorf("a row, or %v", r.Err())
	}
}

// What is bound must come back byte for byte: it may be anything a scanned host
// says.
func TestParametersKeepTheirBytes(t *testing.T) {
	c := open(t)
	for _, s := range []string{
		"", "plain", "it's", `back\slash`, `\N`, "NULL", "tab\tnewline\ncr\r", "nul\x00byte", "utf8 ✓ 漢", "bad utf8 \xff\xfe",
		"'; DROP TABLE t; --", "{x:String}", `\\`, "`", "?", "@p1", "\x1b[31m", strings.Repeat("a", 100_000),
	} {
		var got string
		if err := c.QueryRow(t.Context(), "SELECT {s:String}", clickhouse.Named("s", s)).Scan(&got); err != nil {
			t.Errorf("%.40q: %v", s, err)
			continue
		}
		if got != s {
			t.Errorf("got %.40q, want %.40q", got, s)
		}
		if err := c.QueryRow(t.Context(), "SELECT arrayElement({s:Array(String)}, 2)", clickhouse.Named("s", []string{"first", s})).Scan(&got); err != nil {
			t.Errorf("in an array: %.40q: %v", s, err)
		} else if got != s {
			t.Errorf("in an array: got %.40q, want %.40q", got, s)
		}
	}
}

func TestRefused(t *testing.T) {
	c := open(t)
	if err := c.Exec(t.Context(), "CREATE TABLE t (s String) ENGINE = Memory"); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	for name, tc := range map[string]struct {
		sql  string
		code int32
	}{
		"two statements":     {"SELECT 1; SELECT 2", 62},
		"hidden second":      {"SELECT 1 /* ; */ ; DROP TABLE t", 62},
		"nonsense":           {"SELEC 1", 62},
		"into outfile":       {"SELECT 1 INTO OUTFILE '" + out + "'", 497},
		"from infile":        {"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT LineAsString", 497},
		"from infile, split": {"INSERT INTO t FROM/**/INFILE '/etc/passwd' FORMAT LineAsString", 497},
		"file()":             {"SELECT * FROM file('/etc/passwd', 'LineAsString')", 497},
		"file() as target":   {"INSERT INTO FUNCTION file('" + out + "', 'CSV', 's String') SELECT 'x'", 497},
		"url()":              {"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", 497},
		"remote()":           {"SELECT * FROM remote('127.0.0.1:1', 'system.one')", 497},
		"s3()":               {"SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 's String')", 497},
		"executable()":       {"SELECT * FROM executable('../../sh', 'TSV', 's String')", 1}, // outside its folder, which is empty
		"set":                {"SET max_threads = 1", 497},
		"use":                {"USE default", 497},
		"temporary table":    {"CREATE TEMPORARY TABLE x (a UInt8)", 497},
		"system":             {"SYSTEM SHUTDOWN", 497},
		"kill":               {"KILL QUERY WHERE 1", 497},
		"user":               {"CREATE USER x", 497},
		"function":           {"CREATE FUNCTION f AS (x) -> x", 497},
		"backup":             {"BACKUP DATABASE default TO File('" + out + "')", 497},
		"file engine":        {"CREATE TABLE f (s String) ENGINE = File(CSV, '/etc/passwd')", 497},
		"url engine":         {"CREATE TABLE f (s String) ENGINE = URL('http://127.0.0.1:1/', 'CSV')", 497},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.Exec(t.Context(), tc.sql)
			var ex *clickhouse.Exception
			if !errors.As(err, &ex) || ex.Code != tc.code {
				t.Errorf("got %v, want code %d", err, tc.code)
			}
		})
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
	var n uint64
	if err := c.QueryRow(t.Context(), "SELECT count() FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows were read from a file, %v", n, err)
	}
}

func TestErrorsHaveTheirCode(t *testing.T) {
	c := open(t)
	for sql, code := range map[string]int32{
		"SELECT * FROM nowhere": 60,
		"SELECT nothing":        47,
		"SELECT throwIf(number = 3000000) FROM numbers(4000000) SETTINGS max_block_size = 1000": 395, // after output began
	} {
		err := drain(c.Query(t.Context(), sql))
		var ex *clickhouse.Exception
		if !errors.As(err, &ex) || ex.Code != code {
			t.Errorf("%s: got %v, want code %d", sql, err, code)
		}
		// and the connection the error happened on is not used again
		var one uint8
		for range 8 {
			if err := c.QueryRow(t.Context(), "SELECT 1").Scan(&one); err != nil || one != 1 {
				t.Fatalf("after %s: %d, %v", sql, one, err)
			}
		}
	}
}

func drain(r interface {
	Next() bool
	Err() error
	Close() error
}, err error,
) error {
	if err != nil {
		return err
	}
	for r.Next() {
	}
	return errors.Join(r.Err(), r.Close())
}

func TestMemoryIsBounded(t *testing.T) {
	c := open(t)
	err := drain(c.Query(t.Context(), "SELECT groupArray(toString(number)) FROM numbers(100000000)"))
	var ex *clickhouse.Exception
	if !errors.As(err, &ex) || ex.Code != 241 {
		t.Errorf("got %v, want a memory error", err)
	}
}

func TestCancel(t *testing.T) {
	c := open(t)
	const endless = "SELECT sum(sleepEachRow(0.01)) FROM numbers(1000000) SETTINGS max_block_size = 10, function_sleep_max_microseconds_per_block = 0"
	before := testutil.ToFloat64(busy(t))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := drain(c.Query(ctx, endless)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for testutil.ToFloat64(busy(t)) > before {
		if time.Now().After(deadline) {
			t.Fatal("the statement goes on after its caller has gone")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// busy gives the gauge of running statements.
func busy(t *testing.T) prometheus.Collector {
	t.Helper()
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "busy"})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "stalker_chdb_connections_busy" {
			g.Set(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return g
}

func TestParallel(t *testing.T) {
	c := open(t)
	if err := c.Exec(t.Context(), "CREATE TABLE t (w UInt8, n UInt64) ENGINE = MergeTree ORDER BY (w, n)"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range uint8(6) { // more than there are connections
		wg.Go(func() {
			for n := range uint64(5) {
				if err := c.Exec(t.Context(), fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", w, n)); err != nil {
					t.Error(err)
				}
				var got uint64
				if err := c.QueryRow(t.Context(), "SELECT count() FROM t WHERE w = {w:UInt8}", clickhouse.Named("w", w)).Scan(&got); err != nil || got != n+1 {
					t.Errorf("writer %d sees %d rows, want %d, %v", w, got, n+1, err)
				}
			}
		})
	}
	wg.Wait()
}

// A nil dereference must stay a panic that Go recovers from, although the engine
// touches the signal handlers whenever a connection is opened.
func TestSignalsStayWithGo(t *testing.T) {
	c := open(t)
	_ = c.Exec(t.Context(), "SELECT nothing") // an error: a connection is opened anew for it
	var one uint8
	for range 8 {
		if err := c.QueryRow(t.Context(), "SELECT 1").Scan(&one); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var p *http.Request
	_ = p.URL // reads through nil
}

func TestOneEnginePerProcess(t *testing.T) {
	_, err := chdb.Open(config(t.TempDir()), chdb.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("got %v", err)
	}
}

func TestPing(t *testing.T) {
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ping", nil))
	if diff := cmp.Diff("Ok.\n", w.Body.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPlainHTTP(t *testing.T) {
	for name, tc := range map[string]struct {
		params url.Values
		header http.Header
		body   string
		status int
		want   string
	}{
		"text by default":      {nil, nil, "SELECT 1 + 1", 200, "2\n"},
		"query in the address": {url.Values{"query": {"SELECT 'a'"}, "default_format": {"JSONEachRow"}}, nil, "", 200, `{"'a'":"a"}` + "\n"},
		"a format of its own":  {nil, nil, "SELECT 1 AS x FORMAT JSONCompact", 200, `"data"`},
		"a setting":            {url.Values{"max_threads": {"1"}}, nil, "SELECT getSetting('max_threads')", 200, "1\n"},
		"setting gone again":   {nil, nil, "SELECT getSetting('max_threads') > 1 OR 1", 200, "1\n"},
		"unknown setting":      {url.Values{"no_such": {"1"}}, nil, "SELECT 1", 500, "115"},
		"gzip":                 {nil, http.Header{"Content-Encoding": {"gzip"}}, "SELECT 1", 500, "Code: 48"},
		"compress":             {url.Values{"compress": {"1"}}, nil, "SELECT 1", 500, "Code: 48"},
		"external table":       {nil, http.Header{"Content-Type": {"multipart/form-data"}}, "", 500, "Code: 48"},
		"too long":             {nil, nil, "SELECT '" + strings.Repeat("x", 5<<20) + "'", 500, "Code: 261"},
		"unknown database":     {url.Values{"database": {"no`such"}}, nil, "SELECT 1", 500, "Code: 81"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/?"+tc.params.Encode(), bytes.NewBufferString(tc.body))
			maps.Copy(r.Header, tc.header)
			w := httptest.NewRecorder()
			engine.ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d %.200s, want %d with %q", w.Code, w.Body, tc.status, tc.want)
			}
		})
	}
}
