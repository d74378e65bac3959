// Package sample says what scanners say, for benchmarks and for trying an installation
// out at size: every kind of finding in about the shares a discovery with the built-in
// jobs has, IPv4 and IPv6, TCP and UDP, seeded. Hosts are looked at again and again, and
// mostly have not changed. Nothing of it was ever scanned.
package sample

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/stalker-asm/stalker/pipeline"
)

// Scanner scans a made-up network.
type Scanner struct {
	r         *rand.Rand
	seed      uint64
	seq       int
	out       []json.RawMessage
	resources int // that the last host has with it
}

// New returns a scanner that says the same for the same seed.
func New(seed uint64) *Scanner { return &Scanner{r: seeded(seed, 1), seed: seed} }

// seeded gives the same numbers each time, which is all that is asked of them.
func seeded(a, b uint64) *rand.Rand {
	return rand.New(rand.NewPCG(a, b)) //nolint:gosec // nothing secret comes of it
}

// Host is what one execution says of a host: about 25 findings, as jobs write them,
// the last of them what was looked at. Host n is the same each time but for one
// answer in twenty.
func (s *Scanner) Host(n int) []json.RawMessage {
	s.seq, s.out = 0, nil
	h := seeded(s.seed, uint64(n)) // what the host is
	s.resources = 1
	ip := fmt.Sprintf("45.%d.%d.%d", n>>16&255, n>>8&255, n&255)
	if h.IntN(5) == 0 {
		ip = fmt.Sprintf("2a01:4f8:%x:%x::%x", n>>16, n&0xffff, 1+h.IntN(0xffff))
	}
	names := make([]string, 1+h.IntN(2))
	for i := range names {
		names[i] = fmt.Sprintf("%s%d.%s.example", hostNames[h.IntN(len(hostNames))], n, zones[h.IntN(len(zones))])
		if i == 0 || names[i] != names[0] {
			s.resources++
		}
		s.say(`"type":"HostnameFinding","key":"HostnameFinding","name":"Domain","domainName":%q`, names[i])
		s.say(`"type":"HostnameIpFinding","key":"HostnameIpFinding","name":"Resolved","domainName":%q,"ip":%q,"fields":[{"key":"recordType","label":"Record","type":"text","data":"A"}]`, names[i], ip)
	}
	s.say(`"type":"IpFinding","key":"IpFinding","name":"Found host","ip":%q`, ip)
	for _, p := range ports[:2+h.IntN(len(ports)-1)] {
		s.port(h, ip, p, names[0])
	}
	if h.IntN(3) == 0 {
		s.custom("OperatingSystemFinding", fmt.Sprintf(`"ip":%q`, ip), "os", systems[h.IntN(len(systems))])
	}
	if h.IntN(10) == 0 {
		s.say(`"type":"TagFinding","key":"TagFinding","tag":"cloud","ip":%q`, ip)
	}
	s.custom(pipeline.KeyCoverage, fmt.Sprintf(`"ip":%q`, ip), "ports", "1-1000,8080,8443", "protocol", "tcp")
	return s.out
}

// say writes one finding.
func (s *Scanner) say(format string, args ...any) {
	s.seq++
	s.out = append(s.out, fmt.Appendf(nil, "{"+format+`,"seq":%d}`, append(args, s.seq)...))
}

func (s *Scanner) custom(key, where string, fields ...string) {
	var list []pipeline.Field
	for pair := range slices.Chunk(fields, 2) {
		list = append(list, pipeline.Field{Key: pair[0], Label: pair[0], Type: pipeline.TextField, Data: pair[len(pair)-1]})
	}
	text, _ := json.Marshal(list) // texts: never fails
	s.say(`"type":"CustomFinding","key":%q,"name":%q,%s,"fields":%s`, key, key, where, text)
}

// port says that a port is open and what is there; of a web server, what it serves.
func (s *Scanner) port(h *rand.Rand, ip string, p service, name string) {
	s.resources++
	s.say(`"type":"PortFinding","key":"PortFinding","name":"Found open port","ip":%q,"port":%d,"fields":[{"key":"protocol","label":"Protocol","type":"text","data":%q}]`, ip, p.port, p.protocol)
	product, version := p.products[h.IntN(len(p.products))], fmt.Sprintf("%d.%d.%d", 1+h.IntN(9), h.IntN(30), h.IntN(10))
	if s.r.IntN(20) == 0 {
		version += "-1" // it was updated
	}
	s.custom(pipeline.KeyPortService, fmt.Sprintf(`"ip":%q,"port":%d,"protocol":%q`, ip, p.port, p.protocol), "serviceName", p.name, "serviceProduct", product, "serviceVersion", version)
	if p.name != "http" && p.name != "https" {
		return
	}
	s.resources++
	site := fmt.Sprintf(`"ip":%q,"port":%d,"domainName":%q,"path":"/"`, ip, p.port, name)
	s.say(`"type":"WebsiteFinding","key":"WebsiteFinding","name":"Website",%s,"ssl":%t`, site, p.name == "https")
	s.custom(pipeline.KeyWebsiteResponse, site, "statusCode", []string{"200", "301", "403", "404"}[h.IntN(4)], "title", "Welcome to "+name, "server", product, "contentType", "text/html; charset=utf-8")
	for range 1 + h.IntN(3) {
		s.custom(pipeline.KeyWebsiteTechnology, site, "technology", technologies[h.IntN(len(technologies))])
	}
	for range h.IntN(4) {
		s.custom(pipeline.KeyWebsitePath, site, "endpoint", fmt.Sprintf("/%s/%d", paths[h.IntN(len(paths))], h.IntN(50)), "statusCode", "200")
	}
	if p.name == "https" {
		s.custom(pipeline.KeyCertificate, site, "subject", "CN="+name, "issuer", "CN=R11, O=Let's Encrypt, C=US", "names", name, "notBefore", "2026-10-01T00:00:00Z",
			"notAfter", "2026-12-30T00:00:00Z", "fingerprint", fmt.Sprintf("%064x", h.Uint64()))
	}
	if h.IntN(8) == 0 {
		s.custom("MissingHeadersFinding", site, "severity", "low", "header", "Content-Security-Policy", "description", "The answer does not say from where scripts may come, so that a script that gets into the page runs.")
	}
}

type service struct {
	port     int
	protocol pipeline.Protocol
	name     string
	products []string
}

var ports = []service{
	{443, pipeline.TCP, "https", []string{"nginx", "Apache httpd", "Microsoft-IIS", "Caddy"}},
	{22, pipeline.TCP, "ssh", []string{"OpenSSH", "Dropbear sshd"}},
	{80, pipeline.TCP, "http", []string{"nginx", "Apache httpd", "lighttpd"}},
	{53, pipeline.UDP, "domain", []string{"ISC BIND", "PowerDNS", "Knot DNS"}},
	{25, pipeline.TCP, "smtp", []string{"Postfix smtpd", "Exim smtpd"}},
	{8443, pipeline.TCP, "https", []string{"Jetty", "Apache Tomcat"}},
}

var (
	hostNames    = []string{"www", "api", "mail", "vpn", "dev", "staging", "app", "git", "cdn", "login"}
	zones        = []string{"corp", "shop", "cloud", "intra", "press"}
	systems      = []string{"Linux 5.15", "Linux 6.1", "Windows Server 2022", "FreeBSD 14"}
	technologies = []string{"PHP", "WordPress", "jQuery", "React", "Next.js", "Bootstrap", "Django", "Express", "Cloudflare", "HSTS"}
	paths        = []string{"admin", "static", "api/v1", "images", "login", "docs"}
)
