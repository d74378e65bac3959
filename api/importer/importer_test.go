package importer_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/importer"
	"github.com/stalker-asm/stalker/pipeline"
)

// short writes an item as one line.
func short(i importer.Item) string {
	if i.Err != nil {
		return fmt.Sprintf("%d: ERROR %s", i.Line, strings.ReplaceAll(i.Err.Error(), "entry\n", ""))
	}
	f := i.Finding
	out := fmt.Sprintf("%d: %s", i.Line, f.Type)
	if f.Key != "" {
		out += "/" + f.Key
	}
	if f.Domain != nil && *f.Domain != "" {
		out += " " + *f.Domain
	}
	if f.IP != "" {
		out += " " + f.IP
	}
	if f.Mask != nil {
		out += fmt.Sprintf("/%d", *f.Mask)
	}
	if f.Port > 0 {
		out += fmt.Sprintf(":%d", f.Port)
	}
	if f.Protocol != "" {
		out += "/" + string(f.Protocol)
	}
	if f.Path != "" {
		out += f.Path
	}
	if f.SSL != nil && *f.SSL {
		out += " tls"
	}
	if f.Unplaced {
		out += " unplaced"
	}
	if f.Name != "" {
		out += fmt.Sprintf(" %q", f.Name)
	}
	var fields strings.Builder
	for _, x := range f.Fields {
		fmt.Fprintf(&fields, " %s=%v", x.Key, x.Data)
	}
	return out + fields.String()
}

func read(t testing.TB, in io.Reader, f importer.Format) ([]string, importer.Result, error) {
	t.Helper()
	var got []string
	res, err := importer.Read(in, f, func(i importer.Item) error {
		got = append(got, short(i))
		return nil
	})
	return got, res, err
}

const nmapFile = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<nmaprun scanner="nmap" args="nmap -sV -O -oX - acme.example" start="1700000000">
<host starttime="1700000000" endtime="1700000009"><status state="up" reason="syn-ack"/>
<address addr="203.0.113.7" addrtype="ipv4"/><address addr="00:00:5E:00:53:01" addrtype="mac"/>
<hostnames><hostname name="acme.example" type="user"/><hostname name="host7.isp.example" type="PTR"/></hostnames>
<ports><extraports state="closed" count="997"/>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" product="OpenSSH" version="9.2p1" method="probed" conf="10"/><script id="ssh-hostkey" output="&#xa; 256 aa:bb (ED25519)"/></port>
<port protocol="tcp" portid="443"><state state="open"/><service name="http" tunnel="ssl" product="nginx" method="probed"/></port>
<port protocol="tcp" portid="8080"><state state="filtered"/><service name="http-proxy" method="table"/></port>
<port protocol="udp" portid="53"><state state="open|filtered"/></port>
<port protocol="udp" portid="161"><state state="open"/><service name="snmp" method="table"/></port>
</ports>
<os><osmatch name="Linux 5.0 - 5.14" accuracy="96"/><osmatch name="Linux 6" accuracy="90"/></os>
</host>
<host><status state="down"/><address addr="203.0.113.8" addrtype="ipv4"/></host>
<host><status state="up"/><address addr="2001:db8::7" addrtype="ipv6"/></host>
<runstats><finished time="1700000009"/></runstats>
</nmaprun>
`

var nmapWant = []string{
	"5: IpFinding 203.0.113.7", "5: HostnameIpFinding acme.example 203.0.113.7", "5: HostnameIpFinding host7.isp.example 203.0.113.7 learntBy=ptr",
	"5: CustomFinding/OperatingSystemFinding 203.0.113.7 os=Linux 5.0 - 5.14",
	"5: PortFinding 203.0.113.7:22/tcp", "5: CustomFinding/PortServiceFinding 203.0.113.7:22/tcp serviceName=ssh serviceProduct=OpenSSH serviceVersion=9.2p1",
	`5: CustomFinding/NmapScriptFinding 203.0.113.7:22/tcp "ssh-hostkey" script=ssh-hostkey output=` + "\n 256 aa:bb (ED25519)",
	"5: PortFinding 203.0.113.7:443/tcp", "5: CustomFinding/PortServiceFinding 203.0.113.7:443/tcp serviceName=https serviceProduct=nginx",
	"5: PortFinding 203.0.113.7:161/udp", "18: IpFinding 2001:db8::7",
}

func TestReadsWhatToolsWrite(t *testing.T) {
	for name, tc := range map[string]struct {
		format importer.Format // that is detected
		in     string
		want   []string
	}{
		"nmap": {importer.Nmap, nmapFile, nmapWant},
		"masscan": {importer.Masscan, "[\n" +
			`{   "ip": "203.0.113.7",   "timestamp": "1700000000", "ports": [ {"port": 80, "proto": "tcp", "status": "open", "reason": "syn-ack", "ttl": 51} ] }` + "\n,\n" +
			`{   "ip": "203.0.113.7",   "timestamp": "1700000001", "ports": [ {"port": 22, "proto": "tcp", "service": {"name": "ssh", "banner": "SSH-2.0-OpenSSH_9.2 {\"x\""} } ] },` + "\n" +
			`{   "ip": "203.0.113.9",   "timestamp": "1700000001", "ports": [ {"port": 25, "proto": "tcp", "status": "closed"} ] },` + "\n{finished: 1}\n]\n", []string{
			"2: IpFinding 203.0.113.7", "2: PortFinding 203.0.113.7:80/tcp", "4: IpFinding 203.0.113.7", "4: PortFinding 203.0.113.7:22/tcp",
			"4: CustomFinding/PortServiceFinding 203.0.113.7:22/tcp serviceName=ssh", `4: CustomFinding/BannerFinding 203.0.113.7:22/tcp banner=SSH-2.0-OpenSSH_9.2 {"x"`,
			"5: IpFinding 203.0.113.9",
		}},
		"nuclei": {importer.Nuclei, `{"template-id":"git-config","info":{"name":"Git Config","severity":"medium","tags":["git","exposure"],"classification":{"cve-id":["CVE-2021-1"],"cvss-score":5.3}},"type":"http","host":"https://acme.example","ip":"203.0.113.7","matched-at":"https://acme.example/.git/config","timestamp":"2026-01-01T00:00:00Z"}
{"template-id":"ssh-auth","info":{"name":"SSH","severity":"info"},"type":"tcp","host":"203.0.113.7:22","matched-at":"203.0.113.7:22"}
{"template-id":"spf","info":{"name":"SPF","severity":"low"},"type":"dns","host":"acme.example","matched-at":"acme.example"}`, []string{
			"1: HostnameIpFinding acme.example 203.0.113.7", "1: PortFinding 203.0.113.7:443/tcp", "1: WebsiteFinding acme.example 203.0.113.7:443/ tls",
			"1: CustomFinding/WebsitePathFinding acme.example 203.0.113.7:443/ tls endpoint=/.git/config",
			`1: CustomFinding/NucleiFinding acme.example 203.0.113.7:443/ tls "Git Config" templateId=git-config severity=medium matchedAt=https://acme.example/.git/config cve=CVE-2021-1 tags=git, exposure cvss=5.3`,
			"2: IpFinding 203.0.113.7", "2: PortFinding 203.0.113.7:22/tcp", `2: CustomFinding/NucleiFinding 203.0.113.7:22/tcp "SSH" templateId=ssh-auth severity=info matchedAt=203.0.113.7:22`,
			"3: HostnameFinding acme.example", `3: CustomFinding/NucleiFinding acme.example "SPF" templateId=spf severity=low matchedAt=acme.example`,
		}},
		"httpx": {importer.Httpx, `{"timestamp":"2026-01-01T00:00:00Z","url":"https://acme.example:8443","input":"acme.example","title":"Sign in","webserver":"nginx","content_type":"text/html","host":"203.0.113.7","status_code":200,"tech":["Nginx","React"],"a":["203.0.113.7"],"tls":{"subject_cn":"acme.example","subject_an":["acme.example","www.acme.example"],"issuer_dn":"CN=R3","not_before":"2026-01-01T00:00:00Z","not_after":"2026-04-01T00:00:00Z","fingerprint_hash":{"sha256":"AB"}}}
{"url":"http://gone.example","failed":true}
{"url":"http://nowhere.example/login","status_code":200}`, []string{
			"1: HostnameIpFinding acme.example 203.0.113.7", "1: PortFinding 203.0.113.7:8443/tcp", "1: WebsiteFinding acme.example 203.0.113.7:8443/ tls",
			"1: CustomFinding/WebsiteResponseFinding acme.example 203.0.113.7:8443/ tls statusCode=200 title=Sign in server=nginx contentType=text/html",
			"1: CustomFinding/WebsiteTechnologyFinding acme.example 203.0.113.7:8443/ tls technology=Nginx", "1: CustomFinding/WebsiteTechnologyFinding acme.example 203.0.113.7:8443/ tls technology=React",
			"1: CustomFinding/CertificateFinding acme.example 203.0.113.7:8443/ tls subject=acme.example issuer=CN=R3 names=acme.example,www.acme.example notBefore=2026-01-01T00:00:00Z notAfter=2026-04-01T00:00:00Z fingerprint=ab",
			"3: HostnameFinding nowhere.example", "3: WebsiteFinding nowhere.example:80/ unplaced", "3: CustomFinding/WebsitePathFinding nowhere.example:80/ unplaced endpoint=/login",
		}},
		"subfinder": {importer.Subfinder, `{"host":"a.acme.example","input":"acme.example","source":"crtsh"}
{"host":"B.acme.example.","input":"acme.example","ip":"203.0.113.7","source":"x"}
{"host":"not a name"}`, []string{"1: HostnameFinding a.acme.example", "2: HostnameIpFinding b.acme.example 203.0.113.7", `3: ERROR "not a name" is no domain name: "not a name" is no label of 1 to 63 letters, digits, hyphens and underscores`}},
		"naabu": {importer.Naabu, `{"host":"acme.example","ip":"203.0.113.7","timestamp":"2026","port":443,"protocol":"tcp","tls":true}
{"ip":"203.0.113.7","port":{"Port":53,"Protocol":1}}
{"ip":"203.0.113.7","port":0}`, []string{
			"1: HostnameIpFinding acme.example 203.0.113.7", "1: PortFinding 203.0.113.7:443/tcp", "2: IpFinding 203.0.113.7", "2: PortFinding 203.0.113.7:53/tcp",
			`3: ERROR port: "0" is not between 1 and 65535`,
		}},
		"katana": {importer.Katana, `{"timestamp":"2026","request":{"method":"GET","endpoint":"http://203.0.113.7:8080/app.js","source":"http://203.0.113.7:8080/"},"response":{"status_code":200,"technologies":["Express"]}}
{"endpoint":"ftp://203.0.113.7/x"}`, []string{
			"1: IpFinding 203.0.113.7", "1: PortFinding 203.0.113.7:8080/tcp", "1: WebsiteFinding 203.0.113.7:8080/",
			"1: CustomFinding/WebsitePathFinding 203.0.113.7:8080/ endpoint=/app.js statusCode=200", "1: CustomFinding/WebsiteTechnologyFinding 203.0.113.7:8080/ technology=Express",
			`2: ERROR "ftp://203.0.113.7/x" is no URL of a website`,
		}},
		"list": {importer.List, "# targets\nacme.example\n\n203.0.113.7, # ours\n2001:db8::7\r\n203.0.113.0/24\nhttps://acme.example/login?a=1\n203.0.113.7:22\n[2001:db8::7]:443\nacme.example:8443\n999.1.1.1\nx:0\n203.0.113.7:0", []string{
			"2: HostnameFinding acme.example", "4: IpFinding 203.0.113.7", "5: IpFinding 2001:db8::7", "6: IpRangeFinding 203.0.113.0/24",
			"7: HostnameFinding acme.example", "7: WebsiteFinding acme.example:443/ tls unplaced", "7: CustomFinding/WebsitePathFinding acme.example:443/ tls unplaced endpoint=/login",
			"8: IpFinding 203.0.113.7", "8: PortFinding 203.0.113.7:22/tcp", "9: IpFinding 2001:db8::7", "9: PortFinding 2001:db8::7:443/tcp", "10: HostnameFinding acme.example",
			`11: ERROR "999.1.1.1" is no domain and no address; a line is a domain, an address, a network, host:port or a URL`,
			`12: ERROR port: "0" is not between 1 and 65535; a line is a domain, an address, a network, host:port or a URL`, "13: ERROR port: 0 is not between 1 and 65535",
		}},
	} {
		got, res, err := read(t, strings.NewReader(tc.in), "")
		if err != nil || res.Format != tc.format || res.Truncated {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
		if d := cmp.Diff(got, tc.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", name, d)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = io.WriteString(z, tc.in)
		_ = z.Close()
		if zipped, _, err := read(t, &packed, ""); err != nil || cmp.Diff(zipped, got) != "" {
			t.Errorf("%s, packed: %v", name, err)
		}
	}
}

// A file that breaks off anywhere gives what stands before, and says so.
func TestFilesThatBreakOff(t *testing.T) {
	head, _, _ := strings.Cut(nmapFile, `<port protocol="tcp" portid="443">`)
	got, res, err := read(t, strings.NewReader(head), "")
	if err != nil || !res.Truncated || len(got) != 0 {
		t.Errorf("nmap in its first host: %v, %+v, %v", got, res, err)
	}
	head, _, _ = strings.Cut(nmapFile, "<runstats>")
	got, res, err = read(t, strings.NewReader(head), "")
	if err != nil || !res.Truncated || cmp.Diff(got, nmapWant) != "" {
		t.Errorf("nmap after its last host: %v, %+v, %v", got, res, err)
	}
	one := `{"ip": "203.0.113.7", "ports": [ {"port": 80, "proto": "tcp", "status": "open"} ] }`
	want := []string{"2: IpFinding 203.0.113.7", "2: PortFinding 203.0.113.7:80/tcp"}
	for _, tail := range []string{",\n", ",\n{", ",\n" + one[:30], ",\n" + one[:len(one)-1]} {
		got, res, err := read(t, strings.NewReader("[\n"+one+tail), "")
		if err != nil || cmp.Diff(got, want) != "" || res.Truncated != (len(tail) > 2) {
			t.Errorf("masscan with %q: %v, %+v, %v", tail, got, res, err)
		}
	}
	got, _, err = read(t, strings.NewReader("[\n"+one+",\n"+one[:30]+"\n"+one+"\ngarbage\n"+one), importer.Masscan)
	if err != nil || len(got) != 8 || !strings.HasPrefix(got[2], "3: ERROR the object breaks off") || got[4] != "4: PortFinding 203.0.113.7:80/tcp" || !strings.Contains(got[5], `"garbage" is no JSON object`) {
		t.Errorf("masscan broken in the middle: %q, %v", got, err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, strings.Repeat("acme.example\n", 1000))
	_ = z.Flush()
	if got, res, err := read(t, &packed, importer.List); err != nil || !res.Truncated || len(got) != 1000 {
		t.Errorf("gzip without an end: %d, %+v, %v", len(got), res, err)
	}
}

func TestHostileFiles(t *testing.T) {
	bomb := func(n int) io.Reader {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		zeros := bytes.Repeat([]byte{'\n'}, 1<<20)
		for range n {
			_, _ = z.Write(zeros)
		}
		_ = z.Close()
		return &packed
	}
	for name, tc := range map[string]struct {
		in    io.Reader
		f     importer.Format
		words string
	}{
		"a gzip bomb":        {bomb(64), importer.List, "unpacks to more than 200 times"},
		"no gzip":            {strings.NewReader("\x1f\x8bxxxxxxxxxxxxxxx"), "", "begins like gzip"},
		"laughs":             {strings.NewReader(`<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><nmaprun>&lol2;</nmaprun>`), "", "declares entities"},
		"an external entity": {strings.NewReader(`<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><nmaprun><host><address addr="&xxe;"/></host></nmaprun>`), importer.Nmap, "declares entities"},
		"an entity":          {strings.NewReader(`<nmaprun><host><address addr="&xxe;"/></host></nmaprun>`), importer.Nmap, "is no XML"},
		"other XML":          {strings.NewReader(`<html><body>`), "", "not nmap's"},
		"an endless element": {io.MultiReader(strings.NewReader(`<nmaprun><host a="`), strings.NewReader(strings.Repeat("a", 8<<20))), importer.Nmap, "element has more than"},
		"an unknown format":  {strings.NewReader("x"), "shodan", `"shodan" is none of`},
	} {
		if got, _, err := read(t, tc.in, tc.f); err == nil || !strings.Contains(err.Error(), tc.words) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	got, _, err := read(t, strings.NewReader(`{"host":"`+strings.Repeat("a", 5<<20)+"\"}\n"+`{"host":"acme.example"}`), importer.Subfinder)
	if err != nil || len(got) != 2 || !strings.Contains(got[0], "more than") || got[1] != "2: HostnameFinding acme.example" {
		t.Errorf("a huge object: %.200q, %v", got, err)
	}
	got, _, err = read(t, strings.NewReader(strings.Repeat("a", 1<<20)+"\nacme.example"), importer.List)
	if err != nil || len(got) != 2 || got[1] != "2: HostnameFinding acme.example" {
		t.Errorf("a huge line: %.200q, %v", got, err)
	}
	stop := errors.New("enough")
	if _, err := importer.Read(strings.NewReader("a.example\nb.example"), importer.List, func(importer.Item) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("told to stop: %v", err)
	}
}

func fuzz(f *testing.F, format importer.Format, seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := importer.Read(bytes.NewReader(in), format, func(i importer.Item) error {
			if (i.Err == nil) == (i.Finding.Type == "") {
				t.Errorf("neither a finding nor an error, or both: %+v", i)
			}
			if _, err := json.Marshal(i.Finding); err != nil {
				t.Error(err)
			}
			return nil
		})
		if err != nil && pipeline.CodeOf(err) == pipeline.CodeInternal {
			t.Errorf("%v", err)
		}
	})
}

func FuzzNmap(f *testing.F) { fuzz(f, importer.Nmap, nmapFile, "<nmaprun><host>", "<nmaprun>") }

func FuzzList(f *testing.F) {
	fuzz(f, importer.List, "a.example\n1.2.3.4/8\nhttps://[::1]:1/x\n::1\na:1", "\x1f\x8b")
}

func FuzzMasscan(f *testing.F) {
	fuzz(f, importer.Masscan, "[\n"+`{"ip":"1.2.3.4","ports":[{"port":1,"proto":"udp","service":{"banner":"x"}}]},`+"\n{finished: 1}")
}

func FuzzNuclei(f *testing.F) {
	fuzz(f, importer.Nuclei, `{"template-id":"a","info":{"tags":"a"},"host":"a.example:1","matched-at":"tcp://x"}`)
}

func FuzzHttpx(f *testing.F) {
	fuzz(f, importer.Httpx, `{"url":"https://a.example","a":"1.2.3.4","tls":{"subject_an":1}}`)
}

func FuzzSubfinder(f *testing.F) { fuzz(f, importer.Subfinder, `{"host":"a.example"}{"host":1}`) }

func FuzzNaabu(f *testing.F) { fuzz(f, importer.Naabu, `{"ip":"1.2.3.4","port":{"Port":1}}`) }

func FuzzKatana(f *testing.F) {
	fuzz(f, importer.Katana, `{"endpoint":"http://a.example/x"}`, `{"request":{"endpoint":"https://1.2.3.4/"}}`)
}
