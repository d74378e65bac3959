package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/stalker-asm/stalker/api/export"
	"github.com/stalker-asm/stalker/pipeline"
)

var seenAt = time.Date(2026, 11, 25, 10, 0, 0, 5e6, time.UTC)

func hostile() []pipeline.Host {
	return []pipeline.Host{
		{Seen: pipeline.Seen{ID: "1", ProjectID: "p", Tags: []string{"a", "b"}, Owner: `=cmd|' /C calc'!A0`, Note: "two\nlines, \"quoted\"", FirstSeen: seenAt}, IP: "10.0.0.1", OS: "+1", Domains: []string{"a.example", "b.example"}, Ports: 2},
		{Seen: pipeline.Seen{ID: "2", ProjectID: "p", Tags: []string{}, Owner: " @SUM(1)", Note: "-2", Blocked: true}, IP: "2001:db8::1", Domains: []string{}},
	}
}

func write[T any](t *testing.T, f export.Format, table *export.Table[T], fields []string, rows ...T) string {
	t.Helper()
	var b bytes.Buffer
	w, err := export.New(&b, f, table, fields)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(rows[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCSVIsReadBackAndCalculatesNothing(t *testing.T) {
	text := write(t, export.CSV, export.Hosts(), nil, hostile()...)
	if !strings.HasPrefix(text, "ip,os,domains,ports,tags,owner,note,blocked,firstSeen,lastSeen,projectId,id,correlationKey\r\n") {
		t.Errorf("the header is %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"10.0.0.1", "'+1", "a.example; b.example", "2", "a; b", `'=cmd|' /C calc'!A0`, "two\nlines, \"quoted\"", "false", "2026-11-25T10:00:00.005Z", "", "p", "1", ""},
		{"2001:db8::1", "", "", "0", "", "' @SUM(1)", "'-2", "true", "", "", "p", "2", ""},
	}
	if diff := cmp.Diff(want, rows[1:]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := write(t, export.CSV, export.Hosts(), []string{"note", "ip", "note"}); got != "note,ip\r\n" {
		t.Errorf("an empty list is %q", got)
	}
	code := -1
	if got := write(t, export.CSV, export.Executions(), []string{"exitCode"}, pipeline.Execution{ExitCode: &code}); got != "exitCode\r\n-1\r\n" {
		t.Errorf("a negative number is %q", got)
	}
}

func TestJSON(t *testing.T) {
	rows := hostile()
	var whole []pipeline.Host
	if err := json.Unmarshal([]byte(write(t, export.JSON, export.Hosts(), nil, rows...)), &whole); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, whole); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := write(t, export.JSON, export.Hosts(), nil); got != "[\n]\n" {
		t.Errorf("an empty list is %q", got)
	}
	want := `{"ip":"10.0.0.1","tags":["a","b"],"firstSeen":"2026-11-25T10:00:00.005Z","os":"+1"}` + "\n" + `{"ip":"2001:db8::1","tags":[],"firstSeen":null,"os":""}` + "\n"
	if diff := cmp.Diff(want, write(t, export.JSONL, export.Hosts(), []string{"ip", "tags", "firstSeen", "os"}, rows...)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParquetIsReadBack(t *testing.T) {
	type row struct {
		IP      string     `parquet:"ip"`
		Ports   *int64     `parquet:"ports,optional"`
		Tags    []string   `parquet:"tags,list"`
		Blocked *bool      `parquet:"blocked,optional"`
		First   *time.Time `parquet:"firstSeen,optional,timestamp"`
		Note    string     `parquet:"note"`
	}
	text := write(t, export.Parquet, export.Hosts(), []string{"ip", "ports", "tags", "blocked", "firstSeen", "note"}, hostile()...)
	rows, err := parquet.Read[row](strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	two, none, yes, no := int64(2), int64(0), true, false
	want := []row{
		{IP: "10.0.0.1", Ports: &two, Tags: []string{"a", "b"}, Blocked: &no, First: &seenAt, Note: "two\nlines, \"quoted\""},
		{IP: "2001:db8::1", Ports: &none, Tags: []string{}, Blocked: &yes, Note: "-2"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	every := write(t, export.Parquet, export.Findings(), nil, pipeline.StoredFinding{Key: "K", Fields: []pipeline.Field{{Key: "a", Data: "x"}, {Key: "a", Data: 1.5}}})
	found, err := parquet.Read[struct {
		Key    string  `parquet:"key"`
		Fields *string `parquet:"fields,optional,json"`
		Port   *int64  `parquet:"port,optional"`
	}](strings.NewReader(every), int64(len(every)))
	if err != nil || len(found) != 1 || found[0].Key != "K" || *found[0].Fields != `{"a":["x",1.5]}` || found[0].Port != nil {
		t.Errorf("a finding comes back as %+v, %v", found, err)
	}
}

func TestTargets(t *testing.T) {
	if got := write(t, export.Targets, export.Ports(), nil, pipeline.Port{IP: "10.0.0.1", Port: 80}, pipeline.Port{IP: "10.0.0.1", Port: 80}, pipeline.Port{IP: "2001:db8::1", Port: 443}); got != "10.0.0.1:80\n[2001:db8::1]:443\n" {
		t.Errorf("ports as targets: %q", got)
	}
	if got := write(t, export.Targets, export.Websites(), nil, pipeline.Website{URL: "https://a/\nrm -rf"}, pipeline.Website{URL: "https://b/"}); got != "https://b/\n" {
		t.Errorf("websites as targets: %q", got)
	}
	bits := 24
	if got := write(t, export.Targets, export.Findings(), nil, pipeline.StoredFinding{Locators: pipeline.Locators{IP: "10.0.0.0", Mask: &bits}}, pipeline.StoredFinding{Locators: pipeline.Locators{IP: "10.0.0.1", Domain: "a.b", Port: 80}}, pipeline.StoredFinding{}); got != "10.0.0.0/24\na.b:80\n" {
		t.Errorf("findings as targets: %q", got)
	}
	for _, err := range []error{
		second(export.New(io.Discard, export.Targets, export.Executions(), nil)), second(export.New(io.Discard, "xls", export.Hosts(), nil)), second(export.New(io.Discard, export.CSV, export.Hosts(), []string{"colour"})),
	} {
		if pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestMemoryIsConstant writes many rows and looks at what is held at the end.
func TestMemoryIsConstant(t *testing.T) {
	rows := make([]pipeline.Host, 4000)
	for i := range rows {
		rows[i] = hostile()[i%2]
	}
	for _, f := range export.Formats() {
		w, err := export.New(io.Discard, f, export.Hosts(), nil)
		if err != nil {
			t.Fatal(err)
		}
		held := func(batches int) uint64 {
			for range batches {
				if err := w.Write(rows); err != nil {
					t.Fatal(err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		if before, after := held(20), held(60); after > before+64<<20 {
			t.Errorf("%s holds %d MiB after 80 000 rows and %d MiB after 320 000", f, before>>20, after>>20)
		}
	}
}

func BenchmarkExport(b *testing.B) {
	rows := make([]pipeline.Port, 4000)
	for i := range rows {
		rows[i] = pipeline.Port{Seen: pipeline.Seen{ID: "0123456789abcdef01234567", ProjectID: "0123456789abcdef01234567", CorrelationKey: "project:0123456789abcdef01234567;host:10.0.0.1;port:443;protocol:tcp", Tags: []string{"a"}, FirstSeen: seenAt, LastSeen: seenAt}, IP: "10.0.0.1", Port: i, Protocol: "tcp", Service: "https", Product: "nginx"}
	}
	for _, f := range export.Formats() {
		b.Run(string(f), func(b *testing.B) {
			w, err := export.New(io.Discard, f, export.Ports(), nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := w.Write(rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
