package gateway

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is known of a body is what encoding/json reads.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"findings":[{"a":1}, "x" ,null]}`, `[1,{"b":[]}]`, `{"findings":[],"findings":[1]}`, `{}`, ` [ ] `, `{"findings":null}`, `{"lines":[1]}`, `[1]]`, `{"findings":[1],}`, `[]{"":`, `[] [`, `[]tru`, `[]-`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := scan([]byte(text), kindFindings)
		if !ok {
			return
		}
		var object map[string][]json.RawMessage
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			if err := json.Unmarshal([]byte(text), &object); err != nil || len(object) != 1 {
				t.Fatalf("%q is known and not valid: %v", text, err)
			}
			want = object["findings"]
		}
		texts := func(in []json.RawMessage) (out []string) {
			for _, x := range in {
				out = append(out, string(x))
			}
			return out
		}
		if d := cmp.Diff(texts(want), texts(got)); d != "" {
			t.Errorf("%q (-want +got)\n%s", text, d)
		}
	})
}
