package lab

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// What a hostile host says: markup, and sequences that would set a terminal's
// title, clear it and colour it.
const (
	evilTitle  = "\x1b]0;owned\x07\x1b[2J<script>alert('lab')</script>"
	evilBanner = "SSH-2.0-\x1b[31m<b>evil</b>\x1b[0m\r\n"
)

// hostile is a host that wants to hurt who looks at it: with text, with a page
// that never ends, and with a port that hangs up on everybody without a word.
func hostile() []*service {
	return []*service{
		{ports: []int{8080, 8000, 3000}, name: "http", product: "[31mevil", talk: endlessPage, sites: map[string]*site{
			nobody: {title: "]0;owned [2J<script>alert('lab')</script>", headers: map[string]string{"Server": "[31mevil"}},
		}},
		{ports: []int{2222, 2223, 2224}, name: "ssh", product: "[31m<b>evil</b> [0m", talk: greet(evilBanner)},
		{ports: []int{9999, 9998, 9997}, name: "unknown", talk: silence},
	}
}

// endlessPage answers HTTP with a page that goes on until the peer has had enough.
func endlessPage(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, 64<<10))); err != nil {
		return
	}
	title := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(evilTitle)
	head := "HTTP/1.1 200 OK\r\nServer: \x1b[31mevil\r\nX-Frame: <img src=x onerror=alert(1)>\r\nContent-Type: text/html\r\n\r\n"
	if _, err := io.WriteString(c, head+page(title, "")); err != nil {
		return
	}
	for more := strings.Repeat("<p>more ", 1024); ; {
		if _, err := io.WriteString(c, more); err != nil {
			return
		}
	}
}

// silence takes a connection, says nothing, and hangs up.
func silence(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
}
