package importer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/stalker-asm/stalker/pipeline"
)

// readObjects takes the objects of a JSON array, of JSON Lines, or of anything in
// between: masscan's arrays end in commas, and a scan that was killed ends anywhere.
// An object is found by its braces, so that one that is broken does not hide the
// next line's.
func readObjects(in *bufio.Reader, out *sink, read func([]byte) ([]Finding, error)) error {
	s := scanner{in: in, line: 1}
	for {
		raw, line, err := s.next()
		out.res.Lines = s.line
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, errEntry) {
			return err
		}
		var fs []Finding
		bad := err
		if bad == nil {
			fs, bad = read(raw)
			ran(raw, fs)
		}
		if err := out.findings(line, fs, bad); err != nil {
			return err
		}
	}
}

// ran notes when the tool says it ran.
func ran(raw []byte, fs []Finding) {
	type object struct{ Timestamp flexible }
	o, err := decode[object](raw)
	if err != nil {
		return // read has said so
	}
	for i := range fs {
		fs[i].Ran = o.Timestamp.first()
	}
}

// errEntry is an entry that is no object; reading goes on behind it.
var errEntry = errors.New("entry")

type scanner struct {
	in   *bufio.Reader
	buf  []byte
	line int
	// again says that the brace of the next object was read already
	again bool
}

// next returns the next object and the line it begins on.
func (s *scanner) next() ([]byte, int, error) {
	c := byte('{')
	for !s.again {
		var err error
		if c, err = s.byte(); err != nil {
			return nil, s.line, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n,[]"), rune(c)) {
			break
		}
	}
	from := s.line
	s.again = false
	s.buf = append(s.buf[:0], c)
	if c != '{' {
		return nil, from, s.skip()
	}
	return s.object(from)
}

func (s *scanner) object(from int) ([]byte, int, error) {
	depth, inText, escaped, before, last := 1, false, false, byte('{'), byte('{')
	for depth > 0 {
		c, err := s.byte()
		if errors.Is(err, io.EOF) {
			return nil, from, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, from, err
		}
		if s.buf = append(s.buf, c); len(s.buf) > maxEntry {
			return nil, from, errors.Join(errEntry, s.skip(), pipeline.Errorf(pipeline.CodeTooLarge, "the object has more than %d bytes", maxEntry))
		}
		switch {
		case escaped:
			escaped = false
		case inText && c == '\\':
			escaped = true
		case c == '"':
			inText = !inText
		case inText && c == '\n': // no text holds one: the line broke off
			return nil, from, errors.Join(errEntry, pipeline.Errorf(pipeline.CodeInvalid, "the object breaks off at the end of the line"))
		case inText:
		case c == '{' && (last == '\n' || !bytes.ContainsRune([]byte(":,[{"), rune(before))): // nothing inside begins a line
			s.again = true
			return nil, from, errors.Join(errEntry, pipeline.Errorf(pipeline.CodeInvalid, "the object breaks off"))
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if last = c; c > ' ' {
			before = c
		}
	}
	return s.buf, from, nil
}

// skip passes over the rest of a line.
func (s *scanner) skip() error {
	seen := append([]byte(nil), s.buf[:min(len(s.buf), 40)]...)
	for {
		c, err := s.byte()
		if errors.Is(err, io.EOF) || err == nil && c == '\n' {
			return errors.Join(errEntry, pipeline.Errorf(pipeline.CodeInvalid, "%q is no JSON object", bytes.ToValidUTF8(seen, []byte("?"))))
		}
		if err != nil {
			return err
		}
		if len(seen) < 40 {
			seen = append(seen, c)
		}
	}
}

func (s *scanner) byte() (byte, error) {
	c, err := s.in.ReadByte()
	if c == '\n' && err == nil {
		s.line++
	}
	return c, err
}

// decode reads an object of which only what is asked for counts.
func decode[T any](raw []byte) (v T, err error) {
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, pipeline.Errorf(pipeline.CodeInvalid, "the object is not readable: %w", err)
	}
	return v, nil
}
