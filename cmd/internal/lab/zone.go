package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/miekg/dns"
)

// apex is the lab's domain; .test is reserved for such uses (RFC 6761).
const apex = "lab.test"

// zone answers for the lab's names, with authority and for nothing else.
type zone struct {
	records map[string][]dns.RR // by owner, in lower case with the final dot
	soa     dns.RR
}

// newZone reads records in the form of a zone file.
func newZone(lines []string) (zone, error) {
	z := zone{records: map[string][]dns.RR{}}
	for _, line := range lines {
		rr, err := dns.NewRR("$ORIGIN " + apex + ".\n$TTL 60\n" + line)
		if err != nil {
			return z, fmt.Errorf("the lab's zone: %w", err)
		}
		owner := rr.Header().Name
		z.records[owner] = append(z.records[owner], rr)
		if rr.Header().Rrtype == dns.TypeSOA {
			z.soa = rr
		}
	}
	return z, nil
}

// names lists the zone's names, and one that does not exist, sorted.
func (z zone) names() []string {
	list := []string{missingName}
	for owner := range z.records {
		list = append(list, strings.TrimSuffix(owner, "."))
	}
	slices.Sort(list)
	return list
}

// ServeDNS answers one query.
func (z zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.Compress = true, true
	if len(q.Question) != 1 || !dns.IsSubDomain(apex+".", q.Question[0].Name) {
		m.SetRcode(q, dns.RcodeRefused)
	} else {
		z.resolve(m, strings.ToLower(q.Question[0].Name), q.Question[0].Qtype)
	}
	if udp, ok := w.RemoteAddr().(*net.UDPAddr); ok && udp != nil {
		m.Truncate(dns.MinMsgSize)
	}
	_ = w.WriteMsg(m) // a peer that left needs no answer
}

// resolve follows aliases inside the zone, which holds no loop.
func (z zone) resolve(m *dns.Msg, name string, qtype uint16) {
	for range len(z.records) {
		alias := ""
		for _, rr := range z.records[name] {
			if cname, ok := rr.(*dns.CNAME); ok && qtype != dns.TypeCNAME {
				alias = cname.Target
			} else if rr.Header().Rrtype != qtype {
				continue
			}
			m.Answer = append(m.Answer, rr)
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if z.records[name] == nil {
		m.Rcode = dns.RcodeNameError
	}
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, z.soa)
	}
}

// The ports the resolver tries; what asks is told which.
var dnsPorts = []int{5300, 5301, 5302, 5353, 15353}

// bindDNS binds one port for UDP and TCP.
func (l *Lab) bindDNS() error {
	var err error
	for _, port := range dnsPorts {
		l.dns = hostPort(l.addr(53).String(), port)
		if err = l.tryDNS(); !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
	return err
}

func (l *Lab) tryDNS() error {
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(context.Background(), "udp", l.dns)
	if err != nil {
		return err
	}
	tcp, err := lc.Listen(context.Background(), "tcp", l.dns)
	if err != nil {
		return errors.Join(err, udp.Close())
	}
	l.servers = append(l.servers,
		&nameServer{srv: &dns.Server{PacketConn: udp, Handler: l.zone}, sock: udp},
		&nameServer{srv: &dns.Server{Listener: tcp, Handler: l.zone}, sock: tcp})
	return nil
}

// nameServer is one transport of the resolver. Its socket is closed by us: the
// library closes only what it has begun to serve.
type nameServer struct {
	srv  *dns.Server
	sock interface{ Close() error }
}

func (n *nameServer) serve() { _ = n.srv.ActivateAndServe() } // it ends when the socket is closed

func (n *nameServer) Close() error { return n.sock.Close() }
