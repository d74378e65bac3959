package importer

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// place is where something was found: a name, an address, or both; a port; a path.
type place struct {
	domain, ip string
	port       int
	path       string
	ssl        *bool
}

// located reads a host, which is a name or an address.
func located(host string) (p place, err error) {
	host = strings.Trim(strings.TrimSpace(host), "[]")
	if a, err := normal.Addr(host); err == nil {
		return place{ip: a.String()}, nil
	}
	if p.domain, err = normal.Domain(host); err != nil {
		return p, err
	}
	if last := p.domain[strings.LastIndexByte(p.domain, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return p, pipeline.Errorf(pipeline.CodeInvalid, "%q is no domain and no address", pipeline.Head(host, 100))
	}
	return p, nil
}

// site reads a URL of a website.
func site(s string) (p place, err error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return p, pipeline.Errorf(pipeline.CodeInvalid, "%q is no URL of a website", pipeline.Head(s, 100))
	}
	if p, err = located(u.Hostname()); err != nil {
		return p, err
	}
	secure := u.Scheme == "https"
	p.ssl, p.port, p.path = &secure, map[bool]int{false: 80, true: 443}[secure], u.EscapedPath()
	if s := u.Port(); s != "" {
		p.port, err = port(s)
	}
	if p.path == "" {
		p.path = "/"
	}
	return p, err
}

func port(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, pipeline.Errorf(pipeline.CodeInvalid, "port: %q is not between 1 and 65535", pipeline.Head(s, 20))
	}
	return n, nil
}

// host says that the name and the address exist.
func (p place) host() []Finding {
	switch {
	case p.domain != "" && p.ip != "":
		return []Finding{{Type: pipeline.HostnameIPFinding, Domain: &p.domain, IP: p.ip}}
	case p.domain != "":
		return []Finding{{Type: pipeline.HostnameFinding, Domain: &p.domain}}
	default:
		return []Finding{{Type: pipeline.IPFinding, IP: p.ip}}
	}
}

// open says that the port is open.
func (p place) open(proto pipeline.Protocol) []Finding {
	out := p.host()
	if p.ip != "" && p.port > 0 {
		out = append(out, Finding{Type: pipeline.PortFinding, IP: p.ip, Port: p.port, Protocol: proto})
	}
	return out
}

// served says that there is a website.
func (p place) served() []Finding {
	return append(p.open(pipeline.TCP), p.about(Finding{Type: pipeline.WebsiteFinding}))
}

// about puts a finding about the website into its place.
func (p place) about(f Finding) Finding {
	f.Domain, f.IP, f.Port, f.Path, f.SSL, f.Unplaced = &p.domain, p.ip, p.port, "/", p.ssl, p.ip == ""
	return f
}

// custom is a finding with fields.
func custom(key string, fields ...Field) Finding {
	return Finding{Type: pipeline.CustomFinding, Key: key, Fields: fields}
}

// text is a field, cut to what is stored.
func text(key, value string) Field { return Field{key, "text", pipeline.Head(value, normal.MaxText)} }

// filled leaves out fields without a value.
func filled(fields ...Field) (out []Field) {
	for _, f := range fields {
		if s, ok := f.Data.(string); !ok || s != "" {
			out = append(out, f)
		}
	}
	return out
}

// target reads a word of a plain list.
func target(word string) ([]Finding, error) {
	if strings.Contains(word, "://") {
		p, err := site(word)
		if err != nil {
			return nil, err
		}
		return p.listed(), nil
	}
	if strings.Contains(word, "/") {
		n, err := normal.Prefix(word)
		if err != nil {
			return nil, err
		}
		bits := n.Bits()
		return []Finding{{Type: pipeline.IPRangeFinding, IP: n.Addr().String(), Mask: &bits}}, nil
	}
	if at, err := netip.ParseAddrPort(word); err == nil {
		p := place{ip: at.Addr().Unmap().WithZone("").String(), port: int(at.Port())}
		if p.port == 0 {
			return nil, pipeline.Errorf(pipeline.CodeInvalid, "port: 0 is not between 1 and 65535")
		}
		return p.open(pipeline.TCP), nil
	}
	host, number, found := strings.Cut(word, ":")
	if !found || strings.Count(word, ":") > 1 {
		host, number = word, ""
	}
	p, err := located(host)
	if err == nil && number != "" {
		p.port, err = port(number)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; a line is a domain, an address, a network, host:port or a URL", err)
	}
	return p.open(pipeline.TCP), nil
}

// listed says that there is a website with the path.
func (p place) listed() []Finding {
	out := p.served()
	if p.path != "/" {
		out = append(out, p.about(custom(pipeline.KeyWebsitePath, text("endpoint", p.path))))
	}
	return out
}
