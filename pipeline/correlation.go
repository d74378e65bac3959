package pipeline

import (
	"net/netip"
	"strconv"
	"strings"
)

// Kind is a kind of resource.
type Kind string

// The kinds of resources.
const (
	KindProject Kind = "project"
	KindDomain  Kind = "domain"
	KindHost    Kind = "host"
	KindRange   Kind = "ip_range"
	KindPort    Kind = "port"
	KindWebsite Kind = "website"
)

// Kinds lists the kinds that belong to a project, in the order of the chain.
func Kinds() []Kind { return []Kind{KindDomain, KindHost, KindRange, KindPort, KindWebsite} }

// CorrelationKey returns the key that names, inside all of Stalker, the resource
// the locators describe. The forms are
//
//	project:<id>
//	project:<id>;domain:<name>
//	project:<id>;host:<ip>
//	project:<id>;host:<network ip>;mask:<n>
//	project:<id>;host:<ip>;port:<n>;protocol:<tcp|udp>
//	project:<id>;host:<ip>;port:<n>;protocol:tcp;domain:<name or empty>;path:</…>
//
// IPv6 addresses appear in their canonical form (RFC 5952). website says whether
// an empty domain is meant as "the bare IP": a website, not a port. Locators that
// fit no form, or more than one, are an error with CodeInvalid.
func CorrelationKey(projectID string, l Locators, website bool) (string, error) {
	if projectID == "" {
		return "", Errorf(CodeInvalid, "a correlation key needs a project")
	}
	key := "project:" + projectID
	hasDomain := l.Domain != "" || website || l.Path != ""
	onHost := l.IP != "" || l.Port != 0 || l.Protocol != ""
	switch {
	case l == Locators{}:
		return key, nil
	case hasDomain && onHost:
		return websiteKey(key, l)
	case l.Domain != "":
		return key + ";domain:" + l.Domain, nil
	case hasDomain:
		return "", Errorf(CodeInvalid, "a website is named by ip and port, and both are missing")
	case l.IP == "":
		return "", Errorf(CodeInvalid, "port, protocol and mask mean nothing without an ip")
	case l.Mask != nil:
		return rangeKey(key, l)
	case l.Port != 0 && l.Protocol != "":
		return key + ";host:" + l.IP + ";port:" + strconv.Itoa(l.Port) + ";protocol:" + string(l.Protocol), nil
	case l.Port == 0 && l.Protocol == "":
		return key + ";host:" + l.IP, nil
	default:
		return "", Errorf(CodeInvalid, "a port is named by ip, port and protocol, and one of the last two is missing")
	}
}

func websiteKey(key string, l Locators) (string, error) {
	if l.IP == "" || l.Port == 0 {
		return "", Errorf(CodeInvalid, "a domain together with only one of ip and port is ambiguous: give both, or neither")
	}
	path := l.Path
	if path == "" {
		path = "/"
	}
	return key + ";host:" + l.IP + ";port:" + strconv.Itoa(l.Port) + ";protocol:tcp;domain:" + l.Domain + ";path:" + path, nil
}

func rangeKey(key string, l Locators) (string, error) {
	if l.Port != 0 || l.Protocol != "" {
		return "", Errorf(CodeInvalid, "a mask together with a port or protocol is ambiguous")
	}
	addr, err := netip.ParseAddr(l.IP)
	if err != nil {
		return "", Errorf(CodeInvalid, "%q is no ip address", l.IP)
	}
	p, err := addr.Prefix(*l.Mask)
	if err != nil {
		return "", Errorf(CodeInvalid, "mask %d does not fit %s", *l.Mask, l.IP)
	}
	return key + ";host:" + p.Addr().String() + ";mask:" + strconv.Itoa(*l.Mask), nil
}

// Ref is what a correlation key says, taken apart.
type Ref struct {
	Kind      Kind
	ProjectID string
	Locators
}

// ParseKey takes a correlation key apart. It accepts exactly what CorrelationKey
// makes.
func ParseKey(key string) (Ref, error) {
	rest, ok := strings.CutPrefix(key, "project:")
	if !ok {
		return Ref{}, Errorf(CodeInvalid, "%q is no correlation key: it does not begin with project:", key)
	}
	id, rest, more := strings.Cut(rest, ";")
	r := Ref{Kind: KindProject, ProjectID: id}
	if id == "" {
		return Ref{}, Errorf(CodeInvalid, "%q is no correlation key: the project is empty", key)
	}
	if !more {
		return r, nil
	}
	if d, ok := strings.CutPrefix(rest, "domain:"); ok && d != "" {
		r.Kind, r.Domain = KindDomain, d
		return r, nil
	}
	return parseHostKey(key, r, rest)
}

func parseHostKey(key string, r Ref, rest string) (Ref, error) {
	bad := Errorf(CodeInvalid, "%q is no correlation key", key)
	rest, ok := strings.CutPrefix(rest, "host:")
	if !ok {
		return Ref{}, bad
	}
	var more bool
	r.IP, rest, more = strings.Cut(rest, ";")
	addr, err := netip.ParseAddr(r.IP)
	if err != nil || addr.Zone() != "" || addr.Unmap().String() != r.IP {
		return Ref{}, bad
	}
	if !more {
		r.Kind = KindHost
		return r, nil
	}
	if m, ok := strings.CutPrefix(rest, "mask:"); ok {
		n, err := number(m, 0, addr.BitLen())
		if err != nil || netip.PrefixFrom(addr, n).Masked().Addr() != addr {
			return Ref{}, bad
		}
		r.Kind, r.Mask = KindRange, &n
		return r, nil
	}
	if r, ok = parsePortKey(r, rest); !ok {
		return Ref{}, bad
	}
	return r, nil
}

// parsePortKey reads what comes after the host of a port or website.
func parsePortKey(r Ref, rest string) (Ref, bool) {
	port, rest, _ := strings.Cut(rest, ";")
	port, isPort := strings.CutPrefix(port, "port:")
	proto, site, isSite := strings.Cut(rest, ";")
	proto, isProto := strings.CutPrefix(proto, "protocol:")
	n, err := number(port, 1, 65535)
	r.Kind, r.Port, r.Protocol = KindPort, n, Protocol(proto)
	if err != nil || !isPort || !isProto || (r.Protocol != TCP && r.Protocol != UDP) {
		return r, false
	}
	if !isSite {
		return r, true
	}
	domain, isDomain := strings.CutPrefix(site, "domain:")
	domain, path, ok := strings.Cut(domain, ";path:")
	r.Kind, r.Domain, r.Path = KindWebsite, domain, path
	return r, ok && isDomain && r.Protocol == TCP && strings.HasPrefix(path, "/")
}

// number reads a number in its one form: no sign, no zero before it.
func number(s string, least, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && (n < least || n > most || strconv.Itoa(n) != s) {
		err = strconv.ErrRange
	}
	return n, err
}
