package chdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxQuery is how long a statement's text may be. The engine refuses more than
// 256 KiB by default; the data of an INSERT does not count.
const maxQuery = 4 << 20

// insertPiece is how many bytes of an INSERT are handed to the engine at once.
const insertPiece = 1 << 20

// request is what an HTTP request asks for.
type request struct {
	query    string
	body     io.Reader // the data of an INSERT, nil for everything else
	format   string    // of the output, unless the statement has its own
	database string
	settings map[string]string
	params   map[string]string
}

// ServeHTTP answers like ClickHouse's HTTP interface does, for the requests that
// clickhouse-go makes without compression.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/ping" {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	q, bad := parse(r)
	if bad != nil {
		e.metrics.ended(outcomeRefused)
		fail(w, bad.code, bad.reason)
		return
	}
	if q.query == helloQuery {
		_, _ = w.Write(e.hello)
		return
	}
	e.metrics.ended(e.serve(w, r, q))
}

// control are the URL parameters of the HTTP interface that are not settings of
// the statement. A time limit is the context's business here.
var control = map[string]bool{
	"query": true, "database": true, "default_format": true, "query_id": true, "quota_key": true,
	"client_protocol_version": true, "session_id": true, "session_timeout": true, "session_check": true,
	"role": true, "user": true, "password": true, "buffer_size": true, "wait_end_of_query": true,
	"compress": true, "decompress": true, "enable_http_compression": true, "max_execution_time": true,
	"http_write_exception_in_output_format": true, "send_progress_in_http_headers": true,
}

func parse(r *http.Request) (request, *refusal) {
	u := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return request{}, &refusal{codeNotImplemented, "the embedded engine takes no external tables"}
	}
	if r.Header.Get("Content-Encoding") != "" || u.Get("compress") == "1" || u.Get("decompress") == "1" {
		return request{}, &refusal{codeNotImplemented, "the embedded engine takes no compression; it is in the same process"}
	}
	q := request{query: u.Get("query"), format: u.Get("default_format"), database: u.Get("database")}
	if insertForm.MatchString(q.query) {
		q.body = r.Body
	} else {
		text, err := io.ReadAll(io.LimitReader(r.Body, maxQuery+1))
		if err != nil {
			return request{}, &refusal{codeBadRequest, "reading the statement: " + err.Error()}
		}
		q.query = strings.TrimPrefix(q.query+"\n"+string(text), "\n")
	}
	if len(q.query) > maxQuery {
		return request{}, &refusal{codeTooLarge, fmt.Sprintf("the statement is longer than %d bytes", maxQuery)}
	}
	if q.format == "" {
		q.format = "TabSeparated"
	}
	if q.database == "" {
		q.database = "default"
	}
	q.split(u)
	return q, nil
}

// split tells settings and bound parameters apart.
func (q *request) split(u url.Values) {
	for k, v := range u {
		if name, ok := strings.CutPrefix(k, "param_"); ok {
			set(&q.params, name, v[0])
		} else if !control[k] {
			set(&q.settings, k, v[0])
		}
	}
}

func set(m *map[string]string, k, v string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[k] = v
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request, q request) outcome {
	c, err := e.pool.acquire(r.Context(), q.database, q.settings)
	if err != nil {
		return ended(w, err)
	}
	bad := true
	defer func() { e.pool.release(c, bad) }()
	a, err := c.classify(q.query)
	if err != nil {
		return ended(w, err)
	}
	if no := judge(a, q.query); no != nil {
		bad = false // nothing ran
		fail(w, no.code, no.reason)
		return outcomeRefused
	}
	err = e.run(w, r, c, q)
	bad = err != nil
	if gone := r.Context().Err(); err != nil && gone != nil {
		err = gone // the engine's "killed" says less
	}
	return ended(w, err)
}

func (e *Engine) run(w http.ResponseWriter, r *http.Request, c *conn, q request) error {
	if m := formatForm.FindStringSubmatchIndex(q.query); q.body != nil && m != nil {
		return insertBody(w, r, c, q.query[:m[0]], q.query[m[2]:m[3]], q.body)
	}
	// when the caller goes, the statement is found and killed by this mark
	mark := fmt.Sprintf("/*stalker:%d*/ ", e.seq.Add(1))
	done := make(chan struct{})
	stop := context.AfterFunc(r.Context(), func() { e.killer.kill(mark, done) })
	defer stop()
	defer close(done)
	if selectForm.MatchString(q.query) && streamable(effectiveFormat(q)) {
		return streamOut(w, r, c, mark+q.query, q)
	}
	res, err := c.query(mark+q.query, q.format, q.params)
	if err != nil {
		return err
	}
	defer res.free()
	w.Header().Set("Content-Length", strconv.Itoa(len(res.bytes())))
	_, _ = w.Write(res.bytes()) // the caller may have gone; the statement is done
	return nil
}

func effectiveFormat(q request) string {
	if m := formatForm.FindStringSubmatch(q.query); m != nil {
		return m[1]
	}
	return q.format
}

func insertBody(w http.ResponseWriter, r *http.Request, c *conn, stmt, format string, body io.Reader) error {
	ins, err := c.insert(stmt, format)
	if err != nil {
		return err
	}
	buf := make([]byte, insertPiece)
	for {
		n, err := io.ReadFull(body, buf)
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			ins.abort()
			return fmt.Errorf("reading the data: %w", err)
		}
		if _, err := ins.Write(buf[:n]); err != nil {
			if _, cause := ins.commit(); cause != nil {
				return cause // says more than the refusal
			}
			return err
		}
		if last {
			break
		}
	}
	if err := r.Context().Err(); err != nil {
		ins.abort()
		return err
	}
	rows, err := ins.commit()
	if err != nil {
		return err
	}
	w.Header().Set("X-ClickHouse-Summary", fmt.Sprintf(`{"written_rows":"%d"}`, rows))
	w.WriteHeader(http.StatusOK)
	return nil
}

// streamOut writes the output while it is computed. The first piece is held back
// until the second is there, so that an error before gets a status of its own; a
// later one is written into the output the way ClickHouse does it.
func streamOut(w http.ResponseWriter, r *http.Request, c *conn, sql string, q request) error {
	s, err := c.stream(sql, q.format, q.params)
	if err != nil {
		return err
	}
	defer s.close()
	out := &output{w: w}
	for {
		piece, err := s.next()
		if err != nil {
			return out.failed(err)
		}
		if piece == nil {
			out.end()
			return nil
		}
		err = out.add(piece)
		if err == nil {
			err = r.Context().Err()
		}
		if err != nil {
			out.drop()
			return err
		}
	}
}

// output is a response of which one piece is held back.
type output struct {
	w       http.ResponseWriter
	held    *result
	started bool
	tag     string // marks a late error in the output; names it beforehand in a header
}

func (o *output) add(piece *result) error {
	if o.held == nil {
		o.held = piece
		return nil
	}
	if !o.started {
		o.started, o.tag = true, randomTag()
		o.w.Header().Set("X-ClickHouse-Exception-Tag", o.tag)
	}
	_, err := o.w.Write(o.held.bytes())
	o.held.free()
	o.held = piece
	return err
}

func (o *output) end() {
	if o.held == nil {
		o.w.Header().Set("Content-Length", "0")
		o.w.WriteHeader(http.StatusOK)
		return
	}
	if !o.started {
		o.w.Header().Set("Content-Length", strconv.Itoa(len(o.held.bytes())))
	}
	_, _ = o.w.Write(o.held.bytes())
	o.drop()
}

func (o *output) drop() {
	if o.held != nil {
		o.held.free()
		o.held = nil
	}
}

// failed ends the output with err; before anything was written that is left to
// the caller.
func (o *output) failed(err error) error {
	o.drop()
	if o.started {
		msg := err.Error()
		_, _ = fmt.Fprintf(o.w, "\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", o.tag, msg, len(msg)+1, o.tag)
		return &lateError{err}
	}
	return err
}

// lateError is an error that stands in the output already.
type lateError struct{ error }

func (e *lateError) Unwrap() error { return e.error }

func randomTag() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte('a' + rand.IntN(26)) //nolint:gosec // a tag that must be unlike the data, not secret
	}
	return string(b)
}

// ended writes err, when there is one to write, and says how the statement ended.
func ended(w http.ResponseWriter, err error) outcome {
	var late *lateError
	switch {
	case err == nil:
		return outcomeOK
	case errors.As(err, &late):
		return outcomeFailed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		fail(w, codeCancelled, err.Error()) // whoever still reads must not take it for success
		return outcomeCancelled
	default:
		fail(w, 0, err.Error())
		return outcomeFailed
	}
}

// fail writes an error the way ClickHouse does. A message of the engine brings
// its own code.
func fail(w http.ResponseWriter, code int, msg string) {
	if m := codeForm.FindStringSubmatch(msg); m != nil && code == 0 {
		code, _ = strconv.Atoi(m[1]) // digits
	} else {
		if code == 0 {
			code = codeUnknown
		}
		msg = fmt.Sprintf("Code: %d. DB::Exception: %s.", code, msg)
	}
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(code))
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, msg) //nolint:gosec // plain text, to the driver in this process
}
