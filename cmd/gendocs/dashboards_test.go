package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
)

var metricName = regexp.MustCompile(`\bstalker_[a-z_]+`)

// registered is what a process with every role has, as series names.
func registered(t *testing.T) string {
	t.Helper()
	text, err := withApp(func(a *app.App) string { return metricsPage(a) })
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func checkMetrics(t *testing.T, known, where, expr string) {
	t.Helper()
	names := metricName.FindAllString(expr, -1)
	for _, name := range names {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !strings.Contains(known, "`"+name+"`") && !strings.Contains(known, "`"+base+"`") {
			t.Errorf("%s asks for %s, which no process has", where, name)
		}
	}
}

func TestPanelsAskForMetricsThatExist(t *testing.T) {
	known := registered(t)
	for _, d := range dashboards() {
		if d.sql() {
			continue // run against a store in sinks/clickhouse
		}
		for _, r := range d.rows {
			for _, p := range r.panels {
				for _, x := range p.queries {
					checkMetrics(t, known, d.title+" / "+p.title, x.expr)
				}
			}
		}
	}
}

func TestAlertsAskForMetricsThatExistAndLinkToARunbook(t *testing.T) {
	known := registered(t)
	text, err := os.ReadFile(filepath.Join(root, "charts/stalker/files/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	sections := headings(t, "../../docs/19-troubleshooting.md")
	rules := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules++
			checkMetrics(t, known, r.Alert, r.Expr)
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || !strings.HasPrefix(r.Annotations["runbook_url"], "RUNBOOK_URL#") {
				t.Errorf("%s lacks a severity, a summary or a runbook", r.Alert)
			}
			if at := strings.TrimPrefix(r.Annotations["runbook_url"], "RUNBOOK_URL#"); !slices.Contains(sections, at) {
				t.Errorf("the runbook of %s is section %q of docs/19-troubleshooting.md, which has only %q", r.Alert, at, sections)
			}
		}
	}
	if rules < 5 {
		t.Errorf("only %d rules were read", rules)
	}
}

// headings returns the second-level headings of a Markdown file, as the anchors that
// links name.
func headings(t *testing.T, path string) (anchors []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			anchors = append(anchors, strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h)), " ", "-"))
		}
	}
	return anchors
}

func TestEveryReasonOfAFailureIsExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/19-troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range pipeline.Reasons() {
		if !strings.Contains(string(text), "`"+string(r)+"`") {
			t.Errorf("docs/19-troubleshooting.md does not explain %s", r)
		}
	}
}
