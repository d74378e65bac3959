package filter_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
)

var now = time.Date(2026, 11, 25, 12, 30, 45, 0, time.UTC)

func TestCanonicalForm(t *testing.T) {
	for _, tc := range []struct {
		kind     pipeline.Kind
		in, want string
	}{
		{pipeline.KindDomain, "", ""},
		{pipeline.KindDomain, " \t", ""},
		// the reference's vectors (spec/api.md §8.1)
		{pipeline.KindDomain, `domain: "I am confusing: I have spaces and colons"`, `domain:"i am confusing: i have spaces and colons"`},
		{pipeline.KindDomain, `domain: http://a1b2.ca -is: blocked`, `domain:http://a1b2.ca -is:blocked`},
		{pipeline.KindDomain, `is: blocked`, `is:blocked`},
		{pipeline.KindDomain, `-tag.name: my-tag`, `-tag:my-tag`},
		{pipeline.KindDomain, `finding.foo.bar: 123`, `finding.foo.bar:123`},
		{pipeline.KindDomain, `-finding.foo: exists`, `-finding.foo:*`},
		{pipeline.KindDomain, `domain:a domain:b`, `domain:(a,b)`},
		{pipeline.KindDomain, `DOMAIN : a`, `domain:a`},
		{pipeline.KindDomain, `domain: a,b`, `domain:(a,b)`},
		{pipeline.KindDomain, `domain: é`, `domain:é`},
		{pipeline.KindWebsite, `mergedIn.id: 0123456789abcdef01234567`, `mergedIn:0123456789abcdef01234567`},
		// several of one field side by side are either; tags, words and comparisons must all hold
		{pipeline.KindPort, `port:80 service:http port:443`, `port:(80,443) port.service:http`},
		{pipeline.KindPort, `port:80 AND port:443`, `port:80 AND port:443`},
		{pipeline.KindPort, `port:all(80, 443)`, `port:80 AND port:443`},
		{pipeline.KindPort, `port:>80 port:<443`, `port:>80 port:<443`},
		{pipeline.KindPort, `tag:a tag:b a b`, `tag:a tag:b a b`},
		{pipeline.KindPort, `tag:any(a b)`, `tag:(a,b)`},
		{pipeline.KindPort, `tag:all(a,b)`, `tag:a tag:b`},
		{pipeline.KindPort, `-port:80 -port:443`, `-port:80 -port:443`},
		{pipeline.KindPort, `port:80,443,8000-8999`, `port:(80,443,8000-8999)`},
		// either, both, neither
		{pipeline.KindPort, `port:80 OR port:443 service:https`, `port:80 OR port:443 port.service:https`},
		{pipeline.KindPort, `(port:80 OR port:443) service:https`, `(port:80 OR port:443) port.service:https`},
		{pipeline.KindPort, `((port:80))`, `port:80`},
		{pipeline.KindPort, `NOT (port:80 AND ssh)`, `-(port:80 ssh)`},
		{pipeline.KindPort, `NOT NOT port:80`, `port:80`},
		{pipeline.KindPort, `-(-port:80)`, `port:80`},
		{pipeline.KindPort, `or and not`, `or and not`},
		{pipeline.KindPort, `"OR" "-a"`, `"OR" "-a"`},
		// words
		{pipeline.KindPort, `https://www [2001:DB8 :443 443/tcp % ' \`, `"https://www" "[2001:DB8" ":443" 443/tcp % ' "\\"`},
		{pipeline.KindWebsite, `www.example.com:443`, `"www.example.com:443"`},
		{pipeline.KindPort, `10.0.0.0/8`, `host:10.0.0.0/8`},
		{pipeline.KindPort, `2001:db8::1`, `host:2001:db8::1`},
		{pipeline.KindPort, `"10.0.0.1"`, `"10.0.0.1"`},
		{filter.Execution, `10.0.0.1`, `"10.0.0.1"`},
		// values
		{pipeline.KindWebsite, `title:"say \"hi\" \\ \*"`, `title:"say \"hi\" \\ \*"`},
		{pipeline.KindWebsite, `title:**a***`, `title:*a*`},
		{pipeline.KindWebsite, `title:~^(a|b)\d$ (x)`, `title:~"^(a|b)\d$" x`},
		{pipeline.KindWebsite, `(title:~a) OR path:~"\"\\d"`, `title:~"a" OR path:~"\"\\d"`},
		{pipeline.KindWebsite, `path:/admin/ ip:10.1.*`, `path:/admin/ host:10.1.*`},
		{pipeline.KindWebsite, `lastSeen:<7d expires:> 30d status:>=400`, `lastSeen:<7d certificate.expires:>30d status:>=400`},
		{pipeline.KindWebsite, `firstSeen:2026-01-01..2026-02-01`, `firstSeen:2026-01-01..2026-02-01`},
		{filter.Finding, `field.port:>8000 finding.K.a.b:x`, `field.port:>8000 finding.K.a.b:x`},
		{filter.Execution, `state:FAILED duration:>1h30m`, `state:failed duration:>1h30m`},
	} {
		f, err := filter.Parse(tc.kind, tc.in, now)
		if err != nil {
			t.Errorf("Parse(%s, %q): %v", tc.kind, tc.in, err)
			continue
		}
		if got := f.String(); got != tc.want {
			t.Errorf("Parse(%s, %q) = %q, want %q", tc.kind, tc.in, got, tc.want)
		}
		if again, err := filter.Parse(tc.kind, f.String(), now); err != nil || again.String() != f.String() {
			t.Errorf("%q comes back as %q, %v", f, again, err)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct {
		kind     pipeline.Kind
		in       string
		from, to int
		want     string
	}{
		{pipeline.KindDomain, `domain:`, 0, 7, `has no value; domain:* means that there is any`},
		{pipeline.KindDomain, `-is:`, 1, 4, `has no value`},
		{pipeline.KindDomain, `domain: ""`, 0, 10, `has no value`},
		{pipeline.KindDomain, `é domian:a`, 2, 8, `a domain has no "domian"; did you mean domain?`},
		{pipeline.KindPort, `prot:80`, 0, 4, `did you mean port`},
		{pipeline.KindPort, `protcol:tcp`, 0, 7, `did you mean protocol`},
		{pipeline.KindHost, `url:x`, 0, 3, `a host has no "url"`},
		{pipeline.KindHost, `iprange.foo:x`, 0, 11, `a host has no "iprange.foo"`},
		{pipeline.KindHost, `is:merged`, 3, 9, `is is one of blocked, not "merged"`},
		{pipeline.KindWebsite, `is:mergd`, 3, 8, `did you mean merged`},
		{pipeline.KindPort, `protocol:sctp`, 9, 13, `one of tcp, udp`},
		{pipeline.KindHost, `domain:"a`, 7, 9, `the quote is not closed`},
		{pipeline.KindHost, `--domain:a`, 0, 1, `right after the -`},
		{pipeline.KindHost, `a -`, 2, 3, `right after the -`},
		{pipeline.KindHost, `(a`, 0, 1, `not closed`},
		{pipeline.KindHost, `a )`, 2, 3, `closes nothing`},
		{pipeline.KindHost, `()`, 0, 2, `expected between`},
		{pipeline.KindHost, `a OR`, 4, 4, `a term is expected here`},
		{pipeline.KindHost, `AND a`, 0, 0, `a term is expected here`},
		{pipeline.KindHost, `a AND OR b`, 6, 6, `a term is expected here`},
		{pipeline.KindHost, `NOT`, 0, 3, `after NOT`},
		{pipeline.KindHost, `port:x`, 5, 6, `neither a number nor a range`},
		{pipeline.KindHost, `port:9-1`, 5, 8, `did you mean 1-9`},
		{pipeline.KindHost, `port:>1-9`, 5, 9, `exclude each other`},
		{pipeline.KindHost, `ip:10.0.0.300`, 3, 13, `neither an address nor a network`},
		{pipeline.KindHost, `ip:>10.0.0.1`, 3, 12, `a network or a range`},
		{pipeline.KindRange, `ipRange:10.0.0.1`, 8, 16, `not a network`},
		{pipeline.KindHost, `lastSeen:soon`, 9, 13, `is no time`},
		{pipeline.KindHost, `lastSeen:<1d..2d`, 9, 16, `exclude each other`},
		{pipeline.KindHost, `os:>5`, 3, 5, `compares nothing`},
		{pipeline.KindHost, `os:~(`, 3, 5, `regular expression is not understood: missing closing )`},
		{pipeline.KindHost, `os:~(x{1000}){2}`, 3, 16, `regular expression`},
		{pipeline.KindHost, `os:~` + strings.Repeat("x", 300), 3, 304, `at most 256`},
		{pipeline.KindHost, `port:~1`, 5, 7, `does not fit`},
		{pipeline.KindHost, `host.id:7`, 8, 9, `an id has 24`},
		{pipeline.KindHost, `finding.a:yes`, 10, 13, `did you mean finding.a:exists or finding.a.FIELD:yes`},
		{pipeline.KindHost, `finding:yes`, 0, 7, `a host has no "finding"`},
		{pipeline.KindHost, `finding.a.:x`, 0, 10, `a host has no "finding.a."`},
		{filter.Finding, `field.a:>x`, 8, 10, `no number to compare with`},
		{filter.Execution, `duration:long`, 9, 13, `no length of time`},
		{pipeline.KindHost, "a\x00", 0, 0, `not valid UTF-8`},
		{pipeline.KindHost, strings.Repeat("(", 40) + "a" + strings.Repeat(")", 40), 32, 81, `more than 32 levels`},
		{pipeline.KindHost, strings.Repeat("a ", 201), 0, 402, `are too many`},
	} {
		_, err := filter.Parse(tc.kind, tc.in, now)
		ps, ok := err.(filter.Problems) //nolint:errorlint // Parse promises it unwrapped
		if !ok || pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("Parse(%q): %v, want problems", tc.in, err)
			continue
		}
		if len(ps) != 1 || ps[0].From != tc.from || ps[0].To != tc.to || !strings.Contains(ps[0].String(), tc.want) {
			t.Errorf("Parse(%q) has the problems %+v, want one at %d-%d with %q", tc.in, ps, tc.from, tc.to, tc.want)
		}
	}
	if _, err := filter.Parse("planet", "", now); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("a kind that does not exist: %v", err)
	}
	if _, err := filter.Parse(pipeline.KindHost, strings.Repeat("a", filter.MaxText+1), now); pipeline.CodeOf(err) != pipeline.CodeTooLarge {
		t.Errorf("a text without end: %v", err)
	}
}

// record is a thing by the names of its fields.
type record map[string][]any

func (r record) Values(t *filter.Term) []any { return r[t.Called()] }

func ms(s string) int64 {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func TestMatch(t *testing.T) {
	site := record{
		"text": {"www.example.com:443/login", "Sign in"}, "domain": {"www.example.com"}, "host": {netip.MustParseAddr("10.1.2.3")}, "port": {int64(443)},
		"title": {"Sign in"}, "tag": {"Critical", "Login"}, "technology": {"PHP", "nginx"}, "status": {int64(200)},
		"lastSeen": {ms("2026-11-20T00:00:00Z")}, "firstSeen": {ms("2026-01-15T12:00:00Z")}, "certificate.expires": {ms("2026-12-01T00:00:00Z")},
		"finding.Vuln": {"1"}, "finding.Vuln.score": {"7.5"}, "is": {"https"}, "path": {"/login"},
	}
	for in, want := range map[string]bool{
		``: true, `www`: true, `SIGN`: true, `nothing`: false, `"sign in"`: true, `sig*n`: true, `text:~^www\.`: true,
		`domain:www.example.com`: true, `domain:WWW.example.COM`: true, `domain:example.com`: false, `domain:*.example.com`: true, `domain:www.*`: true,
		`domain:w*.ex*.com`: true, `domain:*m*m*`: true, `domain:*`: true, `server:*`: false, `-server:*`: true,
		`title:"sign in"`: true, `title:sign`: false, `title:~sign.in`: true, `title:~^in`: false,
		`ip:10.1.2.3`: true, `ip:10.0.0.0/8`: true, `ip:10.1.2.0-10.1.2.9`: true, `ip:10.1.*`: true, `ip:10.1*`: true, `ip:11.*`: false, `ip:::/0`: false, `ip:~3$`: true, `10.1.2.3`: true, `10.2.0.0/16`: false,
		`port:443`: true, `port:>443`: false, `port:>=443`: true, `port:<443`: false, `port:1-1024`: true, `port:80,443`: true, `port:80 port:443`: true, `port:80 AND port:443`: false,
		`tag:critical tag:login`: true, `tag:critical tag:other`: false, `tag:(other,login)`: true, `-tag:other`: true, `-tag:login`: false,
		`lastSeen:<7d`: true, `lastSeen:<5d`: false, `lastSeen:>5d`: true, `lastSeen:7d`: true, `lastSeen:5d..7d`: true, `lastSeen:2026-11-20`: true, `lastSeen:2026-11`: true, `lastSeen:2026`: true,
		`lastSeen:>2026-11-19`: true, `lastSeen:>2026-11-20`: false, `lastSeen:>=2026-11-20`: true, `lastSeen:<2026-11-20`: false, `lastSeen:<=2026-11-20`: true, `lastSeen:2026-11-20T00:00`: true, `lastSeen:2026-11-01..2026-11-20`: true,
		`firstSeen:today`: false, `expires:<7d`: true, `expires:<5d`: false, `expires:>5d`: true, `cert.expires:2026-12`: true,
		`finding.Vuln:exists`: true, `finding.Other:exists`: false, `finding.Vuln.score:>7`: true, `finding.Vuln.score:>7.5`: false, `finding.Vuln.score:7.5`: true, `finding.Vuln.score:7*`: true,
		`is:https`: true, `is:blocked`: false, `-is:blocked is:https`: true, `port:80 OR tag:login`: true, `-(port:443 tag:login)`: false, `technology:php,java`: true,
	} {
		f, err := filter.Parse(pipeline.KindWebsite, in, now)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := f.Match(site); got != want {
			t.Errorf("Match(%q) = %v, want %v", in, got, want)
		}
	}
	scope := record{"ipRange": {netip.MustParsePrefix("10.1.0.0/16")}, "host": {netip.MustParsePrefix("10.1.0.0/16")}, "within": {netip.MustParsePrefix("10.1.0.0/16")}}
	for in, want := range map[string]bool{
		`ipRange:10.1.0.0/16`: true, `ipRange:10.1.2.3/16`: true, `ipRange:10.0.0.0/8`: false, `ip:10.1.2.3`: true, `ip:10.2.0.0`: false, `ip:10.1.4.0/24`: true,
		`ip:10.1.0.1 ip:10.1.0.2`: true, `ip:10.1.0.1 ip:10.9.0.2`: false, `within:10.0.0.0/8`: true, `within:10.1.2.0/24`: false, `ip:::1`: false, `within:::/0`: false,
	} {
		f, err := filter.Parse(pipeline.KindRange, in, now)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := f.Match(scope); got != want {
			t.Errorf("Match(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestResolveProjects(t *testing.T) {
	projects := []pipeline.Project{{ID: "aaaaaaaaaaaaaaaaaaaaaaaa", Name: "Acme"}, {ID: "bbbbbbbbbbbbbbbbbbbbbbbb", Name: "Acme Lab"}}
	for in, want := range map[string]string{
		`project:acme`:                   `project.id:aaaaaaaaaaaaaaaaaaaaaaaa`,
		`-project:acme* ssh`:             `-project.id:(aaaaaaaaaaaaaaaaaaaaaaaa,bbbbbbbbbbbbbbbbbbbbbbbb) ssh`,
		`project.name:nobody`:            `project.id:000000000000000000000000`,
		`project:acme AND project:"x y"`: `project.id:aaaaaaaaaaaaaaaaaaaaaaaa AND project.id:000000000000000000000000`,
	} {
		f, err := filter.Parse(pipeline.KindPort, in, now)
		if err != nil {
			t.Fatal(err)
		}
		f.ResolveProjects(projects)
		if f.String() != want {
			t.Errorf("%q becomes %q, want %q", in, f, want)
		}
	}
}

func TestComplete(t *testing.T) {
	items := func(kind pipeline.Kind, text string, at int) (out []string, c filter.Completion) {
		c, err := filter.Complete(kind, text, at, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range c.Items {
			out = append(out, i.Text)
		}
		return out, c
	}
	for _, tc := range []struct {
		kind     pipeline.Kind
		text     string
		at       int
		from, to int
		want     []string
	}{
		{filter.Execution, "sta", 3, 0, 3, []string{"state:", "startedAt:"}},
		{filter.Execution, "is:open sta", 11, 8, 11, []string{"state:", "startedAt:"}},
		{filter.Execution, "state:", 6, 6, 6, []string{"queued", "starting", "running", "succeeded", "failed", "stopped", "timed_out", "lost"}},
		{filter.Execution, "state:s job:x", 7, 6, 7, []string{"starting", "succeeded", "stopped"}},
		{filter.Execution, "-state: f", 9, 8, 9, []string{"failed"}},
		{filter.Execution, "state:(failed,los", 17, 14, 17, []string{"lost"}},
		{pipeline.KindPort, "é serv", 6, 2, 6, []string{"port.service:"}},
		{pipeline.KindPort, "port:", 5, 5, 5, []string{">1024"}},
		{pipeline.KindPort, "is:", 3, 3, 3, []string{"blocked", "closed"}},
	} {
		got, c := items(tc.kind, tc.text, tc.at)
		if d := cmp.Diff(tc.want, got); d != "" || c.From != tc.from || c.To != tc.to {
			t.Errorf("Complete(%q, %d) from %d to %d (-want +got)\n%s", tc.text, tc.at, c.From, c.To, d)
		}
	}
	if got, _ := items(pipeline.KindHost, "", 0); len(got) != len(filter.Fields(pipeline.KindHost)) {
		t.Errorf("an empty text proposes %v", got)
	}
	if _, c := items(pipeline.KindPort, "tag:Cri", 7); c.Field == nil || c.Field.Name != "tag" || c.Prefix != "Cri" {
		t.Errorf("the store is not asked for tags: %+v", c)
	}
}

func TestFieldNamesAreUnambiguous(t *testing.T) {
	for _, kind := range filter.Kinds() {
		seen := map[string]bool{}
		for _, f := range filter.Fields(kind) {
			if f.Doc == "" {
				t.Errorf("%s %s is not described", kind, f.Name)
			}
			for _, n := range append([]string{f.Name}, f.Aliases...) {
				if seen[strings.ToLower(n)] {
					t.Errorf("%s has two terms %q", kind, n)
				}
				seen[strings.ToLower(n)] = true
			}
			if f.Example == "" || f.Type == filter.Dynamic {
				continue
			}
			if _, err := filter.Parse(kind, f.Name+":"+f.Example, now); err != nil && !strings.Contains(f.Example, " ") {
				t.Errorf("the example of %s %s: %v", kind, f.Name, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`domain:a -tag:"b c" OR (port:>80 NOT ip:10.0.0.0/8)`, `finding.a.b:~"x\"y" all(`, `port:all(1,2)`, `a,b -(`, `lastSeen:<7d..1d is:`, `"\*\\\""`, `port:any(1 2),3`, `host:10.*`, `--a`, `NOT NOT a`, `field.x:>1e3`, `text:(a,"b c") AND text:*`,
	} {
		for kind := range filter.Kinds() {
			f.Add(kind, s, 3)
		}
	}
	f.Fuzz(func(t *testing.T, kind int, text string, at int) {
		k := filter.Kinds()[uint(kind)%uint(len(filter.Kinds()))]
		c, err := filter.Complete(k, text, at, now)
		if err == nil && (c.From < 0 || c.To < c.From || c.To > len(text)) {
			t.Errorf("Complete(%q, %d) replaces %d to %d", text, at, c.From, c.To)
		}
		x, err := filter.Parse(k, text, now)
		if err != nil {
			if code := pipeline.CodeOf(err); code != pipeline.CodeInvalid && code != pipeline.CodeTooLarge {
				t.Errorf("%v has the code %s", err, code)
			}
			return
		}
		if len(text) > filter.MaxText/4 {
			return // what is written out may be too long
		}
		once := x.String()
		again, err := filter.Parse(k, once, now)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, once, err)
		}
		if again.String() != once {
			t.Errorf("%q is written as %q and then as %q", text, once, again)
		}
		r := record{"text": {text, once}, "domain": {text}, "title": {text}, "port": {int64(at)}}
		if x.Match(r) != again.Match(r) {
			t.Errorf("%q and %q match differently", text, once)
		}
	})
}
