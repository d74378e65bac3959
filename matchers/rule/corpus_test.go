package rule_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// corpus reads every file of a folder under testdata.
func corpus(t testing.TB, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", folder, err)
	}
	out := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = string(b)
	}
	return out
}

// Every invalid document says in its first lines what must be reported; the
// comments keep their lines, so positions are those of the file.
func TestInvalidDocuments(t *testing.T) {
	for name, text := range corpus(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			d, err := rule.Parse([]byte(text))
			var problems rule.Problems
			if d != nil || !errors.As(err, &problems) {
				t.Fatalf("Parse() = %v, %v", d, err)
			}
			wanted := 0
			for line := range strings.Lines(text) {
				want, ok := strings.CutPrefix(strings.TrimSpace(line), "# want ")
				if !ok {
					continue
				}
				if wanted++; !strings.Contains(err.Error(), want) {
					t.Errorf("lacks %q", want)
				}
			}
			if len(problems) != wanted || wanted == 0 || t.Failed() {
				t.Errorf("%d problems, %d wanted:\n%v", len(problems), wanted, err)
			}
		})
	}
}

func TestValidDocumentsSurviveFormat(t *testing.T) {
	for name, text := range corpus(t, "valid") {
		t.Run(name, func(t *testing.T) {
			d, err := rule.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, d)
		})
	}
}

// roundTrip checks that formatting says the same thing, and says it canonically.
func roundTrip(t *testing.T, d *rule.Document) {
	t.Helper()
	text := rule.Format(d)
	again, err := rule.Parse(text)
	if len(text) > rule.MaxDocument {
		return // a document just under the limit may pass it in another form
	}
	if err != nil {
		t.Fatalf("Format() gives what Parse refuses: %v\n%s", err, text)
	}
	if diff := cmp.Diff(again, d); diff != "" {
		t.Fatalf("Parse(Format()) (-got +want):\n%s\n%s", diff, text)
	}
	if second := rule.Format(again); string(second) != string(text) {
		t.Errorf("Format() is not canonical:\n%s\n%s", text, second)
	}
}

func FuzzParse(f *testing.F) {
	for _, folder := range []string{"valid", "invalid"} {
		for _, text := range corpus(f, folder) {
			f.Add(text)
		}
	}
	f.Add("? {}")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, in string) {
		d, err := rule.Parse([]byte(in))
		if (d == nil) == (err == nil) {
			t.Fatalf("Parse(%q) = %v, %v: a document and an error, or neither", in, d, err)
		}
		if d == nil {
			return
		}
		roundTrip(t, d)
		r := rule.Compile(d, pipeline.Subscription{ID: "s"})
		r.Holds(finding)
		if _, err := r.Arguments(finding); err != nil {
			t.Errorf("Arguments() of %q: %v", in, err)
		}
	})
}
