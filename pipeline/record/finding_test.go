package record

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

func full() pipeline.Finding {
	mask, ssl := 0, false
	return pipeline.Finding{
		ID: "id", ProjectID: "p", At: time.UnixMilli(1764050000123).UTC(), Source: pipeline.SourceJob, ExecutionID: "e", JobName: "j", UserID: "u",
		Seq: 1<<63 + 1, RootID: "r", Depth: 3, Control: 9, Type: pipeline.CustomFinding, Key: "K", Name: "<näme> & \"q\" \\ \u2028 \x7f", SSL: &ssl, Tag: "t",
		Locators: pipeline.Locators{Domain: "d", IP: "2001:db8::1", Mask: &mask, Port: 65535, Protocol: pipeline.UDP, Path: "/a?b=c"},
		Since:    time.UnixMilli(1764050000000).UTC(), CorrelationKey: "ck",
		Fields: []pipeline.Field{
			{Key: "text", Label: "T", Type: pipeline.TextField, Data: "line\nbreak"},
			{Key: "n", Type: pipeline.TextField, Data: 1.5e300},
			{Key: "i", Type: pipeline.TextField, Data: int64(-7)},
			{Key: "yes", Type: pipeline.TextField, Data: true},
			{Key: "none", Type: pipeline.TextField},
			{Key: "bad \xff", Type: pipeline.ImageField, Data: ""},
		},
	}
}

// The bytes are those encoding/json makes of the wire form.
func TestEncodeFindingIsTheWireForm(t *testing.T) {
	for name, f := range map[string]pipeline.Finding{"full": full(), "empty": {}, "no fields": {ID: "x", Fields: []pipeline.Field{}}} {
		w := finding{
			V: Version, ID: f.ID, Project: f.ProjectID, At: f.At.UnixMilli(), Source: f.Source,
			Exec: f.ExecutionID, Job: f.JobName, User: f.UserID, Seq: f.Seq, Root: f.RootID,
			Depth: f.Depth, Control: f.Control, Type: f.Type, Key: f.Key, Name: f.Name,
			Locators: f.Locators, SSL: f.SSL, Tag: f.Tag, Fields: f.Fields, CKey: f.CorrelationKey,
		}
		if !f.Since.IsZero() {
			w.Since = f.Since.UnixMilli()
		}
		want, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		got, err := EncodeFinding(&f)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, want)
		}
	}
}

func TestDecodeFindingKnowsWhatWasEncoded(t *testing.T) {
	f := full()
	text, err := EncodeFinding(&f)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, ok := scanFinding(text); !ok {
		t.Errorf("what the encoder writes is read the slow way: %s", text)
	}
	got, err := DecodeFinding(text)
	f.Fields[2].Data, f.Fields[5].Key = -7.0, "bad \ufffd"
	if d := cmp.Diff(f, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// Both ways of reading agree wherever the quick one says that it knows the form.
func FuzzDecodeFinding(f *testing.F) {
	x := full()
	text, err := EncodeFinding(&x)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	for _, s := range []string{
		`{}`, `{"v":1,"v":2}`, `{"fields":[{"key":"a","data":1}],"fields":[{}]}`, `{"port":1.0}`, `{"PORT":1}`, `{"id":null}`, `{"id":"\ud800"}`, "{\"id\":\"\xff\"}",
		`{"fields":[{"data":{"a":1}}]}`, `{"fields":[{"data":-0}]}`, `{"fields":[]}`, `{"ssl":true} `, `{"ssl":true}x`, `{"at":01}`, `{"at":-9223372036854775808}`, `{"at":1e3}`, `{"fields":[{"data":1e999}]}`, "{\"id\":\"\t\"}", `{"id" : "x" , "v" : 1}`,
		`{"mask":0,"ssl":false,"id":"\"\\\/\b"}`, `{"id":"a",}`, `{"fields":[{"key":"a"},]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, v, since, ok := scanFinding([]byte(text))
		if !ok {
			return
		}
		want, wantV, wantSince, err := readFinding([]byte(text))
		if err != nil {
			t.Fatalf("%q is known and not valid: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" || v != wantV || since != wantSince {
			t.Errorf("%q is read in two ways: versions %d, %d, since %d, %d (-encoding/json +ours)\n%s", text, wantV, v, wantSince, since, d)
		}
	})
}

func FuzzDecodeFields(f *testing.F) {
	x := full()
	text, err := EncodeFields(x.Fields)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		string(text), ``, ` `, `[]`, `null`, `[null]`, `[{}]`, `{}`, `[{"key":"a","data":1},{"key":"b","data":true,"label":"c","type":"text"}]`, `[{"key":"a","KEY":"b"}]`,
		`[{"data":null}]`, `[{"data":[1]}]`, `[{"data":1e999}]`, `[{"more":1}]`, `[] x`, `[{"key":"a"},]`, "[{\"key\":\"\xff\"}]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := DecodeFields([]byte(text))
		want, wantErr := []pipeline.Field{}, error(nil)
		if strings.TrimSpace(text) != "" {
			want, wantErr = readFields([]byte(text))
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, and encoding/json says %v", text, err, wantErr)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q is read in two ways (-encoding/json +ours)\n%s", text, d)
		}
	})
}
