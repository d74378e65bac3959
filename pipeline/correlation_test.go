package pipeline_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestKeysAreMadeAndTakenApart(t *testing.T) {
	for key, want := range map[string]pipeline.Ref{
		"project:p":                                  {Kind: pipeline.KindProject},
		"project:p;domain:a.example":                 {Kind: pipeline.KindDomain, Locators: pipeline.Locators{Domain: "a.example"}},
		"project:p;host:192.0.2.1":                   {Kind: pipeline.KindHost, Locators: pipeline.Locators{IP: "192.0.2.1"}},
		"project:p;host:2001:db8::1":                 {Kind: pipeline.KindHost, Locators: pipeline.Locators{IP: "2001:db8::1"}},
		"project:p;host:192.0.2.0;mask:24":           {Kind: pipeline.KindRange, Locators: pipeline.Locators{IP: "192.0.2.0", Mask: new(24)}},
		"project:p;host:::;mask:0":                   {Kind: pipeline.KindRange, Locators: pipeline.Locators{IP: "::", Mask: new(0)}},
		"project:p;host:::1;port:53;protocol:udp":    {Kind: pipeline.KindPort, Locators: pipeline.Locators{IP: "::1", Port: 53, Protocol: pipeline.UDP}},
		"project:p;host:::1;port:65535;protocol:tcp": {Kind: pipeline.KindPort, Locators: pipeline.Locators{IP: "::1", Port: 65535, Protocol: pipeline.TCP}},
		"project:p;host:192.0.2.1;port:80;protocol:tcp;domain:;path:/": {
			Kind: pipeline.KindWebsite, Locators: pipeline.Locators{IP: "192.0.2.1", Port: 80, Protocol: pipeline.TCP, Path: "/"},
		},
		"project:p;host:192.0.2.1;port:80;protocol:tcp;domain:a.example;path:/x;path:/y": {
			Kind: pipeline.KindWebsite, Locators: pipeline.Locators{IP: "192.0.2.1", Port: 80, Protocol: pipeline.TCP, Domain: "a.example", Path: "/x;path:/y"},
		},
	} {
		want.ProjectID = "p"
		got, err := pipeline.ParseKey(key)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("ParseKey(%s) = %+v, %v", key, got, err)
		}
		if again, err := pipeline.CorrelationKey("p", got.Locators, got.Kind == pipeline.KindWebsite); err != nil || again != key {
			t.Errorf("CorrelationKey of %s = %s, %v", key, again, err)
		}
	}
}

// A resource has one key: what is nearly one is none, or two rows would be made of it.
func TestWhatIsNearlyAKeyIsNone(t *testing.T) {
	for _, key := range []string{
		"", "project:", "projekt:p", "project:p;", "project:p;domain:", "project:p;ip:192.0.2.1", "project:p;host:", "project:p;host:example.com",
		"project:p;host:192.0.2.1;", "project:p;host:192.0.2.01", "project:p;host:::ffff:192.0.2.1", "project:p;host:2001:DB8::1", "project:p;host:2001:db8:0::1",
		"project:p;host:fe80::1%eth0", "project:p;host:192.0.2.1;mask:24", "project:p;host:192.0.2.0;mask:33", "project:p;host:192.0.2.0;mask:+24",
		"project:p;host:192.0.2.0;mask:024", "project:p;host:192.0.2.0;mask:-1", "project:p;host:192.0.2.1;443;tcp", "project:p;host:192.0.2.1;port:443",
		"project:p;host:192.0.2.1;port:0;protocol:tcp", "project:p;host:192.0.2.1;port:65536;protocol:tcp", "project:p;host:192.0.2.1;port:0443;protocol:tcp",
		"project:p;host:192.0.2.1;port:443;protocol:sctp", "project:p;host:192.0.2.1;port:443;tcp", "project:p;host:192.0.2.1;port:443;protocol:tcp;",
		"project:p;host:192.0.2.1;port:443;protocol:udp;domain:;path:/", "project:p;host:192.0.2.1;port:443;protocol:tcp;domain:;path:x",
		"project:p;host:192.0.2.1;port:443;protocol:tcp;path:/", "project:p;host:192.0.2.1;port:443;protocol:tcp;a.example;path:/",
	} {
		if r, err := pipeline.ParseKey(key); pipeline.CodeOf(err) != pipeline.CodeInvalid || err == nil {
			t.Errorf("ParseKey(%q) = %+v, %v", key, r, err)
		}
	}
}

// FuzzParseKey: what is taken apart is put together again the same.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{
		"project:p", "project:p;domain:a.example", "project:p;host:::1", "project:p;host:192.0.2.0;mask:24", "project:p;host:::1;port:53;protocol:udp",
		"project:p;host:192.0.2.1;port:80;protocol:tcp;domain:a;path:/x;path:/y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		r, err := pipeline.ParseKey(key)
		if err != nil {
			return
		}
		again, err := pipeline.CorrelationKey(r.ProjectID, r.Locators, r.Kind == pipeline.KindWebsite)
		if err != nil || again != key {
			t.Errorf("%q is %+v, and that is %q, %v", key, r, again, err)
		}
	})
}

// FuzzCorrelationKey: whatever names a resource makes a key that names it.
func FuzzCorrelationKey(f *testing.F) {
	f.Add("p", "192.0.2.1", "a.example", "/x", 443, 24, true, true)
	f.Add("p", "2001:db8::1", "", "", 53, 0, false, false)
	f.Fuzz(func(t *testing.T, project, ip, domain, path string, port, bits int, hasMask, website bool) {
		addr, err := netip.ParseAddr(ip)
		if ip != "" && (err != nil || addr.Zone() != "") || strings.Contains(project, ";") || strings.Contains(domain, ";") || path != "" && path[0] != '/' {
			return // what normalisation lets nobody say
		}
		l := pipeline.Locators{Domain: domain, Path: path}
		if ip != "" {
			l.IP = addr.Unmap().String()
		}
		if port > 0 && port < 65536 {
			l.Port, l.Protocol = port, pipeline.TCP
		}
		if hasMask {
			l.Mask = &bits
		}
		key, err := pipeline.CorrelationKey(project, l, website)
		if err != nil {
			return
		}
		r, err := pipeline.ParseKey(key)
		if err != nil {
			t.Fatalf("%+v makes %q: %v", l, key, err)
		}
		if r.ProjectID != project || r.IP != l.IP && r.Mask == nil || r.Domain != l.Domain || r.Port != l.Port {
			t.Errorf("%+v makes %q, which is %+v", l, key, r)
		}
	})
}
