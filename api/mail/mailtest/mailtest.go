// Package mailtest is a mail server for tests, which keeps what it is sent.
package mailtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	mailer "github.com/stalker-asm/stalker/api/mail"
)

// Letter is one that was sent.
type Letter struct {
	From, Subject, Text string
	To                  []string // of the envelope
}

// Server speaks as much SMTP as is needed to take letters.
type Server struct {
	Config mailer.Config // sends to it
	ln     net.Listener
	mu     sync.Mutex
	all    []Letter
	wg     sync.WaitGroup
}

// New starts a server that lives as long as the test.
func New(t testing.TB) *Server {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{ln: ln, Config: mailer.DefaultConfig()}
	s.Config.Host, s.Config.Port = "127.0.0.1", ln.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it is TCP
	s.Config.Security, s.Config.From = mailer.SecurityNone, "Stalker <stalker@example.com>"
	ctx, cancel := context.WithCancel(context.Background())
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			s.wg.Go(func() { defer stop(); s.talk(c) })
		}
	})
	t.Cleanup(func() { cancel(); _ = ln.Close(); s.wg.Wait() })
	return s
}

// Letters returns what has come.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.all...)
}

func (s *Server) talk(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	say("220 test")
	var l Letter
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "RCPT":
			l.To = append(l.To, strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>"))
			say("250 ok")
		case "DATA":
			say("354 go on")
			s.read(r, &l)
			l = Letter{}
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *Server) read(r *bufio.Reader, l *Letter) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	m, err := mail.ReadMessage(strings.NewReader(b.String()))
	if err != nil {
		return
	}
	text, _ := io.ReadAll(quotedprintable.NewReader(m.Body))
	l.From, l.Subject, l.Text = m.Header.Get("From"), m.Header.Get("Subject"), string(text)
	s.mu.Lock()
	s.all = append(s.all, *l)
	s.mu.Unlock()
}
