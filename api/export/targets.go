package export

import (
	"bufio"
	"io"
	"strings"
)

type targetWriter[T any] struct {
	w    *bufio.Writer
	of   func(*T) string
	last string
}

func newTargets[T any](w io.Writer, of func(*T) string) *targetWriter[T] {
	return &targetWriter[T]{w: bufio.NewWriterSize(w, 64<<10), of: of}
}

// Write writes the targets of rows, one per line. One that follows itself is
// written once. What holds a line end would be two and is left out.
func (t *targetWriter[T]) Write(rows []T) error {
	for i := range rows {
		s := t.of(&rows[i])
		if s == "" || s == t.last || strings.ContainsAny(s, "\r\n") {
			continue
		}
		t.last = s
		_, _ = t.w.WriteString(s) // an error stays and is given by Flush
		_ = t.w.WriteByte('\n')
	}
	return t.w.Flush()
}

// Close ends the file.
func (t *targetWriter[T]) Close() error { return t.w.Flush() }
