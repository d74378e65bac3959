package control

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestParseTemplate(t *testing.T) {
	j, err := ParseTemplate([]byte(`
version: 2
name: NucleiJob
type: nuclei
language: yaml
jobPodConfigName: M
image: stalker/nuclei
category: /Web
findingHandlerLanguage: python
deadline: 1h30m
rawSockets: false
parameters:
  - name: port
    type: number
    default: 80
    summary: The port.
  - {name: ports, type: "number[]", default: [1, 2]}
code: |
  id: x
handler: "class FindingHandler: pass"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := pipeline.Job{
		Name: "NucleiJob", Type: pipeline.JobNuclei, Language: "yaml", PodSize: "M", Image: "stalker/nuclei", Category: "/Web", Deadline: 90 * 60e9,
		Code: "id: x\n", Handler: "class FindingHandler: pass",
		Parameters: []pipeline.Parameter{
			{Name: "port", Type: "number", Default: uint64(80), Summary: "The port."},
			{Name: "ports", Type: "number[]", Default: []any{uint64(1), uint64(2)}},
		},
	}
	if d := cmp.Diff(j, want); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
}

func TestTemplatesAreRefusedWithThePlace(t *testing.T) {
	const fine = "version: 2\nname: A\ntype: code\nlanguage: python\ncode: pass\n"
	for text, want := range map[string]string{
		"":                               "keys and values are expected",
		"[]":                             "keys and values are expected",
		"a: b\n---\nc: d\n":              "one document is expected",
		"name: [":                        "1:",
		fine + "image: &a x\n":           "6:8: anchors and aliases are not allowed",
		fine + "image: !!str x\n":        "6:8: tags are not allowed",
		fine + "name: B\n":               "already defined",
		fine + "jobPodConfigName: X M\n": `6:19: jobPodConfigName: "X M" is no name of a pod size`,
		fine + "parameters: [{name: a, type: text}]\n": `6:30: parameters[0].type: "text" is none of string, number`,
		fine + "parameters: {a: b}\n":                  "parameters: must be a list",
		fine + "parameters: [a]\n":                     "6:14: parameters[0]: {name, type",
		fine + "rawSockets: maybe\n":                   "6:13: rawSockets: must be true or false",
		fine + "command: [a]\n":                        "command: is for type container only",
		"version: 1\n" + fine[len("version: 2\n"):]:    "1:10: version: must be 2",
	} {
		_, err := ParseTemplate([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
		if err != nil && pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("%q: code %s", text, pipeline.CodeOf(err))
		}
	}
}

func FuzzParseTemplate(f *testing.F) {
	f.Add("version: 2\nname: A\ntype: code\nlanguage: python\ncode: pass\nparameters: [{name: a, type: string, default: x}]\n")
	f.Add("a: {b: [c, d: e]}")
	f.Fuzz(func(t *testing.T, text string) {
		j, err := ParseTemplate([]byte(text))
		if err == nil && len(checkJob(&j)) > 0 {
			t.Errorf("a job that is refused came without an error: %+v", j)
		}
		if err != nil && pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("code %s: %v", pipeline.CodeOf(err), err)
		}
	})
}

func TestRename(t *testing.T) {
	for in, want := range map[string]string{
		"name: A\nx: A\n":                  "name: B c\nx: A\n",
		"# first\n\"name\": 'A b' # why\n": "# first\n\"name\": B c # why\n",
		"{name: A, x: [A]}":                "{name: B c, x: [A]}",
		"x: é\nname: é è # é\n":            "x: é\nname: B c # é\n",
		"name: |\n  A\n":                   "",
	} {
		got, err := rename(in, "B c")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("rename(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	if got, err := rename("name: A\n", "x: y # z"); err != nil || got != "name: \"x: y # z\"\n" {
		t.Errorf("a name that needs quotes: %q, %v", got, err)
	}
}

func TestABuiltInSubscriptionBeginsAsItsFileSays(t *testing.T) {
	doc := "findings: [PortFinding]\ncooldown: 1\njob: {name: J}\n"
	_, subs, err := LoadCatalogue(fstest.MapFS{
		"subscriptions/a.yaml": {Data: []byte("name: A\n" + doc)},
		"subscriptions/b.yaml": {Data: []byte("name: B\nisEnabled: false\n" + doc)},
		"subscriptions/c.yaml": {Data: []byte("name: C\nisEnabled: true\n" + doc)},
	})
	if err != nil || len(subs) != 3 || !subs[0].Enabled || subs[1].Enabled || !subs[2].Enabled {
		t.Errorf("%+v, %v", subs, err)
	}
}
