package export

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvWriter writes RFC 4180: CRLF ends a row, quotes are doubled. encoding/csv
// would do too, but changes line ends inside of texts.
type csvWriter[T any] struct {
	w       *bufio.Writer
	columns []Column[T]
	started bool
}

func newCSV[T any](w io.Writer, columns []Column[T]) *csvWriter[T] {
	return &csvWriter[T]{w: bufio.NewWriterSize(w, 64<<10), columns: columns}
}

func (c *csvWriter[T]) header() {
	if c.started {
		return
	}
	c.started = true
	for i, x := range c.columns {
		c.cell(i, x.Name)
	}
	_, _ = c.w.WriteString("\r\n") // an error stays and is given by Flush
}

// Write writes rows.
func (c *csvWriter[T]) Write(rows []T) error {
	c.header()
	for i := range rows {
		for j := range c.columns {
			c.cell(j, cell(c.columns[j].Get(&rows[i])))
		}
		_, _ = c.w.WriteString("\r\n")
	}
	return c.w.Flush()
}

// Close ends the file; without rows it has the names of the columns.
func (c *csvWriter[T]) Close() error {
	c.header()
	return c.w.Flush()
}

func (c *csvWriter[T]) cell(i int, s string) {
	if i > 0 {
		_ = c.w.WriteByte(',')
	}
	if !strings.ContainsAny(s, "\",\r\n") {
		_, _ = c.w.WriteString(s)
		return
	}
	_ = c.w.WriteByte('"')
	_, _ = c.w.WriteString(strings.ReplaceAll(s, `"`, `""`))
	_ = c.w.WriteByte('"')
}

// cell is a value as text. Only texts can be taken for formulas: a number that is
// negative is a number.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return Harmless(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return stamp(v)
	case []string:
		return Harmless(strings.Join(v, "; "))
	default:
		b, err := json.Marshal(v)
		if err != nil { // what came from JSON goes back
			return ""
		}
		return Harmless(string(b))
	}
}

// Harmless puts an apostrophe before a text that a spreadsheet would calculate,
// also where it ignores what is before the sign.
func Harmless(s string) string {
	t := strings.TrimLeft(s, " \u00a0\ufeff\u200b\x00")
	if t == "" {
		return s
	}
	for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(t, sign) {
			return "'" + s
		}
	}
	return s
}
