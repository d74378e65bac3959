package demo

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/pipeline"
)

// machine remembers what else listens on this machine: a service on every address
// answers at the lab's addresses too, and one on ::1 stands beside the lab's. They
// are found, rightly, and are no part of the lab.
type machine struct {
	foreign map[listener]bool
	own     func(netip.AddrPort) bool
}

// listener is a bound port: TCP in state LISTEN, or UDP without a peer.
type listener struct {
	protocol pipeline.Protocol
	addr     netip.Addr
	port     int
}

// look adds what listens right now. Errors mean that there is less to see.
func (m *machine) look() {
	for file, protocol := range map[string]pipeline.Protocol{"tcp": pipeline.TCP, "tcp6": pipeline.TCP, "udp": pipeline.UDP, "udp6": pipeline.UDP} {
		f, err := os.Open("/proc/net/" + file)
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			l, ok := parse(s.Text(), protocol)
			if ok && !m.own(netip.AddrPortFrom(l.addr, uint16(l.port))) {
				m.foreign[l] = true
			}
		}
		_ = f.Close()
	}
}

// Socket states in /proc/net, see proc(5).
const tcpListen, udpUnconnected = "0A", "07"

// parse reads a line of /proc/net/{tcp,udp}{,6}: number, local address, remote
// address, state. An address is 32-bit words in the machine's byte order, little
// endian on all that we run on.
func parse(line string, protocol pipeline.Protocol) (listener, bool) {
	f := strings.Fields(line)
	if len(f) < 4 || f[3] != map[pipeline.Protocol]string{pipeline.TCP: tcpListen, pipeline.UDP: udpUnconnected}[protocol] {
		return listener{}, false
	}
	ip, port, ok := strings.Cut(f[1], ":")
	raw, err := hex.DecodeString(ip)
	n, perr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || perr != nil || len(raw)%4 != 0 {
		return listener{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, ok := netip.AddrFromSlice(raw)
	return listener{protocol, addr.Unmap(), int(n)}, ok
}

// has reports whether something else was seen to listen there. A socket on :: takes
// IPv4 as well, unless told otherwise.
func (m *machine) has(ip string, port int, protocol pipeline.Protocol) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil || m.own(netip.AddrPortFrom(addr, uint16(port))) {
		return false
	}
	at := func(a netip.Addr) bool { return m.foreign[listener{protocol, a, port}] }
	return at(addr) || at(netip.IPv6Unspecified()) || addr.Is4() && at(netip.IPv4Unspecified())
}

// without returns what was found less what belongs to the machine, and the ports
// that were left out. A host goes with them when nothing else was found on it.
func (m *machine) without(t lab.Truth) (lab.Truth, []pipeline.Port) {
	left := map[string]int{} // ports taken off a host
	var out []pipeline.Port
	t.Ports = slices.DeleteFunc(slices.Clone(t.Ports), func(p pipeline.Port) bool {
		if !m.has(p.IP, p.Port, p.Protocol) {
			return false
		}
		left[p.IP]++
		out = append(out, p)
		return true
	})
	t.Websites = slices.DeleteFunc(slices.Clone(t.Websites), func(w pipeline.Website) bool { return m.has(w.IP, w.Port, pipeline.TCP) })
	t.Hosts = slices.Clone(t.Hosts)
	for i := range t.Hosts {
		t.Hosts[i].Ports -= left[t.Hosts[i].IP]
	}
	t.Hosts = slices.DeleteFunc(t.Hosts, func(h pipeline.Host) bool { return left[h.IP] > 0 && h.Ports == 0 && len(h.Domains) == 0 })
	return t, out
}
