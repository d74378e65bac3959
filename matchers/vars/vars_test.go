package vars_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/vars"
	"github.com/stalker-asm/stalker/pipeline"
)

func finding() *pipeline.Finding {
	no, mask := false, 0
	return &pipeline.Finding{
		Type: pipeline.CustomFinding, Key: "K", ExecutionID: "e", SSL: &no,
		Locators: pipeline.Locators{IP: "192.0.2.1", Port: 8080, Mask: &mask},
		Fields: []pipeline.Field{
			{Key: "endPoint", Data: "/login"},
			{Key: "ip", Data: "shadowed"},
			{Key: "zero", Data: int64(0)},
			{Key: "no", Data: false},
			{Key: "half", Data: 0.5},
			{Key: "protocol", Data: "tcp"},
			{Key: "null"},
		},
	}
}

func TestExpand(t *testing.T) {
	for _, tc := range []struct{ in, want any }{
		{"plain", "plain"},
		{"${ip}", "192.0.2.1"},
		{" ${ IP } ", "192.0.2.1"},
		{"${finding.ip}", "192.0.2.1"},
		{"${port}", int64(8080)},
		{"${mask}", int64(0)},
		{"${ssl}", false},
		{"${zero}", int64(0)},
		{"${no}", false},
		{"${half}", 0.5},
		{"${null}", ""},
		{"${endpoint}", "/login"},
		{"${finding.ENDPOINT}", "/login"},
		{"${protocol}", "tcp"},
		{"${jobId}", "e"},
		{"${unknown}", ""},
		{"${ip.length}", ""},
		{"${constructor}", ""},
		{"${foo.bar}", ""},
		{"${secrets.Key}", "${secrets.Key}"},
		{" ${ Secrets.Key }", " ${ Secrets.Key }"},
		{"${ip}:${port}", "192.0.2.1:8080"},
		{"http://${ip}/${unknown}?a=${ssl}", "http://192.0.2.1/?a=false"},
		{"$${ip} is ${ip}", "${ip} is 192.0.2.1"},
		{"$${ip}", "${ip}"},
		{"${}", "${}"},
		{"${a b}", "${a b}"},
		{"${${ip}}", "${192.0.2.1}"},
		{"", ""},
		{nil, nil},
		{true, true},
		{7, int64(7)},
		{uint64(7), int64(7)},
		{uint64(1 << 63), float64(1 << 63)},
		{[]any{"${port}", "x", 1}, []any{int64(8080), "x", int64(1)}},
		{map[string]any{"a": "${ip}"}, map[string]any{"a": "${ip}"}},
	} {
		t1 := vars.Compile(tc.in)
		for range 2 { // expanding changes nothing
			if d := cmp.Diff(t1.Expand(finding()), tc.want); d != "" {
				t.Errorf("Expand(%v) (-got +want):\n%s", tc.in, d)
			}
		}
	}
}

func TestLiteral(t *testing.T) {
	for in, want := range map[string]bool{"a": true, "${ip}": false, "x${ip}": false, "$${ip}": true, "${secrets.x}": true} {
		tpl := vars.Compile(in)
		if tpl.Literal() != want {
			t.Errorf("Literal(%q) = %v", in, !want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("${ip}:${port}$${")
	f.Fuzz(func(t *testing.T, in string) {
		tpl := vars.Compile(in)
		if tpl.Expand(finding()) == nil {
			t.Errorf("Expand(%q) = nil", in)
		}
	})
}
