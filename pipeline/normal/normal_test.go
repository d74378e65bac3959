package normal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

const project = "aaaaaaaaaaaaaaaaaaaaaaaa"

var origin = normal.Origin{
	ProjectID: project, Source: pipeline.SourceJob, ExecutionID: "e1", JobName: "J", RootID: "r1", Depth: 2, Control: 7,
	At: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC),
}

func TestDomain(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"Example.COM.", "example.com"},
		{"*.dev.example.com", "dev.example.com"},
		{"_dmarc.example.com", "_dmarc.example.com"},
		{"bücher.example", "xn--bcher-kva.example"},
		{" a.b ", "a.b"},
		{"localhost", "localhost"},
		{"", ""},
		{".", ""},
		{"a..b", ""},
		{"-a.b", ""},
		{"a b.c", ""},
		{"192.0.2.1", ""},
		{"2001:db8::1", ""},
		{strings.Repeat("a", 64) + ".com", ""},
		{strings.Repeat("a.", 127) + "com", ""},
		{"a/b.com", ""},
		{"<script>.com", ""},
	} {
		got, err := normal.Domain(tc.in)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("Domain(%q) = %q, %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestAddr(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"fe80::1%eth0", ""},
		{"192.0.2.256", ""},
		{"192.0.2.01", ""},
		{"example.com", ""},
	} {
		got, err := normal.Addr(tc.in)
		if (err == nil) != (tc.want != "") || (err == nil && got.String() != tc.want) {
			t.Errorf("Addr(%q) = %v, %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestPrefix(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"192.0.2.77/24", "192.0.2.0/24"},
		{"2001:db8::5/48", "2001:db8::/48"},
		{"::ffff:10.1.2.3/8", "10.0.0.0/8"},
		{"10.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.0/33", ""},
		{"192.0.2.0", ""},
		{"192.0.2.0/-1", ""},
	} {
		got, err := normal.Prefix(tc.in)
		if (err == nil) != (tc.want != "") || (err == nil && got.String() != tc.want) {
			t.Errorf("Prefix(%q) = %v, %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestFindingKeys(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"domain", `{"type":"HostnameFinding","domainName":"A.Example."}`, ";domain:a.example"},
		{"host", `{"type":"IpFinding","ip":"2001:DB8::0:1"}`, ";host:2001:db8::1"},
		{"resolution is about the host", `{"type":"HostnameIpFinding","domainName":"a.example","ip":"192.0.2.1"}`, ";host:192.0.2.1"},
		{"range", `{"type":"IpRangeFinding","ip":"192.0.2.9","mask":28}`, ";host:192.0.2.0;mask:28"},
		{"range of everything", `{"type":"IpRangeFinding","ip":"192.0.2.9","mask":0}`, ";host:0.0.0.0;mask:0"},
		{"port by field", `{"type":"PortFinding","ip":"192.0.2.1","port":53,"fields":[{"key":"x","data":"y"},{"key":"protocol","data":"UDP"}]}`, ";host:192.0.2.1;port:53;protocol:udp"},
		{"port by key", `{"type":"PortFinding","ip":"192.0.2.1","port":22,"protocol":"tcp"}`, ";host:192.0.2.1;port:22;protocol:tcp"},
		{"website of an address", `{"type":"WebsiteFinding","ip":"192.0.2.1","port":80,"domainName":"","path":null}`, ";host:192.0.2.1;port:80;protocol:tcp;domain:;path:/"},
		{"website of a name", `{"type":"WebsiteFinding","ip":"192.0.2.1","port":80,"domainName":"A.b","path":"x?y#z"}`, ";host:192.0.2.1;port:80;protocol:tcp;domain:a.b;path:/x?y"},
		{"custom on a website", `{"type":"CustomFinding","key":"K","ip":"192.0.2.1","port":80,"path":"/x"}`, ";host:192.0.2.1;port:80;protocol:tcp;domain:;path:/x"},
		{"custom on a range", `{"type":"CustomFinding","key":"K","ip":"192.0.2.1","mask":24}`, ";host:192.0.2.0;mask:24"},
		{"custom on the project", `{"type":"CustomFinding","key":"K"}`, ""},
		{"tag with nulls", `{"type":"TagFinding","key":"TagFinding","tag":"Login","ip":"192.0.2.1","port":null,"protocol":null,"domainName":null,"path":null,"mask":null,"fields":[]}`, ";host:192.0.2.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := normal.Finding(json.RawMessage(tc.in), origin)
			if err != nil {
				t.Fatal(err)
			}
			if want := "project:" + project + tc.want; f.CorrelationKey != want {
				t.Errorf("key %q, want %q", f.CorrelationKey, want)
			}
			if _, err := pipeline.ParseKey(f.CorrelationKey); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFindingErrorsNameTheField(t *testing.T) {
	png := "data:image/png;base64,PHN2Zz48L3N2Zz4="
	for _, tc := range []struct{ in, want string }{
		{`{"type":"HostnameFinding"}`, "HostnameFinding needs domainName"},
		{`{"type":"PortFinding","ip":"192.0.2.1","port":80}`, "PortFinding needs protocol"},
		{`{"type":"PortFinding","ip":"192.0.2.1","port":0,"protocol":"tcp"}`, "port: 0"},
		{`{"type":"PortFinding","ip":"192.0.2.1","port":80,"protocol":"sctp"}`, "protocol: \"sctp\""},
		{`{"type":"IpFinding","ip":7}`, "ip"},
		{`{"type":"IpFinding","ip":"x"}`, "ip: \"x\""},
		{`{"type":"IpRangeFinding","ip":"192.0.2.1","mask":40}`, "mask: mask 40"},
		{`{"type":"CustomFinding","ip":"192.0.2.1"}`, "key is missing"},
		{`{"type":"CustomFinding","key":"K","ip":"192.0.2.1","port":80}`, "is missing"},
		{`{"type":"CustomFinding","key":"K","domainName":"a.b","ip":"192.0.2.1"}`, "ambiguous"},
		{`{"type":"Nonsense","key":"K"}`, "type \"Nonsense\" is unknown"},
		{`{"key":"K"}`, "type is missing"},
		{`{`, "not readable"},
		{`{"type":"CustomFinding","key":"K","fields":[{"key":"a","data":{}}]}`, "fields[0] \"a\""},
		{`{"type":"CustomFinding","key":"K","fields":[{"key":"a","type":"image","data":"` + png + `"}]}`, "image says it is image/png and is text/"},
		{`{"type":"CustomFinding","key":"K","fields":[{"key":"a","type":"image","data":"data:image/svg+xml;base64,AA=="}]}`, "image/svg+xml"},
	} {
		_, err := normal.Finding(json.RawMessage(tc.in), origin)
		if err == nil || !strings.Contains(err.Error(), tc.want) || pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("Finding(%s) = %v, want invalid with %q", tc.in, err, tc.want)
		}
	}
}

func TestFindingKeepsItsOriginAndIgnoresTheSendersClaims(t *testing.T) {
	in := `{"type":"CustomFinding","key":"K","name":"n","seq":4,"domainName":"a.b","projectId":"bbbbbbbbbbbbbbbbbbbbbbbb","jobId":"x",
		"fields":[{"key":"n","data":12345678901234567},{"key":"f","data":1.5},{"key":"b","data":false,"label":"B"}]}`
	got, err := normal.Finding(json.RawMessage(in), origin)
	if err != nil {
		t.Fatal(err)
	}
	want := pipeline.Finding{
		ID: pipeline.FindingID("e1", 4, []byte(in)), ProjectID: project, At: origin.At.Truncate(time.Millisecond),
		Source: pipeline.SourceJob, ExecutionID: "e1", JobName: "J", Seq: 4, RootID: "r1", Depth: 2, Control: 7,
		Type: pipeline.CustomFinding, Key: "K", Name: "n", Locators: pipeline.Locators{Domain: "a.b"},
		Fields: []pipeline.Field{
			{Key: "n", Type: pipeline.TextField, Data: int64(12345678901234567)},
			{Key: "f", Type: pipeline.TextField, Data: 1.5},
			{Key: "b", Label: "B", Type: pipeline.TextField, Data: false},
		},
		CorrelationKey: "project:" + project + ";domain:a.b",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("Finding() (-got +want):\n%s", d)
	}
}

func FuzzFinding(f *testing.F) {
	f.Add(`{"type":"CustomFinding","key":"K","ip":"::1","port":80,"path":"/","fields":[{"key":"a","data":1}]}`)
	f.Add(`{"type":"HostnameFinding","domainName":"ÄÖ.example"}`)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := normal.Finding(json.RawMessage(in), origin)
		if err != nil {
			return
		}
		if _, err := pipeline.ParseKey(got.CorrelationKey); err != nil {
			t.Errorf("%s has the key %q: %v", in, got.CorrelationKey, err)
		}
		if got.Domain != "" {
			if again, err := normal.Domain(got.Domain); err != nil || again != got.Domain {
				t.Errorf("Domain(%q) = %q, %v: not stable", got.Domain, again, err)
			}
		}
	})
}
