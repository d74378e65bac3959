package pipeline

import (
	"net/netip"
	"time"
)

// Project is a tenant: it owns resources, findings, executions, subscriptions and
// secrets, and nothing crosses from one project to another.
type Project struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Notes     string    `json:"notes,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	Version   int64     `json:"version"` // grows with every change

	// Resolvers are the DNS servers jobs of this project ask, as host:port; none
	// means those of the machine.
	Resolvers []string `json:"resolvers,omitempty"`
	// Internal lists the special-purpose networks (loopback, private, link-local…)
	// this project may scan. Public addresses need no entry.
	Internal []netip.Prefix `json:"internal,omitempty"`
	// Scope lists what automation may aim at.
	Scope Scope `json:"scope,omitzero"`
}

// MayScan reports whether automation may aim at addr: a public address always, a
// special-purpose one only inside the project's Internal networks.
func (p *Project) MayScan(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range p.Internal {
		if n.Contains(addr) {
			return true
		}
	}
	return IsPublic(addr)
}

// MayScanRange reports whether automation may aim at every address of a network.
func (p *Project) MayScanRange(n netip.Prefix) bool {
	n = n.Masked()
	for _, in := range p.Internal {
		if in.Bits() <= n.Bits() && in.Contains(n.Addr()) {
			return true
		}
	}
	for _, s := range specialPurpose {
		if s.Overlaps(n) {
			return false
		}
	}
	return true
}

// IsPublic reports whether addr is meant to be reachable from the internet
// (IANA special-purpose address registries, RFC 6890).
func IsPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, s := range specialPurpose {
		if s.Contains(addr) {
			return false
		}
	}
	return true
}

// specialPurpose lists what is not meant to be reached over the internet.
var specialPurpose = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network, RFC 791
	netip.MustParsePrefix("10.0.0.0/8"),      // private use, RFC 1918
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback, RFC 1122
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, RFC 3927
	netip.MustParsePrefix("172.16.0.0/12"),   // private use, RFC 1918
	netip.MustParsePrefix("192.168.0.0/16"),  // private use, RFC 1918
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast, RFC 5771
	netip.MustParsePrefix("::/127"),          // unspecified and loopback, RFC 4291
	netip.MustParsePrefix("fc00::/7"),        // unique local, RFC 4193
	netip.MustParsePrefix("fe80::/10"),       // link-local, RFC 4291
	netip.MustParsePrefix("ff00::/8"),        // multicast, RFC 4291
	netip.MustParsePrefix("100.64.0.0/10"),   // shared address space, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments, RFC 6890
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation, RFC 5737
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking, RFC 2544
	netip.MustParsePrefix("198.51.100.0/24"), // documentation, RFC 5737
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation, RFC 5737
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, RFC 1112
	netip.MustParsePrefix("64:ff9b:1::/48"),  // local-use translation, RFC 8215
	netip.MustParsePrefix("100::/64"),        // discard-only, RFC 6666
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, RFC 2928
	netip.MustParsePrefix("2001:db8::/32"),   // documentation, RFC 3849
	netip.MustParsePrefix("3fff::/20"),       // documentation, RFC 9637
	netip.MustParsePrefix("fec0::/10"),       // site-local, RFC 3879
}
