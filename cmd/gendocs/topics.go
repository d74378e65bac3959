package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline/bus"
)

// topicsPage lists the topics as they are declared; what is in them stands in
// pipeline/bus/README.md.
func topicsPage() string {
	var b strings.Builder
	b.WriteString("# Topics\n\nWritten by `make docs` from `pipeline/bus/topics.go`. Names are public: read them with consumers of your own, in groups that do not begin\n" +
		"with `stalker.`. Values are JSON with a version, see `pipeline/record`; keys, see `pipeline/bus/README.md`.\n\n" +
		"| Topic | Partitions | Kept | Largest batch |\n|---|---|---|---|\n")
	for _, t := range bus.Topics() {
		partitions, kept := "`bus.partitions`", fmt.Sprintf("%d days", int(t.Retention/(24*time.Hour)))
		if t.Single {
			partitions = "1"
		}
		if t.Compact {
			kept = "the newest of each key"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %d MiB |\n", t.Name, partitions, kept, t.MaxBytes>>20)
	}
	fmt.Fprintf(&b, "\nConsumer groups: `%s`.\n", strings.Join(bus.Groups(), "`, `"))
	return b.String()
}
