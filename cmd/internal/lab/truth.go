package lab

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/stalker-asm/stalker/pipeline"
)

// Truth is what is there to be found, in the words of the inventory. What only an
// inventory knows (ids, times, tags) is not set.
type Truth struct {
	Domains  []pipeline.Domain
	Hosts    []pipeline.Host
	Ranges   []pipeline.IPRange
	Ports    []pipeline.Port
	Websites []pipeline.Website
}

// Truth tells what the lab holds.
func (l *Lab) Truth() Truth {
	t := Truth{Ranges: []pipeline.IPRange{{CIDR: l.Network().String()}}}
	names := map[string][]string{} // by address
	for _, name := range l.zone.names() {
		hosts := l.zone.addresses(name)
		t.Domains = append(t.Domains, pipeline.Domain{Name: name, Hosts: hosts})
		for _, ip := range hosts {
			names[ip] = append(names[ip], name)
		}
	}
	for _, h := range l.hosts {
		ip := h.addr.String()
		t.Hosts = append(t.Hosts, pipeline.Host{IP: ip, Domains: names[ip], Ports: len(h.services)})
		for _, s := range h.services {
			t.Ports = append(t.Ports, s.truth(ip))
			t.Websites = append(t.Websites, s.websites(ip, names[ip])...)
		}
	}
	return t
}

// addresses is what a name leads to, sorted.
func (z zone) addresses(name string) []string {
	list := []string{}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		var m dns.Msg
		z.resolve(&m, name+".", qtype)
		for _, rr := range m.Answer {
			switch r := rr.(type) {
			case *dns.A:
				list = append(list, r.A.String())
			case *dns.AAAA:
				list = append(list, r.AAAA.String())
			}
		}
	}
	slices.Sort(list)
	return list
}

func (s *service) truth(ip string) pipeline.Port {
	p := pipeline.Port{IP: ip, Port: s.port, Protocol: pipeline.TCP, Service: s.name, Product: s.product, Version: s.version}
	if s.answer != nil {
		p.Protocol = pipeline.UDP
	}
	return p
}

// websites are one for the bare address and one for each name of the host.
func (s *service) websites(ip string, names []string) []pipeline.Website {
	if s.sites == nil {
		return nil
	}
	var list []pipeline.Website
	for _, name := range append([]string{nobody}, names...) {
		site, scheme, where := s.serves(name), "http", name
		ssl := site.cert != nil
		if ssl {
			scheme = "https"
		}
		if name == nobody {
			where = ip
		}
		w := pipeline.Website{
			URL: fmt.Sprintf("%s://%s/", scheme, hostPort(where, s.port)), IP: ip, Port: s.port, Domain: name, Path: "/", SSL: &ssl,
			Status: site.code(), Title: site.title, Server: site.headers["Server"], Technologies: site.uses,
		}
		if ssl {
			w.Certificate = site.cert.told
		}
		list = append(list, w)
	}
	return list
}
