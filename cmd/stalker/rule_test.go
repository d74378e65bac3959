package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// stalker runs the command line and returns what it printed and its exit code.
func stalker(t *testing.T, stdin string, args ...string) (out, errOut string, exitCode int) {
	t.Helper()
	var o, e bytes.Buffer
	c := root()
	c.SetArgs(args)
	c.SetIn(strings.NewReader(stdin))
	c.SetOut(&o)
	c.SetErr(&e)
	err := c.ExecuteContext(t.Context())
	return o.String(), e.String(), code(err)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const banner = "name: Banner\nfindings: [PortFinding]\ncooldown: 60\ndiscriminator: ${port}\njob: {name: J, parameters: [{name: url, value: 'tcp://${ip}:${port}'}]}\n" +
	"conditions: [{lhs: '${port}', operator: between, rhs: [1, 1023]}]\n"

func TestRuleCheckNamesFileLineAndColumn(t *testing.T) {
	good, bad := file(t, "good.yaml", banner), file(t, "bad.yaml", "name: n\nfindings: [K]\ncooldown: -1\njob: {name: J}\nconditions: [{lhs: '${port}', operator: like, rhs: 1}]\n")
	out, _, exitCode := stalker(t, "", "rule", "check", good, bad)
	for _, want := range []string{good + `: "Banner" is right`, bad + ":3:11: cooldown: a whole number of seconds", bad + ":5:41: conditions[0].operator: \"like\" is unknown"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if exitCode != 1 {
		t.Errorf("exit code %d", exitCode)
	}
	out, _, exitCode = stalker(t, banner, "rule", "check", "--json", "-")
	var v checked
	if err := json.Unmarshal([]byte(out), &v); err != nil || !v.Valid || v.Name != "Banner" || exitCode != 0 {
		t.Errorf("%s (%v), exit code %d", out, err, exitCode)
	}
	if _, _, exitCode := stalker(t, "", "rule", "check", "/does/not/exist"); exitCode != 2 {
		t.Errorf("a file that is missing: exit code %d", exitCode)
	}
}

// The documents of the language's own tests, each of which says in its first lines what
// is wrong with it.
func TestRuleCheckReportsEveryProblemOfEveryBadDocument(t *testing.T) {
	files, err := filepath.Glob("../../matchers/rule/testdata/*/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out, _, exitCode := stalker(t, "", "rule", "check", f)
		wanted := 0
		for line := range strings.Lines(string(text)) {
			want, ok := strings.CutPrefix(strings.TrimSpace(line), "# want ")
			if !ok {
				continue
			}
			wanted++
			if want[0] >= '0' && want[0] <= '9' {
				want = f + ":" + want
			}
			if !strings.Contains(out, want) {
				t.Errorf("%s: lacks %q", f, want)
			}
		}
		switch {
		case strings.Contains(f, "/valid/"):
			if exitCode != 0 || wanted != 0 {
				t.Errorf("%s: exit code %d:\n%s", f, exitCode, out)
			}
		case exitCode != 1 || wanted == 0 || strings.Count(out, f+":") != wanted:
			t.Errorf("%s: exit code %d, %d problems wanted:\n%s", f, exitCode, wanted, out)
		}
	}
}

func TestRuleEvalPrintsALineForEachFinding(t *testing.T) {
	findings := `[{"type":"PortFinding","ip":"192.0.2.1","port":22,"protocol":"tcp"},{"type":"PortFinding","ip":"192.0.2.1","port":8080,"protocol":"tcp"}]
{"type":"HostnameFinding","domainName":"example.com"}
{"type":"PortFinding","ip":"nonsense"}`
	out, errOut, exitCode := stalker(t, findings, "rule", "eval", "--rule", file(t, "r.yaml", banner), "--finding", "-")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	want := []string{
		`{"subscription":"Banner","match":true,"reason":"matched","parameters":{"url":"tcp://192.0.2.1:22"},"discriminator":"22"`,
		`{"subscription":"Banner","match":false,"reason":"conditions: conditions[0]: ${port} = 8080 between [1,1023] does not hold","parameters":{},"discriminator":""`,
		`{"subscription":"Banner","match":false,"reason":"key: the finding's key is HostnameFinding`,
		`{"subscription":"Banner","match":false,"reason":"finding: `,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("line %d:\n%s\nwant\n%s", i+1, lines[i], want[i])
		}
	}
	if exitCode != 1 || !strings.Contains(errOut, "finding 4:") {
		t.Errorf("exit code %d, %s", exitCode, errOut)
	}
}

func TestABacktestIsReadable(t *testing.T) {
	var out strings.Builder
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	writeBacktest(&out, &pipeline.Backtest{
		Name: "Draft", Job: "J", Findings: 5, From: at, To: at.Add(time.Hour), Jobs: 3, Targets: 2, Stopped: map[string]int{"not_met": 2}, Step: "15m0s",
		Histogram: []pipeline.BacktestBar{{At: at, Jobs: 1}, {At: at.Add(15 * time.Minute), Jobs: 2}}, Complete: true,
		Samples: []pipeline.BacktestSample{{At: at, Target: "project:p;host:192.0.2.1;port:22", Parameters: map[string]json.RawMessage{"b": json.RawMessage("2"), "a": json.RawMessage(`"x"`)}}},
	})
	for _, want := range []string{"would have started J 3 times, for 2 resources, on 5 findings", "2 stopped: not met", "jobs per 15m\n", "2026-01-01 12:15      2 " + strings.Repeat("█", 40), `host:192.0.2.1 port:22 a="x" b=2`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
