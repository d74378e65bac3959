package demo

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/pipeline"
)

func there() lab.Truth {
	return lab.Truth{
		Domains:  []pipeline.Domain{{Name: "a.test", Hosts: []string{"192.0.2.1", "192.0.2.2"}}, {Name: "b.test"}},
		Hosts:    []pipeline.Host{{IP: "192.0.2.1", Domains: []string{"a.test"}, Ports: 2}},
		Ranges:   []pipeline.IPRange{{CIDR: "192.0.2.0/28"}},
		Ports:    []pipeline.Port{{IP: "192.0.2.1", Port: 22, Protocol: "tcp", Service: "ssh"}, {IP: "192.0.2.1", Port: 443, Protocol: "tcp", Service: "https"}},
		Websites: []pipeline.Website{{URL: "https://a.test/", IP: "192.0.2.1", Status: 200, Title: "A", Certificate: &pipeline.Certificate{Fingerprint: "ab"}}},
	}
}

func TestTheSameInventoryInAnyOrderHasNoDifference(t *testing.T) {
	found := there()
	found.Domains[0].Hosts = []string{"192.0.2.2", "192.0.2.1"}
	found.Domains[0], found.Domains[1] = found.Domains[1], found.Domains[0]
	found.Hosts[0].ID, found.Hosts[0].Tags = "0123", []string{"new"}
	if d := Compare(there(), found); len(d) != 0 {
		t.Errorf("differences: %+v", d)
	}
}

func TestEveryDifferenceIsTold(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*lab.Truth)
		want   []Difference
	}{
		{"a name is missing", func(f *lab.Truth) { f.Domains = f.Domains[:1] }, []Difference{{Missing, "domain", "b.test", "", "", ""}}},
		{"a port is missing", func(f *lab.Truth) { f.Ports = f.Ports[1:] }, []Difference{{Missing, "port", "192.0.2.1 port 22/tcp", "", "service ssh", ""}}},
		{
			"a port is extra", func(f *lab.Truth) {
				f.Ports = append(f.Ports, pipeline.Port{IP: "192.0.2.1", Port: 53, Protocol: "udp", Service: "domain"})
			},
			[]Difference{{Extra, "port", "192.0.2.1 port 53/udp", "", "", "service domain"}},
		},
		{"a range is missing", func(f *lab.Truth) { f.Ranges = nil }, []Difference{{Missing, "ip_range", "192.0.2.0/28", "", "", ""}}},
		{"a host leads elsewhere", func(f *lab.Truth) { f.Domains[0].Hosts = []string{"192.0.2.1"} }, []Difference{{Different, "domain", "a.test", "leads to", "192.0.2.1, 192.0.2.2", "192.0.2.1"}}},
		{"a host has a port more", func(f *lab.Truth) { f.Hosts[0].Ports = 3 }, []Difference{{Different, "host", "192.0.2.1", "open ports", "2", "3"}}},
		{"a service is wrong", func(f *lab.Truth) { f.Ports[0].Service, f.Ports[0].Version = "telnet", "1" }, []Difference{
			{Different, "port", "192.0.2.1 port 22/tcp", "service", "ssh", "telnet"}, {Different, "port", "192.0.2.1 port 22/tcp", "version", "", "1"},
		}},
		{"a title is not read", func(f *lab.Truth) { f.Websites[0].Title = "" }, []Difference{{Different, "website", "https://a.test/ at 192.0.2.1", "title", "A", ""}}},
		{
			"a website is at another address", func(f *lab.Truth) { f.Websites[0].IP = "192.0.2.2" },
			[]Difference{
				{Missing, "website", "https://a.test/ at 192.0.2.1", "", describe(things(there())[6]), ""},
				{Extra, "website", "https://a.test/ at 192.0.2.2", "", "", describe(things(there())[6])},
			},
		},
	} {
		found := there()
		tc.change(&found)
		if d := cmp.Diff(Compare(there(), found), tc.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", tc.name, d)
		}
	}
	none := there()
	none.Websites[0].Certificate = nil
	if d := Compare(there(), none); len(d) == 0 || d[0].Fact != "certificate" {
		t.Errorf("a certificate that was not seen: %+v", d)
	}
	if d := Compare(none, there()); len(d) == 0 || d[0].Fact != "certificate" {
		t.Errorf("a certificate that is not there: %+v", d)
	}
}

func TestTheTableIsReadableAndHarmless(t *testing.T) {
	found := there()
	found.Ports = found.Ports[1:]
	found.Websites[0].Title = "\x1b[2Jgone"
	var b bytes.Buffer
	if err := table(&b, there(), found, Compare(there(), found)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ports 2 1 1 0 0", "websites 1 1 0 0 1", "missing 192.0.2.1 port 22/tcp service ssh -", `title A \u001b[2Jgone`} {
		if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	if strings.ContainsRune(b.String(), '\x1b') {
		t.Error("an escape sequence reached the terminal")
	}
}

// Lines of /proc/net as the kernel writes them.
func TestListenersOfTheMachineAreRead(t *testing.T) {
	const rest = " 00000000:00000000 00:00000000 00000000     0        0 12345 1"
	for _, tc := range []struct {
		line     string
		protocol pipeline.Protocol
		want     string
	}{
		{"   0: 00000000:07E8 00000000:0000 0A" + rest, pipeline.TCP, "0.0.0.0:2024"},
		{"   1: 0100007F:1F90 00000000:0000 0A" + rest, pipeline.TCP, "127.0.0.1:8080"},
		{"   2: 0100007F:1F90 0100007F:C001 01" + rest, pipeline.TCP, ""},
		{"   3: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A" + rest, pipeline.TCP, "[::1]:22"},
		{"   4: 0000000000000000FFFF00000100007F:4A94 00000000000000000000000000000000:0000 0A" + rest, pipeline.TCP, "127.0.0.1:19092"},
		{"   5: 00000000:0035 00000000:0000 07" + rest, pipeline.UDP, "0.0.0.0:53"},
		{"   6: 00000000:0035 00000000:0000 0A" + rest, pipeline.UDP, ""},
		{"  sl  local_address rem_address   st tx_queue", pipeline.TCP, ""},
		{"   7: xyz:0035 0:0 0A", pipeline.TCP, ""},
		{"   8: 000000:0035 0:0 0A", pipeline.TCP, ""},
		{"", pipeline.TCP, ""},
	} {
		l, ok := parse(tc.line, tc.protocol)
		got := ""
		if ok {
			got = netip.AddrPortFrom(l.addr, uint16(l.port)).String()
		}
		if got != tc.want {
			t.Errorf("parse(%q) = %s, want %s", tc.line, got, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"tcp", "tcp6", "udp"} {
		b, err := os.ReadFile("/proc/net/" + name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		if l, ok := parse(line, pipeline.TCP); ok && (!l.addr.IsValid() || l.port < 0 || l.port > 65535) {
			t.Errorf("parse(%q) = %+v", line, l)
		}
	})
}

// TestWhatTheMachineServesIsNotTheLabs covers a service on every address, one on
// ::1 beside the lab's own, and hosts that are there only because of them.
func TestWhatTheMachineServesIsNotTheLabs(t *testing.T) {
	own := map[string]bool{"192.0.2.1:22": true, "[::1]:80": true}
	m := &machine{own: func(a netip.AddrPort) bool { return own[a.String()] }, foreign: map[listener]bool{
		{"tcp", netip.MustParseAddr("0.0.0.0"), 22}:   true,
		{"tcp", netip.MustParseAddr("0.0.0.0"), 2024}: true,
		{"tcp", netip.MustParseAddr("::"), 443}:       true,
		{"tcp", netip.MustParseAddr("::1"), 631}:      true,
	}}
	tcp := func(ip string, port int) pipeline.Port { return pipeline.Port{IP: ip, Port: port, Protocol: "tcp"} }
	got, out := m.without(lab.Truth{
		Hosts: []pipeline.Host{{IP: "192.0.2.1", Ports: 3}, {IP: "192.0.2.9", Ports: 1}, {IP: "192.0.2.8", Ports: 2}, {IP: "::1", Ports: 3}},
		Ports: []pipeline.Port{
			tcp("192.0.2.1", 22), tcp("192.0.2.1", 2024), tcp("192.0.2.1", 443), tcp("192.0.2.9", 2024), tcp("192.0.2.8", 2024), tcp("192.0.2.8", 7),
			tcp("::1", 80), tcp("::1", 631), tcp("::1", 2024),
			{IP: "192.0.2.1", Port: 2024, Protocol: "udp"},
		},
		Websites: []pipeline.Website{{IP: "192.0.2.1", Port: 443}, {IP: "::1", Port: 80}},
	})
	want := lab.Truth{
		Hosts:    []pipeline.Host{{IP: "192.0.2.1", Ports: 1}, {IP: "192.0.2.8", Ports: 1}, {IP: "::1", Ports: 2}},
		Ports:    []pipeline.Port{tcp("192.0.2.1", 22), tcp("192.0.2.8", 7), tcp("::1", 80), tcp("::1", 2024), {IP: "192.0.2.1", Port: 2024, Protocol: "udp"}},
		Websites: []pipeline.Website{{IP: "::1", Port: 80}},
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("without() (-got +want):\n%s", d)
	}
	if len(out) != 5 {
		t.Errorf("left out %v", out)
	}
}
