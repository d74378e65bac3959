package chdb

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

type ptr = unsafe.Pointer

// library holds the entry points of libchdb that are used here, under the names
// of its C interface. chdb_connect gives a pointer to the handle that the others
// take; strings go with their length and may hold any byte.
type library struct {
	sigaction func(sig int32, act, old ptr) int32

	setSignalHandlers func(on int32)
	version           func() string
	connect           func(argc int32, argv ptr) ptr
	closeConn         func(conn ptr)

	query       func(conn, q ptr, ql uintptr, f ptr, fl uintptr, names, nlens, vals, vlens ptr, n uintptr) ptr
	stream      func(conn, q ptr, ql uintptr, f ptr, fl uintptr, names, nlens, vals, vlens ptr, n uintptr) ptr
	fetch       func(conn, res ptr) ptr
	cancel      func(conn, res ptr)
	destroy     func(res ptr)
	buffer      func(res ptr) ptr
	length      func(res ptr) uintptr
	resultError func(res ptr) ptr
	rowsWritten func(res ptr) uint64
	classify    func(conn, q ptr, ql uintptr, db ptr, dl uintptr, out ptr) int32

	insert        func(conn, q ptr, ql uintptr, f ptr, fl uintptr) ptr
	insertAppend  func(s, data ptr, n uintptr) int32
	insertDone    func(s ptr) ptr
	insertCancel  func(s ptr)
	insertError   func(s ptr) ptr
	insertDestroy func(s ptr)
}

// process is the one package state, because the engine forces it: a process can
// load libchdb once, runs one engine in it, and that engine has one data path.
var process struct {
	sync.Mutex
	path string   // where lib was loaded from
	lib  *library // nil until loaded
	open bool     // an Engine is open
}

// load opens the library, once per process, with the mutex of process held.
// Signal handlers are refused before anything else runs in it: with them on, a
// nil dereference that Go would recover from hangs the process.
func load(path string) (*library, error) {
	if process.lib != nil {
		if path != process.path {
			return nil, fmt.Errorf("this process has loaded %s already and cannot load %s too", process.path, path)
		}
		return process.lib, nil
	}
	libc, err := purego.Dlopen("libc.so.6", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, errLoad("libc.so.6", err)
	}
	l := &library{}
	if err := bind(libc, map[string]any{"sigaction": &l.sigaction}); err != nil {
		return nil, err
	}
	var handle uintptr
	l.guard(func() { handle, err = purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL) })
	if err != nil {
		return nil, errLoad(path, err)
	}
	if err := bind(handle, l.symbols()); err != nil {
		return nil, fmt.Errorf("%s is not libchdb %s: %w", path, LibraryVersion, err)
	}
	l.guard(func() { l.setSignalHandlers(0) })
	process.lib, process.path = l, path
	return l, nil
}

func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_version":                     &l.version,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_query_with_params_n":  &l.stream,
		"chdb_stream_fetch_result":         &l.fetch,
		"chdb_stream_cancel_query":         &l.cancel,
		"chdb_destroy_query_result":        &l.destroy,
		"chdb_result_buffer":               &l.buffer,
		"chdb_result_length":               &l.length,
		"chdb_result_error":                &l.resultError,
		"chdb_result_rows_written":         &l.rowsWritten,
		"chdb_classify_query_n":            &l.classify,
		"chdb_stream_insert_n":             &l.insert,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
	}
}

func bind(handle uintptr, symbols map[string]any) error {
	for name, fn := range symbols {
		sym, err := purego.Dlsym(handle, name)
		if err != nil {
			return fmt.Errorf("finding %s: %w", name, err)
		}
		purego.RegisterFunc(fn, sym)
	}
	return nil
}

// dial opens one connection to the engine of the process; the first starts it.
// The engine reports why it cannot on stderr only.
func (l *library) dial(args []string) (ptr, error) {
	args = append([]string{"clickhouse"}, args...)
	argv := make([]ptr, len(args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for i, a := range args {
		b := append([]byte(a), 0)
		pin.Pin(&b[0])
		argv[i] = ptr(&b[0])
	}
	var h ptr
	// chdb_connect puts every deadly signal back to its default each time
	l.guard(func() { h = l.connect(int32(len(args)), ptr(&argv[0])) })
	if h == nil || *(*ptr)(h) == nil {
		return nil, errors.New("the engine did not start; it said why on stderr")
	}
	return h, nil
}

// take turns a result into an error when it carries one, and frees it then.
func (l *library) take(res ptr) (ptr, error) {
	if res == nil {
		return nil, errors.New("the engine gave no result")
	}
	if e := l.resultError(res); e != nil {
		err := errors.New(goString(e))
		l.destroy(res)
		return nil, err
	}
	return res, nil
}

// bytes is the content of a result; it lives until the result is destroyed.
func (l *library) bytes(res ptr) []byte {
	n := l.length(res)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(l.buffer(res)), n)
}

func goString(p ptr) string {
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

var empty = [1]byte{} // something to point at where a string is empty

func cBytes(s string) ptr {
	if s == "" {
		return ptr(&empty)
	}
	return ptr(unsafe.StringData(s))
}

// parameters are the bound values of a statement, in the arrays the C interface
// takes. They stay pinned until unpin.
type parameters struct {
	names, values       []ptr
	nameLens, valueLens []uintptr
	count               uintptr
	pin                 runtime.Pinner
}

func pinParameters(m map[string]string) *parameters {
	p := &parameters{count: uintptr(len(m))}
	for k, v := range m {
		p.add(k, v)
	}
	if len(m) == 0 {
		p.add("", "") // the arrays need an address
	}
	return p
}

func (p *parameters) add(name, value string) {
	for _, s := range []string{name, value} {
		if s != "" {
			p.pin.Pin(unsafe.StringData(s))
		}
	}
	p.names, p.nameLens = append(p.names, cBytes(name)), append(p.nameLens, uintptr(len(name)))
	p.values, p.valueLens = append(p.values, cBytes(value)), append(p.valueLens, uintptr(len(value)))
}

func (p *parameters) unpin() { p.pin.Unpin() }
