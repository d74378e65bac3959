package normal

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Both ways of reading agree wherever the quick one says that it knows the form.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{"type":"PortFinding","key":"K","name":"N","seq":18446744073709551615,"ip":"192.0.2.1","mask":0,"port":65535,"protocol":"tcp","domainName":"a","path":"/","ssl":false,"tag":"t","other":{"a":[null]},` +
			`"fields":[{"key":"k","label":"l","type":"text","data":"é\n"},{"key":"n","data":9007199254740993},{"key":"f","data":1.5},{"key":"b","data":true},{"key":"z","x":[]}]}`,
		`{"IP":"x"}`, `{"ip":null}`, `{"ip":"a","ip":"b"}`, `{"fields":null}`, `{"fields":[{"Key":"a"}]}`, `{"fields":[{"data":null}]}`, `{"fields":[{"data":{}}]}`, `{"fields":[{"data":1e999}]}`, `{"port":1.0}`, `{"port":-1}`,
		`{"seq":-1}`, `{"\u0069p":"x"}`, `{"ſeq":1}`, `{"fields":[{"data":-0}]}`, `{} x`, `{"fields":[]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := scan([]byte(text))
		if !ok {
			return
		}
		want, err := decode(json.RawMessage(text))
		if err != nil {
			t.Fatalf("%q is known and not valid: %v", text, err)
		}
		for i := range want.Fields {
			x := &want.Fields[i]
			if x.value, err = scalar(x.Data); err != nil {
				t.Fatalf("%q is known and not valid: %v", text, err)
			}
			x.known, x.Data = true, nil
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(field{})); d != "" {
			t.Errorf("%q is read in two ways (-encoding/json +ours)\n%s", text, d)
		}
	})
}
