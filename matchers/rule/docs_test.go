package rule_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

var fence = regexp.MustCompile("(?ms)^```(\\S+)([^\n]*)\n(.*?)^```$")

// Every subscription in the pages for people is right, and does with the findings
// below it what the page says.
func TestExamplesOfTheDocs(t *testing.T) {
	for file, least := range map[string]int{"../../docs/14-subscriptions.md": 6, "RULES.md": 3} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var last *rule.Rule
		rules, findings := 0, 0
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			switch m[1] {
			case "yaml":
				last = example(t, file, m[3])
				rules++
			case "json":
				says(t, last, strings.TrimSpace(m[2]), m[3])
				findings++
			}
		}
		if rules < least || file != "RULES.md" && findings < least {
			t.Errorf("%s: %d subscriptions and %d findings were found in it", file, rules, findings)
		}
	}
}

func example(t *testing.T, file, text string) *rule.Rule {
	t.Helper()
	if file == "RULES.md" { // its template of a filter is no filter
		text = strings.ReplaceAll(text, "filter: …  ", "filter: a:b")
	}
	d, err := rule.Check([]byte(text))
	if err != nil {
		t.Fatalf("%s:\n%s\n%v", file, text, err)
	}
	return rule.Compile(d, pipeline.Subscription{ID: "s", Enabled: true})
}

func says(t *testing.T, r *rule.Rule, what, text string) {
	t.Helper()
	f, err := normal.Finding(json.RawMessage(text), normal.Origin{ProjectID: strings.Repeat("0", 24), Source: pipeline.SourceJob, ExecutionID: "e", At: time.Unix(1, 0)})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	e := r.Eval(&f)
	if want := map[string]bool{"fires": true, "does not": false}[what]; e.Match != want {
		t.Errorf("%s %q with %s: %s", r.Name, what, text, e.Reason)
	}
}

// What was formatted and read again does the same with every finding.
func TestFormattedRulesDoTheSame(t *testing.T) {
	w := world{rand.New(rand.NewPCG(11, 7))}
	compared := 0
	for i := range 400 {
		sub := w.subscription(i)
		d, err := rule.Parse([]byte(sub.Document))
		if err != nil {
			continue
		}
		again, err := rule.Parse(rule.Format(d))
		if err != nil {
			t.Fatalf("%v\n%s", err, rule.Format(d))
		}
		a, b := rule.Compile(d, sub), rule.Compile(again, sub)
		for range 30 {
			f := w.finding()
			compared++
			if a.Holds(f) != b.Holds(f) || a.Discriminator(f) != b.Discriminator(f) || a.Reacts(f.Key) != b.Reacts(f.Key) {
				t.Fatalf("%+v\n%s\nis not\n%s", f, sub.Document, rule.Format(d))
			}
		}
	}
	if compared < 5000 {
		t.Errorf("only %d comparisons", compared)
	}
}
