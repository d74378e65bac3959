package local

import (
	"bytes"
	"strings"
	"sync"

	"github.com/stalker-asm/stalker/pipeline"
)

// maxLine is the longest output line in bytes; a longer one is cut, visibly.
const maxLine = 16 << 10

const cutMark = " … (line cut)"

// lines splits what a process prints. It holds at most one line.
type lines struct {
	mu      sync.Mutex
	stream  pipeline.Stream
	out     func(pipeline.Stream, string)
	buf     []byte
	cutting bool   // the rest of a line that was too long is thrown away
	last    string // last line that was not blank
}

func newLines(s pipeline.Stream, out func(pipeline.Stream, string)) *lines {
	return &lines{stream: s, out: out}
}

// Write never fails: a process must not notice that it is watched.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.keep(p)
			break
		}
		l.keep(p[:i])
		l.emit()
		p = p[i+1:]
	}
	return n, nil
}

func (l *lines) keep(p []byte) {
	if l.cutting {
		return
	}
	if free := maxLine - len(l.buf); len(p) > free {
		p, l.cutting = p[:free], true
	}
	l.buf = append(l.buf, p...)
}

func (l *lines) emit() {
	text := strings.TrimSuffix(strings.ToValidUTF8(string(l.buf), "\uFFFD"), "\r")
	if l.cutting {
		text += cutMark
	}
	l.buf, l.cutting = l.buf[:0], false
	if strings.TrimSpace(text) != "" {
		l.last = text
	}
	l.out(l.stream, text)
}

// lastWords returns the last line that was not blank.
func (l *lines) lastWords() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// flush emits a last line without an end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > 0 {
		l.emit()
	}
}
