package veil_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/veil"
)

const (
	key   = `p@ss/w0rd "quoted" & more+`
	block = "-----BEGIN KEY-----\nMIIBVgIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
)

func TestEveryCommonFormOfAValueIsHidden(t *testing.T) {
	v := veil.New([]string{key, block, "abc"})
	quoted, _ := json.Marshal(key)
	for name, s := range map[string]string{
		"as it is":     "the key is " + key + "!",
		"twice":        key + key,
		"json":         string(quoted),
		"query":        "https://x.test/?k=" + url.QueryEscape(key) + "&b=1",
		"path":         "https://x.test/" + url.PathEscape(key) + "/",
		"lower":        strings.NewReplacer("%2F", "%2f", "%2B", "%2b").Replace(url.QueryEscape(key)),
		"python quote": strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/"),
		"hex":          hex.EncodeToString([]byte(key)),
		"base64":       base64.StdEncoding.EncodeToString([]byte(key)),
		"base64 url":   base64.URLEncoding.EncodeToString([]byte(key)),
		"basic":        "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+key)),
		"longer":       base64.StdEncoding.EncodeToString([]byte("ab" + key + "and what follows it")),
		"a line":       "> MIIBVgIBADANBgkq",
	} {
		got := v.Text(s)
		if !strings.Contains(got, veil.Mask) {
			t.Errorf("%s: %q stays", name, got)
		}
		for _, part := range []string{key, "w0rd", "cEBzcy93MHJk", "MIIBVgIBADANBgkq", hex.EncodeToString([]byte("w0rd"))} {
			if strings.Contains(got, part) {
				t.Errorf("%s: %q still has %q", name, got, part)
			}
		}
	}
	if got := v.Text("abc is too short to hide"); strings.Contains(got, veil.Mask) {
		t.Errorf("ordinary text became %q", got)
	}
	if none := veil.New([]string{"", "abc"}); none.Hides() || none.Text(key) != key {
		t.Error("something is hidden that cannot be told from ordinary text")
	}
}

func TestJSONStaysJSON(t *testing.T) {
	v := veil.New([]string{"hunter22", "123456", `","port":1`})
	in := `{"hunter22":{"a":["x hunter22","ok",123456,7,null,true]},"port":1,"escaped":"hunter\u00322","big":12345678901234567890}`
	out := v.JSON(json.RawMessage(in))
	var x map[string]any
	if err := json.Unmarshal(out, &x); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if s := string(out); strings.Contains(s, "hunter") || strings.Contains(s, "123456,") || !strings.Contains(s, `"port":1`) || !strings.Contains(s, `7,null,true`) {
		t.Errorf("became %s", s)
	}
	same := json.RawMessage(`{"b": 1,  "a": 2}`)
	if got := v.JSON(same); string(got) != string(same) {
		t.Errorf("%s became %s", same, got)
	}
}

func FuzzVeil(f *testing.F) {
	f.Add(key, "before ", " after")
	f.Add(block, "", "")
	f.Add("0000", "00", "0000")
	f.Fuzz(func(t *testing.T, value, before, after string) {
		v := veil.New([]string{value})
		if len(value) < 4 || strings.Contains(veil.Mask, value) || strings.Contains(value, "•") {
			return
		}
		if got := v.Text(before + value + after); !strings.Contains(got, veil.Mask) {
			t.Errorf("%q is not hidden in %q", value, got)
		}
		raw, err := json.Marshal(map[string]string{"k": before + value + after})
		if err != nil {
			t.Skip()
		}
		if out := v.JSON(raw); !json.Valid(out) {
			t.Errorf("%s is no JSON", out)
		}
	})
}
