package lab

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

// greet says something and listens until the peer leaves.
func greet(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.WriteString(c, text); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
		}
	}
}

// mysqlGreeting is the handshake of protocol 10.
func mysqlGreeting(version string) string {
	body := "\x0a" + version + "\x00" + "\x08\x00\x00\x00" + "saltsalt\x00" + "\xff\xff\xff\x02\x00\xff\xc7\x15" + strings.Repeat("\x00", 10) + "moresaltsalt\x00" + "caching_sha2_password\x00"
	return string([]byte{byte(len(body)), 0, 0, 0}) + body
}

// redis answers PING and INFO; a web browser's GET is an error, as to the real one.
func redis(version string) func(net.Conn) {
	info := fmt.Sprintf("# Server\r\nredis_version:%s\r\nredis_mode:standalone\r\n", version)
	return func(c net.Conn) {
		lines := bufio.NewScanner(io.LimitReader(c, 1<<20))
		for lines.Scan() {
			var out string
			switch command := strings.ToUpper(strings.TrimSpace(lines.Text())); {
			case command == "PING":
				out = "+PONG\r\n"
			case strings.HasPrefix(command, "INFO"):
				out = fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
			case strings.HasPrefix(command, "HOST:"), strings.HasPrefix(command, "POST"):
				return // it takes these for an attack by way of a browser
			default:
				out = "-ERR unknown command\r\n"
			}
			if _, err := io.WriteString(c, out); err != nil {
				return
			}
		}
	}
}

// stun answers a binding request (RFC 8489) with the server's name.
func stun(software string) func([]byte) []byte {
	return func(q []byte) []byte {
		if len(q) < 20 || binary.BigEndian.Uint32(q) != 0x00010000 || binary.BigEndian.Uint32(q[4:]) != 0x2112a442 {
			return nil
		}
		value := software + strings.Repeat("\x00", (4-len(software)%4)%4)
		out := []byte{1, 1, 0, byte(4 + len(value))}
		out = append(out, q[4:20]...)
		out = append(out, 0x80, 0x22, 0, byte(len(software)))
		return append(out, value...)
	}
}
