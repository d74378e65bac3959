package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/cmd/internal/app"
)

// descriptor reads what a prometheus.Desc tells of itself; it has no accessors.
var descriptor = regexp.MustCompile(`fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)".*variableLabels: \{([^}]*)\}`)

// metricsPage lists every metric of ours that a process registers.
func metricsPage(a *app.App) string {
	ch := make(chan *prometheus.Desc)
	go func() { a.Describe(ch); close(ch) }()
	seen := map[string]string{}
	for d := range ch {
		m := descriptor.FindStringSubmatch(d.String())
		if m == nil || !strings.HasPrefix(m[1], "stalker_") {
			continue
		}
		labels := strings.ReplaceAll(m[3], ",", ", ")
		seen[m[1]] = fmt.Sprintf("| `%s` | %s | %s |\n", m[1], labels, strings.ReplaceAll(m[2], `\"`, `"`))
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("# Metrics\n\nWritten by `make docs` from what a process with every role registers; read it at `/metrics`. The metrics of the Go runtime and the\n" +
		"process (`go_*`, `process_*`) are there too. A histogram `x` gives `x_bucket`, `x_sum` and `x_count`. Label values come from closed sets.\n\n" +
		"| Metric | Labels | Meaning |\n|---|---|---|\n")
	for _, n := range names {
		b.WriteString(seen[n])
	}
	return b.String()
}
