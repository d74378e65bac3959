package v1

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
)

// badDocuments are those of the rule language, each of which says in its first lines
// what is wrong with it.
func badDocuments(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, folder := range []string{"invalid", "check"} {
		files, err := filepath.Glob(filepath.Join("../../matchers/rule/testdata", folder, "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(f)] = string(text)
		}
	}
	return out
}

// told compares what a client is told with what a document says of itself.
func told(t *testing.T, file, text string, got control.Problems) {
	t.Helper()
	wanted := 0
	for line := range strings.Lines(text) {
		want, ok := strings.CutPrefix(strings.TrimSpace(line), "# want ")
		if !ok {
			continue
		}
		if wanted++; !strings.Contains(got.Error(), want) {
			t.Errorf("%s: lacks %q", file, want)
		}
	}
	if len(got) != wanted {
		t.Errorf("%s: %d problems, %d wanted:\n%v", file, len(got), wanted, got)
	}
}

// Whatever is wrong with a document, who sends it is told all of it and where, and
// nothing is saved.
func TestBadDocumentsAreRefusedWithEveryProblem(t *testing.T) {
	c := newWorld(t, shelf{}).operator()
	c.must("POST", "/jobs", strings.NewReplacer("name: Hello", "name: J").Replace(hello), nil, "Content-Type", "application/yaml")
	for file, text := range badDocuments(t) {
		var p problem
		a := c.call("POST", "/subscriptions", text, "Content-Type", "application/yaml")
		if err := json.Unmarshal(a.body, &p); err != nil || a.status != 400 || p.Code != pipeline.CodeInvalid {
			t.Errorf("%s: %d %s (%v)", file, a.status, a.body, err)
		}
		var got control.Problems
		for _, e := range p.Errors {
			got = append(got, control.Problem{Line: e.Line, Column: e.Column, Path: e.Path, Message: e.Message})
		}
		told(t, file, text, got)
		if !utf8.ValidString(text) {
			continue // JSON is always UTF-8
		}
		var check subscriptionCheck
		c.must("POST", "/subscriptions/check", map[string]any{"document": text}, &check)
		told(t, file+" (check)", text, check.Problems)
	}
	c.refused(400, "is not UTF-8", "POST", "/subscriptions/check", "{\"document\": \"name: \xff\"}")
	var list struct{ Items []subscriptionView }
	if c.must("GET", "/subscriptions", nil, &list); len(list.Items) != 0 {
		t.Errorf("saved: %+v", list.Items)
	}
}

// A document that was stored when less was refused can be switched off and on, and is
// refused once somebody writes it again.
func TestAStoredDocumentThatIsWrongNowCanBeSwitchedOff(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.operator()
	c.must("POST", "/jobs", hello, nil, "Content-Type", "application/yaml")
	for _, document := range []string{
		"name: Old\nfindings: [K]\ncooldown: 0\njob: {name: Hello}\nconditions: [{lhs: '${port}', operator: contains, rhs: a}]\n",
		"name: Old\nfindings: [K]\ncooldown: forever\njob: {name: Hello}\n",
	} {
		s := pipeline.Subscription{ID: pipeline.NewID(), Name: "Old", Enabled: true, Version: 1, Document: document}
		if err := w.ctl.SeedBuiltIns(t.Context(), nil, []pipeline.Subscription{s}); err != nil {
			t.Fatal(err)
		}
		var got subscriptionView
		c.must("PATCH", "/subscriptions/"+s.ID, map[string]any{"enabled": false}, &got)
		if got.Enabled || got.Name != "Old" {
			t.Errorf("%+v", got)
		}
		c.refused(400, "", "POST", "/subscriptions", document, "Content-Type", "application/yaml")
	}
}
