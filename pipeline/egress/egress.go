// Package egress keeps what people have the server connect to away from what only
// the server reaches: itself, its network, the metadata service of its cloud. What
// counts is the address a connection goes to, not the name somebody wrote.
package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// notPublic are the networks that netip's own questions do not know.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether an address is one of the public Internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Zone() != "" || !a.IsValid() || a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, n := range notPublic {
		if n.Contains(a) {
			return false
		}
	}
	return true
}

// Client returns an HTTP client for addresses that people entered. It goes to public
// addresses only, unless private ones are allowed, follows no redirect, knows no
// proxy, and asks the address of every connection anew, so that a name cannot mean
// something else a moment later.
func Client(allowPrivate bool, timeout time.Duration) *http.Client {
	d := &net.Dialer{Timeout: timeout}
	if !allowPrivate {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error { return check(address) }
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: d.DialContext, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func check(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err == nil && Public(at.Addr()) {
		return nil
	}
	return refused{address}
}

// refused is a connection that was not made.
type refused struct{ address string }

func (r refused) Error() string { return r.address + " is no public address" }

// Refused returns the error of who may not connect where they wanted to, and whether
// err is one. setting is the key of the configuration that allows it.
func Refused(err error, setting string) (error, bool) {
	r, ok := errors.AsType[refused](err)
	if !ok {
		return err, false
	}
	return pipeline.Errorf(pipeline.CodeForbidden, "%s: %s", r.Error(), setting), true
}
