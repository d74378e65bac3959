// Package lab is a small network to be discovered, on loopback and without
// privileges: a DNS zone, websites with names and certificates, services with
// banners, one that answers by UDP, one on ::1, and a host that is hostile. What
// is in it is known, so that what a scan found can be compared with it (Truth).
//
// A lab lies in a network of 256 addresses: 127.0.N.0/24, or one that OpenAt is
// given. The addresses a project is to scan are the first sixteen; the resolver, the
// fifty-third, is the way there and no part of it.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Lab is a lab whose addresses are bound; Run serves them.
type Lab struct {
	network netip.Prefix
	hosts   []*host
	zone    zone
	lock    net.Listener
	servers []server
	dns     string
	ipv6    bool
}

// server serves one bound socket until it is closed.
type server interface {
	serve()
	io.Closer
}

// The numbers N that Open tries.
const firstNumber, lastNumber = 40, 59

// Open binds a lab in the first 127.0.N.0/24 that no other lab of this machine
// uses. Where a port is taken by something that listens on every address, the
// next that means the same is used; Truth tells which.
func Open() (*Lab, error) {
	for n := firstNumber; n <= lastNumber; n++ {
		l, err := open(netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, byte(n), 0}), size))
		if !errors.Is(err, errTaken) {
			return l, err
		}
	}
	return nil, pipeline.Errorf(pipeline.CodeConflict, "%d labs are running on this machine already: end one", lastNumber-firstNumber+1)
}

// OpenAt binds a lab in a network of 256 IPv4 addresses, all of which lead to this
// machine, for jobs that do not run on it: loopback is theirs alone. There is no
// IPv6 host then.
func OpenAt(n netip.Prefix) (*Lab, error) {
	if !n.Addr().Is4() || n.Bits() != size || n != n.Masked() {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "%s is no network for a lab: it must be an IPv4 network of 256 addresses, such as 10.99.7.0/%d", n, size)
	}
	l, err := open(n)
	switch {
	case errors.Is(err, errTaken):
		return nil, pipeline.Errorf(pipeline.CodeConflict, "a lab is running in %s already", n)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the addresses of %s are not this machine's; give them to it first: ip route add local %s dev lo", n, n)
	}
	return l, err
}

// size is the length of the prefix of a lab's network.
const size = 24

var errTaken = errors.New("another lab has this network")

// open binds a lab, or returns errTaken.
func open(n netip.Prefix) (*Lab, error) {
	lock, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", lockOf(n))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errTaken
	case err != nil:
		return nil, fmt.Errorf("locking the lab's addresses: %w", err)
	}
	l := &Lab{network: n, lock: lock}
	if err := l.bind(); err != nil {
		l.Close()
		return nil, fmt.Errorf("building the lab: %w", err)
	}
	return l, nil
}

// lockOf names the abstract socket that says who has a network. On loopback the
// number is enough, and is what every version has used.
func lockOf(n netip.Prefix) string {
	if a := n.Addr(); a.IsLoopback() {
		return fmt.Sprintf("@stalker-lab-%d", a.As4()[2])
	}
	return "@stalker-lab-" + n.String()
}

// bind listens on everything; the zone comes last, since it tells only what is there.
func (l *Lab) bind() error {
	certs, err := newAuthority()
	if err != nil {
		return err
	}
	for _, h := range l.world() {
		err := l.bindHost(h, certs)
		if h.addr.Is6() && noIPv6(err) {
			continue
		}
		if err != nil {
			return err
		}
		l.hosts = append(l.hosts, h)
		l.ipv6 = l.ipv6 || h.addr.Is6()
	}
	if l.zone, err = newZone(l.records()); err != nil {
		return err
	}
	return l.bindDNS()
}

func noIPv6(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func (l *Lab) bindHost(h *host, certs *authority) error {
	for _, s := range h.services {
		if err := l.bindService(h, s, certs); err != nil {
			return err
		}
	}
	return nil
}

// bindService listens on the first of the service's ports that is free.
func (l *Lab) bindService(h *host, s *service, certs *authority) error {
	var err error
	for _, s.port = range s.ports {
		at := netip.AddrPortFrom(h.addr, uint16(s.port)).String()
		if s.answer != nil {
			err = l.bindUDP(at, s)
		} else {
			err = l.bindTCP(at, s, certs)
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return err
}

func (l *Lab) bindUDP(at string, s *service) error {
	c, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "udp", at)
	if err == nil {
		l.servers = append(l.servers, &datagrams{conn: c, answer: s.answer})
	}
	return err
}

func (l *Lab) bindTCP(at string, s *service, certs *authority) error {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", at)
	if err != nil {
		return err
	}
	if s.talk != nil {
		l.servers = append(l.servers, newStreams(ln, s.talk))
		return nil
	}
	w, err := newWeb(ln, s, certs)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	l.servers = append(l.servers, w)
	return nil
}

// Run serves until ctx ends, then closes everything and waits for it.
func (l *Lab) Run(ctx context.Context) {
	var serving sync.WaitGroup
	for _, s := range l.servers {
		serving.Go(s.serve)
	}
	<-ctx.Done()
	l.Close()
	serving.Wait()
}

// Close gives the addresses back; for a lab that is not run.
func (l *Lab) Close() {
	for _, s := range l.servers {
		_ = s.Close() // it has nothing to lose
	}
	_ = l.lock.Close()
}

// Resolver is the lab's DNS server, as host:port.
func (l *Lab) Resolver() string { return l.dns }

// IPv6 reports whether this machine has ::1, and so the lab a host there.
func (l *Lab) IPv6() bool { return l.ipv6 }

// Network is what a project is to scan.
func (l *Lab) Network() netip.Prefix { return netip.PrefixFrom(l.addr(0), 28) }

// Targets are what a person would add to a project: the names, the network and ::1.
func (l *Lab) Targets() []string {
	targets := append(l.zone.names(), l.Network().String())
	if l.ipv6 {
		targets = append(targets, "::1")
	}
	return targets
}

// Listens reports whether a port is the lab's own.
func (l *Lab) Listens(addr netip.AddrPort) bool {
	for _, h := range l.hosts {
		for _, s := range h.services {
			if h.addr == addr.Addr() && s.port == int(addr.Port()) {
				return true
			}
		}
	}
	return false
}

func (l *Lab) addr(last byte) netip.Addr {
	ip := l.network.Addr().As4()
	ip[3] = last
	return netip.AddrFrom4(ip)
}

func hostPort(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

// patience is how long a server of the lab waits for a peer.
const patience = 30 * time.Second
