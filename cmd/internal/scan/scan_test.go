package scan_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestParseSortsTargets(t *testing.T) {
	got, err := scan.Parse([]string{"Example.com.", "192.0.2.1", "https://www.example.com:8443/login?x", "10.1.2.3/8", "[2001:DB8::1]", "example.com", "http://[::1]:80/"})
	want := scan.Targets{Domains: []string{"example.com", "www.example.com"}, IPs: []string{"192.0.2.1", "2001:db8::1", "::1"}, Ranges: []string{"10.0.0.0/8"}}
	if d := cmp.Diff(got, want); d != "" || err != nil {
		t.Errorf("Parse() = %v (-got +want):\n%s", err, d)
	}
}

func TestParseReportsEveryProblem(t *testing.T) {
	_, err := scan.Parse([]string{"1.2.3", "ok.example", "a b", "10.0.0.0/40"})
	for _, want := range []string{`"1.2.3"`, `"a b"`, "mask 40"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse() = %v, lacks %s", err, want)
		}
	}
	if _, err := scan.Parse(nil); err == nil {
		t.Error("no target was accepted")
	}
}

func TestOnlySpecialAddressesThatWereNamedBecomeInternal(t *testing.T) {
	targets, err := scan.Parse([]string{"127.0.0.1", "8.8.8.8", "::1", "10.0.0.0/24", "8.8.8.0/24", "fd00::/64"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(targets.Internal(), []string{"127.0.0.1/32", "::1/128", "10.0.0.0/24", "fd00::/64"}); d != "" {
		t.Errorf("Internal() (-got +want):\n%s", d)
	}
}

func TestTableShowsHostileTextHarmlessly(t *testing.T) {
	r := scan.Result{
		Complete: true, Hosts: []pipeline.Host{{IP: "192.0.2.1", Domains: []string{"a.test"}}, {IP: "192.0.2.2"}},
		Ports: []pipeline.Port{
			{IP: "192.0.2.1", Port: 443, Protocol: "tcp", Service: "https"},
			{IP: "192.0.2.1", Port: 22, Protocol: "tcp", Service: "ssh", Product: "Open\x1b[31mSSH", Version: "9"},
		},
		Websites: []pipeline.Website{{URL: "https://a.test/", Status: 200, Title: "\x1b]0;owned\x07 Grüße <b>", Technologies: []string{"nginx"}, Certificate: &pipeline.Certificate{NotAfter: time.Now().Add(100 * time.Hour)}}},
	}
	var b bytes.Buffer
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	day := time.Now().Add(100 * time.Hour).UTC().Format(time.DateOnly)
	want := `
HOST       PORT     SERVICE  PRODUCT               NAMES
192.0.2.1  22/tcp   ssh      Open\u001b[31mSSH 9   a.test
192.0.2.1  443/tcp  https
192.0.2.2  -                                       

WEBSITE          STATUS  TITLE                          TECHNOLOGIES  CERTIFICATE UNTIL
https://a.test/  200     \u001b]0;owned\u0007 Grüße <b>  nginx  ` + day + `, in 4 days

0 domains, 2 hosts, 2 ports, 1 website
`
	fold := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if d := cmp.Diff(fold(b.String()), fold(want)); d != "" {
		t.Errorf("Table() (-got +want):\n%s", d)
	}
	if strings.ContainsRune(b.String(), '\x1b') {
		t.Error("an escape sequence reached the terminal")
	}
}

func TestProgressCountsEveryEnd(t *testing.T) {
	p := scan.Progress{Counts: pipeline.Counts{Executions: map[pipeline.State]uint64{
		pipeline.StateQueued: 1, pipeline.StateStarting: 2, pipeline.StateRunning: 3, pipeline.StateSucceeded: 4,
		pipeline.StateFailed: 5, pipeline.StateTimedOut: 6, pipeline.StateLost: 7, pipeline.StateStopped: 8,
	}}}
	if p.Waiting() != 1 || p.Running() != 5 || p.Done() != 4 || p.Failed() != 26 {
		t.Errorf("%d waiting, %d running, %d done, %d failed", p.Waiting(), p.Running(), p.Done(), p.Failed())
	}
}
