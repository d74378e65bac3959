// Package export writes lists as files, row by row in constant memory: CSV (RFC 4180),
// JSON, JSON Lines, Parquet, and plain targets, one per line.
//
// What is exported came from outside. A spreadsheet takes a cell that begins with
// one of = + - @, a tab or a carriage return for a formula, so in CSV texts that do
// so get an apostrophe in front (OWASP, CSV injection); JSON and Parquet hold texts
// as they are.
//
// A file is complete only after Close. A Writer is for one goroutine.
package export

import (
	"io"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Format is a form of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSON    Format = "json"  // one array
	JSONL   Format = "jsonl" // one object per line
	Parquet Format = "parquet"
	Targets Format = "targets" // what tools take as input: a host, URL or host:port per line
)

// Formats lists every format.
func Formats() []Format { return []Format{CSV, JSON, JSONL, Parquet, Targets} }

// Media is the media type of a format.
func (f Format) Media() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case JSON:
		return "application/json"
	case JSONL:
		return "application/x-ndjson"
	case Parquet:
		return "application/vnd.apache.parquet"
	default:
		return "text/plain; charset=utf-8"
	}
}

// Extension is how the name of a file ends.
func (f Format) Extension() string {
	if f == Targets {
		return "txt"
	}
	return string(f)
}

// Writer writes rows.
type Writer[T any] interface {
	Write(rows []T) error
	Close() error
}

// Type is the type of a column.
type Type int

// The types.
const (
	Text  Type = iota // string
	Int               // int64
	Float             // float64
	Time              // time.Time, the zero time is none
	Bool              // bool
	List              // []string
	Value             // anything, as JSON
)

// Column is a column of a table. Get returns a value of its type, or nil for none.
type Column[T any] struct {
	Name string
	Type Type
	Get  func(*T) any
}

// Table is how one kind of thing is exported.
type Table[T any] struct {
	Name    string // of the file
	Columns []Column[T]
	// Target is what a tool would be given to look at a row, "" for nothing; nil when
	// the kind has none.
	Target func(*T) string
}

// Pick returns the columns with the given names, all when there are none.
func (t *Table[T]) Pick(names []string) ([]Column[T], error) {
	if len(names) == 0 {
		return t.Columns, nil
	}
	var out []Column[T]
	seen := map[string]bool{}
next:
	for _, n := range names {
		for _, c := range t.Columns {
			if c.Name != n {
				continue
			}
			if !seen[n] {
				out = append(out, c)
			}
			seen[n] = true
			continue next
		}
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "fields: %s has no column %q, it has %s", t.Name, n, strings.Join(t.names(), ", "))
	}
	return out, nil
}

func (t *Table[T]) names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// New returns a writer of a table with some of its columns, all when none are
// named. JSON without a choice of columns writes rows as the API does.
func New[T any](w io.Writer, f Format, t *Table[T], fields []string) (Writer[T], error) {
	columns, err := t.Pick(fields)
	if err != nil {
		return nil, err
	}
	switch f {
	case CSV:
		return newCSV(w, columns), nil
	case JSON, JSONL:
		if len(fields) == 0 {
			columns = nil
		}
		return newJSON(w, columns, f == JSON), nil
	case Parquet:
		return newParquet(w, columns)
	case Targets:
		if t.Target == nil {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "format: %s are no targets", t.Name)
		}
		return newTargets(w, t.Target), nil
	default:
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "format: %q is none of %v", f, Formats())
	}
}

// stamp is a time as text, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
