// Package scan runs one scan against a server and shows it: targets go in as a
// project, progress is shown while the pipeline works, and what was found comes
// out as a table or JSON.
package scan

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// Targets are what to scan, sorted by what they are.
type Targets struct {
	Domains []string `json:"domains,omitempty"`
	IPs     []string `json:"ips,omitempty"`
	Ranges  []string `json:"ranges,omitempty"`
}

// Internal returns the special-purpose addresses and ranges that were named: who
// names one means it, so the project may scan exactly these.
func (t *Targets) Internal() []string {
	var nets []string
	for _, s := range t.IPs {
		if a := netip.MustParseAddr(s); !pipeline.IsPublic(a) {
			nets = append(nets, netip.PrefixFrom(a, a.BitLen()).String())
		}
	}
	for _, s := range t.Ranges {
		p := pipeline.Project{}
		if n := netip.MustParsePrefix(s); !p.MayScanRange(n) {
			nets = append(nets, s)
		}
	}
	return nets
}

// Parse reads targets: domains, addresses, networks, and URLs, whose host counts.
// Every problem is reported.
func Parse(args []string) (Targets, error) {
	var t Targets
	var errs []error
	seen := map[string]bool{}
	add := func(list *[]string, s string) {
		if !seen[s] {
			seen[s] = true
			*list = append(*list, s)
		}
	}
	for _, arg := range args {
		s := host(strings.TrimSpace(arg))
		if a, err := normal.Addr(strings.Trim(s, "[]")); err == nil {
			add(&t.IPs, a.String())
		} else if strings.Contains(s, "/") {
			if n, err := normal.Prefix(s); err == nil {
				add(&t.Ranges, n.String())
			} else {
				errs = append(errs, err)
			}
		} else if d, err := normal.Domain(s); err == nil && !numeric(d) {
			add(&t.Domains, d)
		} else {
			errs = append(errs, fmt.Errorf("%q is no domain, address, network or URL", arg))
		}
	}
	if len(seen) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("name at least one target"))
	}
	return t, errors.Join(errs...)
}

// host takes the host out of a URL.
func host(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return s
	}
	return u.Hostname()
}

// numeric tells a mistyped address from a name: no top-level domain is a number.
func numeric(d string) bool {
	last := d[strings.LastIndexByte(d, '.')+1:]
	return strings.Trim(last, "0123456789") == ""
}
