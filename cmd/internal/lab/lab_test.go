package lab_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/pipeline"
)

// start runs a lab until the test ends, and checks that it ends then.
func start(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-gone:
		case <-time.After(60 * time.Second):
			t.Error("the lab did not stop")
		}
	})
	return l
}

func TestTheResolverKnowsTheZoneAndNothingElse(t *testing.T) {
	l := start(t)
	net4 := strings.TrimSuffix(l.Network().Addr().String(), "0")
	for _, tc := range []struct {
		name  string
		qtype uint16
		rcode int
		want  []string
	}{
		{"www.lab.test.", dns.TypeA, dns.RcodeSuccess, []string{net4 + "1"}},
		{"WWW.Lab.Test.", dns.TypeA, dns.RcodeSuccess, []string{net4 + "1"}},
		{"shop.lab.test.", dns.TypeA, dns.RcodeSuccess, []string{"www.lab.test.", net4 + "1"}},
		{"assets.lab.test.", dns.TypeA, dns.RcodeSuccess, []string{"cdn.edge.lab.test.", net4 + "1", net4 + "2"}},
		{"www.lab.test.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"empty.lab.test.", dns.TypeA, dns.RcodeSuccess, nil},
		{"gone.lab.test.", dns.TypeA, dns.RcodeNameError, nil},
		{"example.com.", dns.TypeA, dns.RcodeRefused, nil},
	} {
		for _, transport := range []string{"udp", "tcp"} {
			c := dns.Client{Net: transport, Timeout: 30 * time.Second}
			m, _, err := c.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(tc.name, tc.qtype), l.Resolver())
			if err != nil {
				t.Fatalf("%s by %s: %v", tc.name, transport, err)
			}
			var got []string
			for _, rr := range m.Answer {
				switch r := rr.(type) {
				case *dns.A:
					got = append(got, r.A.String())
				case *dns.CNAME:
					got = append(got, r.Target)
				}
			}
			if m.Rcode != tc.rcode || !slices.Equal(got, tc.want) {
				t.Errorf("%s %s by %s: %s %v, want %s %v", tc.name, dns.TypeToString[tc.qtype], transport,
					dns.RcodeToString[m.Rcode], got, dns.RcodeToString[tc.rcode], tc.want)
			}
		}
	}
}

// TestTheTruthIsServed asks every website as a browser would: what the lab claims
// must be there.
func TestTheTruthIsServed(t *testing.T) {
	l := start(t)
	truth := l.Truth()
	if len(truth.Websites) < 20 {
		t.Errorf("only %d websites", len(truth.Websites))
	}
	for _, w := range truth.Websites {
		if strings.HasPrefix(w.Server, "[31m") {
			continue // a browser refuses the hostile host; the next test speaks to it
		}
		resp := get(t, &w)
		if resp.StatusCode != w.Status {
			t.Errorf("%s at %s: status %d, want %d", w.URL, w.IP, resp.StatusCode, w.Status)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(body), "<title>"+w.Title+"</title>") || resp.Header.Get("Server") != w.Server {
			t.Errorf("%s at %s: %v server %q\n%s", w.URL, w.IP, err, resp.Header.Get("Server"), body)
		}
		if resp.TLS == nil {
			continue
		}
		leaf := resp.TLS.PeerCertificates[0]
		sum := sha256.Sum256(leaf.Raw)
		if w.Certificate == nil || hex.EncodeToString(sum[:]) != w.Certificate.Fingerprint || !leaf.NotAfter.Equal(w.Certificate.NotAfter) {
			t.Errorf("%s at %s shows a certificate until %s, the truth is %+v", w.URL, w.IP, leaf.NotAfter, w.Certificate)
		}
	}
}

func TestTheHostileHostSendsMarkupAndEscapesWithoutEnd(t *testing.T) {
	for _, w := range start(t).Truth().Websites {
		if !strings.HasPrefix(w.Server, "[31m") {
			continue
		}
		c, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(t.Context(), "tcp", net.JoinHostPort(w.IP, strconv.Itoa(w.Port)))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.LimitReader(c, 4<<20))
		if len(got) != 4<<20 || !bytes.Contains(got, []byte("Server: \x1b[31mevil\r\n")) || !bytes.Contains(got, []byte("\x1b]0;owned\x07\x1b[2J&lt;script&gt;")) {
			t.Errorf("%d bytes (%v) that begin with %q", len(got), err, got[:min(len(got), 600)])
		}
		_ = c.Close()
		return
	}
	t.Error("there is no hostile host")
}

func get(t *testing.T, w *pipeline.Website) *http.Response {
	t.Helper()
	name := w.Domain
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, ServerName: name},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", net.JoinHostPort(w.IP, strconv.Itoa(w.Port)))
		},
	}
	c := http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s at %s: %v", w.URL, w.IP, err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestACertificateExpiresSoon(t *testing.T) {
	var soon int
	for _, w := range start(t).Truth().Websites {
		if w.Certificate != nil && time.Until(w.Certificate.NotAfter) < 7*24*time.Hour {
			soon++
		}
	}
	if soon == 0 {
		t.Error("no website has a certificate that expires within a week")
	}
}

func TestEveryPortOfTheTruthIsOpen(t *testing.T) {
	l := start(t)
	var udp int
	for _, p := range l.Truth().Ports {
		at := net.JoinHostPort(p.IP, strconv.Itoa(p.Port))
		c, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(t.Context(), string(p.Protocol), at)
		if err != nil {
			t.Errorf("%s/%s: %v", at, p.Protocol, err)
			continue
		}
		if !l.Listens(netip.MustParseAddrPort(at)) {
			t.Errorf("the lab denies %s", at)
		}
		if p.Protocol == pipeline.UDP {
			udp++
			asks(t, c)
		}
		_ = c.Close()
	}
	if udp == 0 {
		t.Error("nothing answers by UDP")
	}
	if l.Listens(netip.MustParseAddrPort("127.0.0.1:22")) {
		t.Error("the lab claims a port that is not its own")
	}
}

// asks sends a STUN binding request and wants the answer to it.
func asks(t *testing.T, c net.Conn) {
	t.Helper()
	q := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, "transaction."...)
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write(q); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, err := c.Read(buf)
	if err != nil || n < 20 || buf[0] != 1 || buf[1] != 1 || !bytes.Equal(buf[4:20], q[4:20]) {
		t.Errorf("the answer to a binding request is % x (%v)", buf[:n], err)
	}
}

func TestTwoLabsDoNotMeet(t *testing.T) {
	a, b := start(t), start(t)
	if a.Network().Overlaps(b.Network()) || a.Resolver() == b.Resolver() {
		t.Errorf("both labs are in %s", a.Network())
	}
	for _, p := range a.Truth().Ports {
		if b.Listens(netip.AddrPortFrom(netip.MustParseAddr(p.IP), uint16(p.Port))) {
			t.Errorf("both labs claim %s port %d", p.IP, p.Port)
		}
	}
}

func TestALabThatIsNotRunGivesItsAddressesBack(t *testing.T) {
	first, err := lab.Open()
	if err != nil {
		t.Fatal(err)
	}
	resolver := first.Resolver()
	first.Close()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", resolver)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	_ = ln.Close()
}

func TestALabElsewhereIsTheSameWithoutIPv6(t *testing.T) {
	n := netip.MustParsePrefix("127.0.99.0/24") // loopback stands for a network of this machine's
	l, err := lab.OpenAt(n)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := lab.OpenAt(n); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("a second lab in the same network: %v", err)
	}
	if got := l.Network(); got != netip.MustParsePrefix("127.0.99.0/28") {
		t.Errorf("its targets are in %s", got)
	}
	for _, h := range l.Truth().Hosts {
		if a := netip.MustParseAddr(h.IP); a.Is4() && !n.Contains(a) {
			t.Errorf("host %s is outside of %s", a, n)
		}
	}
}

func TestALabNeedsANetworkOfThisMachine(t *testing.T) {
	for network, want := range map[string]string{
		"192.0.2.0/24":  "ip route add local 192.0.2.0/24 dev lo", // nobody has it: it is for documentation
		"127.0.99.0/25": "256 addresses",
		"127.0.99.1/24": "256 addresses",
		"2001:db8::/24": "256 addresses",
	} {
		if l, err := lab.OpenAt(netip.MustParsePrefix(network)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", network, l, err, want)
		}
	}
}
