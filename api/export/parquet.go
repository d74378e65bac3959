package export

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
)

// groupRows is how many rows are held before they are written as a row group.
const groupRows = 64 << 10

// parquetWriter writes Parquet. The columns stand in the order of their names.
type parquetWriter[T any] struct {
	w       *parquet.Writer //nolint:staticcheck // the columns are known at run time only; the generic writer wants a Go type
	columns []Column[T]     // in the order of the file
	values  []parquet.Value // of one column of a chunk
	text    []byte          // what those are that are texts
	held    int
}

func newParquet[T any](w io.Writer, columns []Column[T]) (*parquetWriter[T], error) {
	group := parquet.Group{}
	for _, c := range columns {
		group[c.Name] = node(c.Type)
	}
	schema := parquet.NewSchema("row", group)
	cfg, err := parquet.NewWriterConfig(schema, parquet.Compression(&parquet.Snappy), parquet.CreatedBy("stalker", "1", ""), parquet.PageBufferSize(64<<10))
	if err != nil {
		return nil, fmt.Errorf("preparing the file: %w", err)
	}
	p := &parquetWriter[T]{w: parquet.NewWriter(w, cfg), columns: slices.Clone(columns)}
	slices.SortFunc(p.columns, func(a, b Column[T]) int { return leaf(schema, a.Name) - leaf(schema, b.Name) })
	return p, nil
}

// leaf is the number of a column in a file; a list's is that of its elements.
func leaf(s *parquet.Schema, name string) int {
	for _, path := range [][]string{{name}, {name, "list", "element"}} {
		if l, ok := s.Lookup(path...); ok {
			return l.ColumnIndex
		}
	}
	return -1
}

func node(t Type) parquet.Node {
	switch t {
	case Int:
		return parquet.Optional(parquet.Int(64))
	case Float:
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case Time:
		return parquet.Optional(parquet.Timestamp(parquet.Millisecond))
	case Bool:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType))
	case List:
		return parquet.List(parquet.String())
	case Value:
		return parquet.Optional(parquet.JSON())
	default:
		return parquet.String()
	}
}

// chunkRows is how many rows are written at once, column by column: a page may become
// larger than it should be by so many values.
const chunkRows = 128

// Write writes rows.
func (p *parquetWriter[T]) Write(rows []T) error {
	for chunk := range slices.Chunk(rows, chunkRows) {
		if err := p.chunk(chunk); err != nil {
			return fmt.Errorf("writing rows: %w", err)
		}
	}
	return nil
}

func (p *parquetWriter[T]) chunk(rows []T) error {
	for j, column := range p.w.ColumnWriters() {
		p.values, p.text = p.values[:0], p.text[:0]
		c := &p.columns[j]
		for i := range rows {
			p.add(j, c.Type, c.Get(&rows[i]))
		}
		if _, err := column.WriteRowValues(p.values); err != nil {
			return err
		}
	}
	if p.held += len(rows); p.held < groupRows {
		return nil
	}
	p.held = 0
	return p.w.Flush()
}

// add appends the values of a cell: one, or as many as a list has.
func (p *parquetWriter[T]) add(column int, t Type, v any) {
	if list, ok := v.([]string); ok && t == List {
		for i, s := range list {
			p.values = append(p.values, p.textValue(s).Level(min(i, 1), 1, column))
		}
		if len(list) == 0 {
			p.values = append(p.values, parquet.NullValue().Level(0, 0, column))
		}
		return
	}
	value, defined := p.leafValue(v)
	if t == Text { // required
		p.values = append(p.values, value.Level(0, 0, column))
		return
	}
	p.values = append(p.values, value.Level(0, defined, column))
}

// textValue is a text as a value, until the column is written.
func (p *parquetWriter[T]) textValue(s string) parquet.Value {
	start := len(p.text)
	p.text = append(p.text, s...) // where it moves, earlier values keep what they have
	return parquet.ByteArrayValue(p.text[start:])
}

func (p *parquetWriter[T]) leafValue(v any) (parquet.Value, int) {
	switch v := v.(type) {
	case nil:
		return parquet.NullValue(), 0
	case string:
		return p.textValue(v), 1
	case int64:
		return parquet.Int64Value(v), 1
	case float64:
		return parquet.DoubleValue(v), 1
	case bool:
		return parquet.BooleanValue(v), 1
	case time.Time:
		if v.IsZero() {
			return parquet.NullValue(), 0
		}
		return parquet.Int64Value(v.UnixMilli()), 1
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return parquet.NullValue(), 0
		}
		return parquet.ByteArrayValue(b), 1
	}
}

// Close writes what is held and the end of the file.
func (p *parquetWriter[T]) Close() error { return p.w.Close() }
