package chdb

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// conn is one connection to the engine: a session with a current database and
// settings. It runs one statement at a time and is used by one goroutine at a
// time. After any error it must be closed: the output a failed statement had
// begun would otherwise be put in front of the next result.
type conn struct {
	lib *library
	h   ptr // what chdb_connect gave

	database string
	settings map[string]string
}

func (c *conn) raw() ptr { return *(*ptr)(c.h) }

func (c *conn) close() {
	if c.h != nil {
		c.lib.closeConn(c.h)
		c.h = nil
	}
}

// result is the whole output of a statement. free it.
type result struct {
	lib *library
	p   ptr
}

func (r *result) bytes() []byte { return r.lib.bytes(r.p) }
func (r *result) free()         { r.lib.destroy(r.p) }

func (c *conn) query(sql, format string, params map[string]string) (*result, error) {
	p := pinParameters(params)
	defer p.unpin()
	res := c.lib.query(c.raw(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)),
		ptr(&p.names[0]), ptr(&p.nameLens[0]), ptr(&p.values[0]), ptr(&p.valueLens[0]), p.count)
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	res, err := c.lib.take(res)
	if err != nil {
		return nil, err
	}
	return &result{lib: c.lib, p: res}, nil
}

// exec runs a statement for its effect.
func (c *conn) exec(sql string) error {
	r, err := c.query(sql, "Null", nil)
	if err == nil {
		r.free()
	}
	return err
}

// text runs a statement and returns its output as tab separated text.
func (c *conn) text(sql string) (string, error) {
	r, err := c.query(sql, "TSV", nil)
	if err != nil {
		return "", err
	}
	defer r.free()
	return strings.TrimSuffix(string(r.bytes()), "\n"), nil
}

// stream is the output of a statement, computed while it is read.
type stream struct {
	c    *conn
	p    ptr
	done bool
}

func (c *conn) stream(sql, format string, params map[string]string) (*stream, error) {
	p := pinParameters(params)
	defer p.unpin()
	res := c.lib.stream(c.raw(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)),
		ptr(&p.names[0]), ptr(&p.nameLens[0]), ptr(&p.values[0]), ptr(&p.valueLens[0]), p.count)
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	res, err := c.lib.take(res)
	if err != nil {
		return nil, err
	}
	return &stream{c: c, p: res}, nil
}

// next returns the next piece of output, nil after the last.
func (s *stream) next() (*result, error) {
	if s.done {
		return nil, nil //nolint:nilnil // the documented end
	}
	res, err := s.c.lib.take(s.c.lib.fetch(s.c.raw(), s.p))
	if err != nil {
		s.done = true
		return nil, err
	}
	if s.c.lib.length(res) == 0 {
		s.done = true
		s.c.lib.destroy(res)
		return nil, nil //nolint:nilnil // the documented end
	}
	return &result{lib: s.c.lib, p: res}, nil
}

// close frees the stream. A stream that was not read to its end is cancelled;
// cancelling one that was is not safe.
func (s *stream) close() {
	if !s.done {
		s.c.lib.cancel(s.c.raw(), s.p)
	}
	s.c.lib.destroy(s.p)
}

// insertion is an INSERT whose data comes piece by piece.
type insertion struct {
	lib *library
	p   ptr
}

// insert begins one; sql has no FORMAT clause.
func (c *conn) insert(sql, format string) (*insertion, error) {
	p := c.lib.insert(c.raw(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(format)
	if p == nil {
		return nil, errors.New("the engine gave no insert stream")
	}
	i := &insertion{lib: c.lib, p: p}
	if err := i.err(); err != nil {
		c.lib.insertDestroy(p)
		return nil, err
	}
	return i, nil
}

func (i *insertion) err() error {
	if e := i.lib.insertError(i.p); e != nil {
		return errors.New(goString(e))
	}
	return nil
}

// Write hands b over; the engine has copied it when Write returns.
func (i *insertion) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if i.lib.insertAppend(i.p, ptr(&b[0]), uintptr(len(b))) == 0 {
		return len(b), nil
	}
	if err := i.err(); err != nil {
		return 0, err
	}
	return 0, errors.New("the engine refused the data")
}

// commit ends the data and returns how many rows were written. The insertion is
// gone afterwards.
func (i *insertion) commit() (uint64, error) {
	res, err := i.lib.take(i.lib.insertDone(i.p))
	i.lib.insertDestroy(i.p)
	if err != nil {
		return 0, err
	}
	defer i.lib.destroy(res)
	return i.lib.rowsWritten(res), nil
}

// abort drops what was handed over. The insertion is gone afterwards.
func (i *insertion) abort() {
	i.lib.insertCancel(i.p)
	i.lib.insertDestroy(i.p)
}

// class is what a statement does, as the engine's parser sees it.
type class uint32

const (
	classRead    class = iota // leaves no trace
	classWrite                // changes a database
	classGlobal               // changes something beside the databases: users, functions, …
	classControl              // session, server, files
	classUnknown              // does not parse
)

// analysis mirrors chdb_query_analysis_v1.
type analysis struct {
	size, statements, flags, class uint32
}

func (c *conn) classify(sql string) (analysis, error) {
	a := analysis{size: 16}
	rc := c.lib.classify(c.raw(), cBytes(sql), uintptr(len(sql)), cBytes(c.database), uintptr(len(c.database)), ptr(&a))
	runtime.KeepAlive(sql)
	if rc != 0 {
		return a, fmt.Errorf("the engine could not classify the statement (%d)", rc)
	}
	return a, nil
}
