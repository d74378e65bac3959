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

// problems checks that an error is what a document says of itself in lines of
// "# want": every problem, each with its place, and no other.
func problems(t *testing.T, text string, d *rule.Document, err error) {
	t.Helper()
	var list rule.Problems
	if d != nil || !errors.As(err, &list) || pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Fatalf("%v, %v", d, err)
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
	for _, p := range list {
		if p.Line < 1 || p.Column < 1 {
			t.Errorf("has no place: %s", p)
		}
	}
	if len(list) != wanted || wanted == 0 || t.Failed() {
		t.Errorf("%d problems, %d wanted:\n%v", len(list), wanted, err)
	}
}

// Every invalid document says in its first lines what must be reported; the
// comments keep their lines, so positions are those of the file.
func TestInvalidDocuments(t *testing.T) {
	for name, text := range corpus(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			d, err := rule.Parse([]byte(text))
			problems(t, text, d, err)
		})
	}
}

// What can never hold is told to who writes it, and is no reason to stop what is
// stored already.
func TestDocumentsThatNeverHold(t *testing.T) {
	for name, text := range corpus(t, "check") {
		t.Run(name, func(t *testing.T) {
			d, err := rule.Check([]byte(text))
			problems(t, text, d, err)
			if d, err = rule.Parse([]byte(text)); err != nil {
				t.Fatalf("Parse() = %v", err)
			}
			if rule.Compile(d, pipeline.Subscription{ID: "s"}).Holds(finding) {
				t.Error("it holds")
			}
		})
	}
}

// What is too large to be a file of the corpus.
func TestDocumentsOfAnySize(t *testing.T) {
	const line = "- {lhs: 1, operator: lt, rhs: 2}\n"
	for _, tc := range []struct{ name, text, want string }{
		{"ten thousand conditions", head + "conditions:\n" + strings.Repeat("- {and: []}\n", 10_000), "1006:3: conditions: more than 1000 conditions"},
		{"ten thousand inside one", head + "conditions:\n- or: [" + strings.Repeat("{and: []},", 10_000) + "]\n", "6:9998: conditions[0].or: more than 1000 conditions"},
		{"ten thousand comparisons", head + "conditions:\n" + strings.Repeat(line, 10_000), "7947:31: the document has 330061 bytes, at most 262144 are allowed"},
		{"one endless line", "name: " + strings.Repeat("é", 1<<20), "1:131076: the document has 2097158 bytes, at most 262144 are allowed"},
		{"a list of everything", "name: n\nfindings: [" + strings.Repeat("K,", 60_000) + "]\n", "2:100006: the document has more than 100000 words and signs"},
		{"an open bracket, often", head + "conditions: " + strings.Repeat("[", 90_000), "5:113: nested deeper than 100"},
		{"an endless pattern", head + "conditions: [{lhs: '${x}', operator: matches, rhs: '" + strings.Repeat("a", 1001) + "'}]\n", "5:52: conditions[0].rhs: the pattern has 1001 bytes, at most 1000 are allowed"},
		{"many keys", "findings: [" + strings.Repeat("K, ", 100) + "K]\nname: n\ncooldown: 1\njob: {name: J}\n", "1:11: findings: at most 100 finding keys are expected, there are 101"},
		{"a long key", strings.Replace(head, "[K]", "["+strings.Repeat("K", 201)+"]", 1), "2:12: findings[0]: a finding key of at most 200 bytes is expected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := rule.Parse([]byte(tc.text))
			if d != nil || err == nil || !strings.HasPrefix(err.Error(), tc.want) || len(err.Error()) > 300 {
				t.Errorf("Parse() = %v, %.300v\nwant %s", d, err, tc.want)
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
	for _, folder := range []string{"valid", "invalid", "check"} {
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
