package chdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// errClosed is what a statement gets after Close.
var errClosed = errors.New("the embedded clickhouse is closed")

// pool holds a fixed number of connections. All are opened at start: opening one
// disturbs the process's signal dispositions for a moment (see guard).
type pool struct {
	lib     *library
	args    []string
	metrics *metrics
	slots   chan struct{} // one token per statement that may run
	closed  chan struct{} // closed by drain: nothing new runs

	mu   sync.Mutex
	idle []*conn
}

// newPool opens all its connections. The first starts the engine, and is tried again: on a loaded machine,
// right after its earlier process was killed, the engine was seen to refuse without
// a word and to start at the next try.
func newPool(lib *library, args []string, size int, m *metrics) (*pool, error) {
	p := &pool{lib: lib, args: args, metrics: m, slots: make(chan struct{}, size), closed: make(chan struct{})}
	for i := range size {
		c, err := p.open()
		for try := 1; i == 0 && err != nil && try < startTries; try++ {
			time.Sleep(time.Duration(try) * startPause)
			c, err = p.open()
		}
		if err != nil {
			p.closeIdle()
			return nil, err
		}
		p.idle = append(p.idle, c)
	}
	return p, nil
}

func (p *pool) open() (*conn, error) {
	h, err := p.lib.dial(p.args)
	if err != nil {
		return nil, err
	}
	return &conn{lib: p.lib, h: h, database: "default"}, nil
}

const (
	startTries = 4
	startPause = 250 * time.Millisecond
)

// acquire waits for a connection and gives it the wanted database and settings.
// The caller releases it.
func (p *pool) acquire(ctx context.Context, database string, settings map[string]string) (*conn, error) {
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	select {
	case p.slots <- struct{}{}:
	case <-p.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.metrics.connections.Inc()
	c, err := p.pick(database, settings)
	if err != nil {
		p.free()
		return nil, err
	}
	if err := c.become(database, settings); err != nil {
		p.release(c, true)
		return nil, err
	}
	return c, nil
}

// pick takes the idle connection that needs the least change, or opens one when
// an error has left the pool short.
func (p *pool) pick(database string, settings map[string]string) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return p.open()
	}
	i := slices.IndexFunc(p.idle, func(c *conn) bool {
		return c.database == database && maps.Equal(c.settings, settings)
	})
	if i < 0 {
		i = len(p.idle) - 1
	}
	c := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return c, nil
}

// release gives a connection back; a bad one is closed instead.
func (p *pool) release(c *conn, bad bool) {
	if bad {
		p.metrics.discarded.Inc()
		c.close()
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	p.free()
}

func (p *pool) free() {
	p.metrics.connections.Dec()
	<-p.slots
}

// drain refuses new statements and waits for the running ones. It is called once.
func (p *pool) drain(ctx context.Context) error {
	close(p.closed)
	for n := range cap(p.slots) {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("%d statements are still running", cap(p.slots)-n)
		}
	}
	return nil
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
}

// become makes the connection's database and settings the wanted ones.
func (c *conn) become(database string, settings map[string]string) error {
	if c.database != database {
		if err := c.exec("USE " + quoteName(database)); err != nil {
			return err
		}
		c.database = database
	}
	if maps.Equal(c.settings, settings) {
		return nil
	}
	var set []string
	for k := range c.settings {
		if _, ok := settings[k]; !ok {
			set = append(set, quoteName(k)+" = DEFAULT")
		}
	}
	for k, v := range settings {
		set = append(set, quoteName(k)+" = "+quoteText(v))
	}
	slices.Sort(set)
	if err := c.exec("SET " + strings.Join(set, ", ")); err != nil {
		return err
	}
	c.settings = settings
	return nil
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}

// killer ends statements of other connections from one of its own.
type killer struct {
	mu sync.Mutex
	p  *pool
	c  *conn
}

func newKiller(p *pool) (*killer, error) {
	c, err := p.open()
	if err != nil {
		return nil, err
	}
	return &killer{p: p, c: c}, nil
}

// killRetry is how long a statement gets to notice that it was killed before it
// is killed again: it may not have been registered yet the first time.
const killRetry = 50 * time.Millisecond

// kill ends the statement whose text begins with mark. It tries until done is
// closed.
func (k *killer) kill(mark string, done <-chan struct{}) {
	retry := time.NewTicker(killRetry)
	defer retry.Stop()
	for {
		if _, err := k.ask("KILL QUERY WHERE startsWith(query, " + quoteText(mark) + ") ASYNC"); err != nil {
			return // the statement ends by itself
		}
		select {
		case <-done:
			return
		case <-retry.C:
		}
	}
}

// ask runs one statement on the reserved connection.
func (k *killer) ask(sql string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.c == nil {
		return "", errClosed
	}
	out, err := k.c.text(sql)
	if err == nil {
		return out, nil
	}
	k.c.close()
	if k.c, _ = k.p.open(); k.c == nil {
		return "", fmt.Errorf("reopening a connection after: %w", err)
	}
	return "", err
}

func (k *killer) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.c != nil {
		k.c.close()
		k.c = nil
	}
}
