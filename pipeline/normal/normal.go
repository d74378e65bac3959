// Package normal turns what a job, a person or an import wrote into checked and
// normalised values, so that one thing in the world has one name in Stalker. It
// is the only door for findings: the gateway and the API both use it.
//
// Everything here is a pure function of its input. Errors have CodeInvalid (or
// CodeTooLarge) and say which field is wrong and what was expected.
package normal

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/stalker-asm/stalker/pipeline"
)

// Limits on single values, in bytes.
const (
	MaxDomain = 253 // RFC 1035 §2.3.4, without the final dot
	MaxPath   = 2048
	MaxName   = 512
	MaxKey    = 128
	MaxTag    = 64
)

// Domain returns the form under which a host name is known: lower case, without a
// final dot or a leading "*.", internationalised names in their ASCII form (IDNA,
// RFC 5891). Underscores are allowed, as in service names (RFC 8552).
func Domain(s string) (string, error) {
	name := strings.TrimSuffix(strings.TrimSpace(s), ".")
	name = strings.ToLower(strings.TrimPrefix(name, "*."))
	if !ascii(name) {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", pipeline.Errorf(pipeline.CodeInvalid, "%q is no domain name: %w", clip(s), err)
		}
	}
	switch {
	case name == "":
		return "", pipeline.Errorf(pipeline.CodeInvalid, "a domain name is empty")
	case len(name) > MaxDomain:
		return "", pipeline.Errorf(pipeline.CodeInvalid, "domain name %q has %d bytes, at most %d are allowed", clip(s), len(name), MaxDomain)
	}
	if isAddr(name) {
		return "", pipeline.Errorf(pipeline.CodeInvalid, "%q is an address, not a domain name", clip(s))
	}
	for label := range strings.SplitSeq(name, ".") {
		if !validLabel(label) {
			return "", pipeline.Errorf(pipeline.CodeInvalid, "%q is no domain name: %q is no label of 1 to 63 letters, digits, hyphens and underscores", clip(s), clip(label))
		}
	}
	return name, nil
}

// isAddr spares names the attempt to read them as what they cannot be.
func isAddr(name string) bool {
	last := name[len(name)-1]
	if (last < '0' || last > '9') && !strings.Contains(name, ":") {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func validLabel(l string) bool {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		c := l[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Addr returns the canonical form of an address: IPv4-mapped IPv6 becomes IPv4,
// IPv6 is lower case and shortened (RFC 5952). Zones are refused: they mean
// something on one machine only.
func Addr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		return a, pipeline.Errorf(pipeline.CodeInvalid, "%q is no IP address", clip(s))
	}
	if a.Zone() != "" {
		return a, pipeline.Errorf(pipeline.CodeInvalid, "%q has a zone, which means nothing outside one machine", clip(s))
	}
	return a.Unmap(), nil
}

// Prefix returns the network a CIDR text (RFC 4632) names, host bits cleared.
func Prefix(s string) (netip.Prefix, error) {
	ip, bits, ok := strings.Cut(strings.TrimSpace(s), "/")
	n, err := strconv.Atoi(bits)
	if !ok || err != nil {
		return netip.Prefix{}, pipeline.Errorf(pipeline.CodeInvalid, "%q is no network: write it as 192.0.2.0/24 or 2001:db8::/48", clip(s))
	}
	a, err := Addr(ip)
	if err != nil {
		return netip.Prefix{}, err
	}
	return network(a, n)
}

func network(a netip.Addr, bits int) (netip.Prefix, error) {
	p, err := a.Prefix(bits)
	if err != nil {
		return p, pipeline.Errorf(pipeline.CodeInvalid, "mask %d does not fit %s: 0 to %d does", bits, a, a.BitLen())
	}
	return p, nil
}

// Path returns a website path: with a leading slash and without a fragment.
func Path(s string) (string, error) {
	s, _, _ = strings.Cut(s, "#")
	if !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	if len(s) > MaxPath {
		return "", pipeline.Errorf(pipeline.CodeInvalid, "path has %d bytes, at most %d are allowed", len(s), MaxPath)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return "", pipeline.Errorf(pipeline.CodeInvalid, "path %q holds a control character", clip(s))
		}
	}
	return s, nil
}

// clip keeps what is quoted in an error short.
func clip(s string) string { return pipeline.Clip(s, 80) }
