package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// jsonWriter writes an array, or one object per line. No columns means the whole
// row as it is.
type jsonWriter[T any] struct {
	w       *bufio.Writer
	columns []Column[T]
	keys    [][]byte // the columns' names as JSON, with the colon
	array   bool
	any     bool // a row was written
}

func newJSON[T any](w io.Writer, columns []Column[T], array bool) *jsonWriter[T] {
	j := &jsonWriter[T]{w: bufio.NewWriterSize(w, 64<<10), columns: columns, array: array}
	for _, c := range columns {
		k, _ := json.Marshal(c.Name) // a string always marshals
		j.keys = append(j.keys, append(k, ':'))
	}
	return j
}

// Write writes rows.
func (j *jsonWriter[T]) Write(rows []T) error {
	for i := range rows {
		b, err := j.row(&rows[i])
		if err != nil {
			return fmt.Errorf("encoding a row: %w", err)
		}
		j.before()
		_, _ = j.w.Write(b) // an error stays and is given by Flush
		if !j.array {
			_ = j.w.WriteByte('\n')
		}
	}
	return j.w.Flush()
}

func (j *jsonWriter[T]) before() {
	switch {
	case !j.array:
	case j.any:
		_, _ = j.w.WriteString(",\n")
	default:
		_, _ = j.w.WriteString("[\n")
	}
	j.any = true
}

func (j *jsonWriter[T]) row(r *T) ([]byte, error) {
	if j.columns == nil {
		return json.Marshal(r)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range j.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(j.keys[i])
		v := j.columns[i].Get(r)
		if t, ok := v.(time.Time); ok {
			v = nil
			if !t.IsZero() {
				v = stamp(t)
			}
		}
		x, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b.Write(x)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Close ends the file.
func (j *jsonWriter[T]) Close() error {
	if j.array {
		if !j.any {
			_, _ = j.w.WriteString("[")
		}
		_, _ = j.w.WriteString("\n]\n")
	}
	return j.w.Flush()
}
