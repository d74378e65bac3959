package lab

import (
	"errors"
	"net"
	"sync"
	"time"
)

// maxConns is how many peers a listener talks to at once; more wait.
const maxConns = 128

// streams serves a TCP port by a function that talks to one peer.
type streams struct {
	ln    net.Listener
	talk  func(net.Conn)
	slots chan struct{}

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]struct{}
}

func newStreams(ln net.Listener, talk func(net.Conn)) *streams {
	return &streams{ln: ln, talk: talk, slots: make(chan struct{}, maxConns), open: map[net.Conn]struct{}{}}
}

func (s *streams) serve() {
	var talking sync.WaitGroup
	defer talking.Wait()
	for {
		s.slots <- struct{}{} // every talk ends, at the latest when its peer's time is up
		c, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !s.keep(c) {
			<-s.slots
			time.Sleep(time.Millisecond) // out of files: the scan itself may have them
			continue
		}
		talking.Go(func() {
			defer func() { <-s.slots }()
			defer s.drop(c)
			_ = c.SetDeadline(time.Now().Add(patience))
			s.talk(c)
		})
	}
}

// keep remembers a connection for Close; false when that has come already.
func (s *streams) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *streams) drop(c net.Conn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	_ = c.Close()
}

// Close ends the listener and every conversation.
func (s *streams) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		_ = c.Close()
	}
	return s.ln.Close()
}

// datagrams serves a UDP port by a function from request to answer; nil means silence.
type datagrams struct {
	conn   net.PacketConn
	answer func([]byte) []byte
}

func (d *datagrams) serve() {
	buf := make([]byte, 4096)
	for {
		n, peer, err := d.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a peer that went away is told by the next read
		}
		if out := d.answer(buf[:n]); out != nil {
			_, _ = d.conn.WriteTo(out, peer) // UDP promises nothing
		}
	}
}

func (d *datagrams) Close() error { return d.conn.Close() }
