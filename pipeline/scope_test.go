package pipeline_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestScope(t *testing.T) {
	lists := pipeline.Scope{
		In:  []string{"example.com", "*.example.com", "api-*.shop.test", "198.51.100.0/24", "2001:db8:1::/48", "8.8.8.8"},
		Out: []string{"*.dev.Example.com.", "admin.example.com", "8.8.4.0/24", "1.0.0.1"},
	}
	internal := []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/48"), netip.MustParsePrefix("10.1.0.0/16")}
	listed := pipeline.Project{Scope: lists, Internal: internal}
	open := pipeline.Project{Internal: internal}
	onlyOut := pipeline.Project{Scope: pipeline.Scope{Out: lists.Out}}
	for _, tc := range []struct {
		name    string
		project *pipeline.Project
		target  pipeline.Locators
		reverse bool
		names   []string
		want    pipeline.ScopeReason
	}{
		{"the name", &listed, pipeline.Locators{Domain: "example.com"}, false, nil, ""},
		{"case and dot", &listed, pipeline.Locators{Domain: "WWW.Example.COM."}, false, nil, ""},
		{"far below", &listed, pipeline.Locators{Domain: "a.b.example.com"}, false, nil, ""},
		{"a name that only ends so", &listed, pipeline.Locators{Domain: "evilexample.com"}, false, nil, pipeline.ScopeNotListed},
		{"a pattern", &listed, pipeline.Locators{Domain: "api-7.shop.test"}, false, nil, ""},
		{"not the pattern", &listed, pipeline.Locators{Domain: "shop.test"}, false, nil, pipeline.ScopeNotListed},
		{"listed out below", &listed, pipeline.Locators{Domain: "x.dev.example.com"}, false, nil, pipeline.ScopeListedOut},
		{"out is stronger", &listed, pipeline.Locators{Domain: "admin.example.com"}, false, nil, pipeline.ScopeListedOut},
		{"the parent of what is out", &listed, pipeline.Locators{Domain: "dev.example.com"}, false, nil, ""},
		{"an address", &listed, pipeline.Locators{IP: "8.8.8.8"}, false, nil, ""},
		{"in a network", &listed, pipeline.Locators{IP: "198.51.100.9", Port: 80, Protocol: pipeline.TCP}, false, nil, ""},
		{"IPv6", &listed, pipeline.Locators{IP: "2001:db8:1::9"}, false, nil, ""},
		{"IPv4 in IPv6", &listed, pipeline.Locators{IP: "::ffff:8.8.8.8"}, false, nil, ""},
		{"an address nobody listed", &listed, pipeline.Locators{IP: "9.9.9.9"}, false, nil, pipeline.ScopeNotListed},
		{"what a name in scope resolves to", &listed, pipeline.Locators{IP: "9.9.9.9"}, false, []string{"other.test", "www.example.com"}, ""},
		{"what a name that is out resolves to", &listed, pipeline.Locators{IP: "9.9.9.9"}, false, []string{"x.dev.example.com"}, pipeline.ScopeNotListed},
		{"name and address together", &listed, pipeline.Locators{Domain: "www.example.com", IP: "9.9.9.9"}, false, nil, ""},
		{"a name in scope at an address listed out", &listed, pipeline.Locators{Domain: "www.example.com", IP: "8.8.4.4"}, false, nil, pipeline.ScopeListedOut},
		{"a reverse name at an address nobody listed", &listed, pipeline.Locators{Domain: "www.example.com", IP: "9.9.9.9"}, true, nil, pipeline.ScopeNotListed},
		{"a reverse name at a listed address", &listed, pipeline.Locators{Domain: "cloud.test", IP: "8.8.8.8"}, true, nil, ""},
		{"a reverse name alone", &listed, pipeline.Locators{Domain: "cloud.test"}, true, nil, pipeline.ScopeReverse},
		{"a reverse name that is listed", &listed, pipeline.Locators{Domain: "www.example.com"}, true, nil, ""},
		{"a reverse name without lists", &open, pipeline.Locators{Domain: "ec2.cloud.test"}, true, nil, pipeline.ScopeReverse},
		{"anything without lists", &open, pipeline.Locators{Domain: "ec2.cloud.test"}, false, nil, ""},
		{"private", &open, pipeline.Locators{IP: "10.2.0.1"}, false, nil, pipeline.ScopeSpecial},
		{"internal", &open, pipeline.Locators{IP: "10.1.0.1"}, false, nil, ""},
		{"a private address that a name in scope resolves to", &listed, pipeline.Locators{Domain: "www.example.com", IP: "192.168.0.1"}, false, nil, pipeline.ScopeSpecial},
		{"a range that is listed", &listed, pipeline.Locators{IP: "198.51.100.128", Mask: new(25)}, false, nil, ""},
		{"a range larger than what is listed", &listed, pipeline.Locators{IP: "8.8.8.0", Mask: new(24)}, false, nil, pipeline.ScopeNotListed},
		{"a range that holds what is out", &onlyOut, pipeline.Locators{IP: "1.0.0.0", Mask: new(24)}, false, nil, pipeline.ScopeListedOut},
		{"beside what is out", &onlyOut, pipeline.Locators{IP: "1.0.0.2"}, false, nil, ""},
		{"no address at all", &open, pipeline.Locators{IP: "nonsense"}, false, nil, pipeline.ScopeSpecial},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := tc.project.Bounds()
			if err != nil {
				t.Fatal(err)
			}
			target := pipeline.Target{Locators: tc.target, Reverse: tc.reverse, Names: slices.Values(tc.names)}
			got := b.Judge(&target)
			if got.Reason != tc.want || got.Allowed() != (tc.want == "") || got.Sentence(&target) == "" {
				t.Errorf("%s, want %q", got.Sentence(&target), tc.want)
			}
		})
	}
}

func TestScopeListsReportEveryProblem(t *testing.T) {
	p := pipeline.Project{Scope: pipeline.Scope{In: []string{"ok.test", "https://example.com/", "*", "10.0.0.0/33"}, Out: []string{"", "a b", "x..y", "*.*.*.*.*.z"}}}
	_, err := p.Bounds()
	if pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Fatal(err)
	}
	for _, want := range []string{`scope.in[1]: "https://example.com/" is a URL`, `scope.in[2]: "*" matches everything`, "scope.in[3]", "scope.out[0]", "scope.out[1]", "scope.out[2]", "scope.out[3]"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "scope.in[0]") {
		t.Error(err)
	}
}

func FuzzScope(f *testing.F) {
	f.Add("*.example.com", "a.example.com", "192.0.2.1")
	f.Fuzz(func(t *testing.T, entry, domain, ip string) {
		out := pipeline.Project{Scope: pipeline.Scope{Out: []string{entry}}}
		both := pipeline.Project{Scope: pipeline.Scope{In: []string{entry}, Out: []string{entry}}}
		l := pipeline.Locators{Domain: domain, IP: ip}
		a, errA := out.InScope(l)
		b, errB := both.InScope(l, domain)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%q is right in one list and wrong in the other: %v, %v", entry, errA, errB)
		}
		if errA == nil && b.Allowed() {
			t.Errorf("%q: %+v is in scope though everything listed in is listed out (%+v)", entry, l, a)
		}
	})
}
