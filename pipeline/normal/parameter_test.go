package normal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

func TestParameterName(t *testing.T) {
	for name, ok := range map[string]bool{
		"domainName": true, "s_Shodan_creds_account_apikey": true, "a1": true, "path": true,
		"": false, "1a": false, "_a": false, "a-b": false, "a b": false, "é": false, strings.Repeat("a", 200): false,
		"PATH": false, "HOME": false, "GET": false, "LD_PRELOAD": false, "ld_preload": false, "PYTHONPATH": false,
		"STALKER_TOKEN": false, "RedKiteContext": false, "https_proxy": false, "HTTP_PROXY": false, "BASH_ENV": false,
	} {
		err := normal.ParameterName(name)
		if (err == nil) != ok || (err != nil && pipeline.CodeOf(err) != pipeline.CodeInvalid) {
			t.Errorf("ParameterName(%q) = %v, want ok %v", name, err, ok)
		}
	}
}

func TestArgument(t *testing.T) {
	for _, tc := range []struct{ declared, in, want string }{
		{"string", `"a"`, `"a"`},
		{"string", `12`, `"12"`},
		{"string", `true`, `"true"`},
		{"string", `["a"]`, ""},
		{"number", `12.5`, `12.5`},
		{"number", `"443"`, `443`},
		{"number", `" 443"`, ""},
		{"number", `"0x1f"`, ""},
		{"number", `true`, ""},
		{"number", `"[1]"`, ""},
		{"boolean", `false`, `false`},
		{"boolean", `"True"`, `true`},
		{"boolean", `1`, ""},
		{"string[]", `["a", "b"]`, `["a","b"]`},
		{"string[]", `"[\"a\"]"`, `["a"]`},
		{"string[]", `[]`, `[]`},
		{"string[]", `[["a"]]`, ""},
		{"string[]", `"a"`, ""},
		{"number[]", `[1, "2"]`, `[1,2]`},
		{"number[]", `[null]`, ""},
		{"number[]", `null`, ""},
		{"", `{"a":1}`, `{"a":1}`},
		{"string", `"a`, ""},
		{"string", ``, ""},
	} {
		got, err := normal.Argument(tc.declared, json.RawMessage(tc.in))
		if string(got) != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("Argument(%q, %s) = %s, %v, want %q", tc.declared, tc.in, got, err, tc.want)
		}
	}
	if _, err := normal.Argument("string", json.RawMessage(`"`+strings.Repeat("x", normal.MaxArgument)+`"`)); err == nil {
		t.Error("an argument without end was accepted")
	}
}

func FuzzArgument(f *testing.F) {
	f.Add("number[]", `"[1]"`)
	f.Add("string", `1e5`)
	f.Fuzz(func(t *testing.T, declared, in string) {
		got, err := normal.Argument(declared, json.RawMessage(in))
		if err != nil {
			return
		}
		again, err := normal.Argument(declared, got)
		if err != nil || string(again) != string(got) {
			t.Errorf("Argument(%q, %s) = %s, and that gives %s, %v", declared, in, got, again, err)
		}
	})
}
