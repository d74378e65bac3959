package importer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/stalker-asm/stalker/pipeline"
)

// source counts what was read, packed and unpacked, and ends what grows too much.
type source struct {
	from     io.Reader
	packed   *counter
	unpacked int64
	gz       bool
}

type counter struct {
	from io.Reader
	n    int64
}

// Read counts.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)
	return n, err
}

// Text packs to a tenth or a fiftieth; a hundred and more is no scan's result.
const (
	maxRatio  = 200
	freeRatio = 16 << 20 // small files may be of whatever they are
)

var errBomb = pipeline.Errorf(pipeline.CodeTooLarge, "the file unpacks to more than %d times its size: unpack it yourself if that is right", maxRatio)

func unpack(r io.Reader) (*source, error) {
	packed := &counter{from: r}
	head := make([]byte, 2)
	n, err := io.ReadFull(packed, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading file: %w", err)
	}
	s := &source{packed: packed, from: io.MultiReader(bytes.NewReader(head[:n]), packed)}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return s, nil
	}
	s.gz = true
	if s.from, err = gzip.NewReader(s.from); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the file begins like gzip and is none: %w", err)
	}
	return s, nil
}

// Read reads what was packed.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.from.Read(b)
	s.unpacked += int64(n)
	switch {
	case s.unpacked > MaxFile:
		return 0, ErrTooLarge
	case s.gz && s.unpacked > freeRatio && s.unpacked > maxRatio*s.packed.n:
		return 0, errBomb
	}
	return n, err
}

// truncated reports whether an error says that the file breaks off, and not that
// something is wrong with it or with reading it.
func (s *source) truncated(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
