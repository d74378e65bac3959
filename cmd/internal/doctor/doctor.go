// Package doctor looks at everything a configuration names, without changing
// anything, and says what is wrong and what to do about it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Level says how bad a finding is.
type Level string

// The levels. Only Fail keeps Stalker from working.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "FAIL"
)

// Finding is what a check says.
type Finding struct {
	Part  string `json:"part"`
	Level Level  `json:"level"`
	Says  string `json:"says"`
	Fix   string `json:"fix,omitempty"`
}

// check looks at one part. It has its own deadline.
type check struct {
	part string
	look func(context.Context) []Finding
}

// each bounds one check, so that one part that does not answer hides no other.
const each = 20 * time.Second

// Examine runs every check that the configuration calls for, and returns the
// findings in the order of the data path.
func Examine(ctx context.Context, cfg app.Config) []Finding {
	var all []Finding
	for _, c := range checks(cfg) {
		bounded, cancel := context.WithTimeout(ctx, each)
		for _, f := range c.look(bounded) {
			f.Part = c.part
			all = append(all, f)
		}
		cancel()
	}
	return all
}

func checks(cfg app.Config) []check {
	list := []check{{"data", func(context.Context) []Finding { return data(cfg.Data) }}}
	if len(cfg.Bus.Brokers) > 0 {
		list = append(list, check{"kafka", func(ctx context.Context) []Finding { return kafka(ctx, cfg.Bus) }})
	}
	if len(cfg.ClickHouse.Addresses) > 0 {
		list = append(list, check{"clickhouse", func(ctx context.Context) []Finding { return store(ctx, cfg.StoreConfig()) }})
	} else {
		list = append(list, check{"engine", func(context.Context) []Finding { return engine(cfg) }})
	}
	if cfg.Control.DSN != "" {
		list = append(list, check{"control", func(ctx context.Context) []Finding { return controlStore(ctx, cfg.Control) }})
	}
	list = append(list, check{"jobs", func(ctx context.Context) []Finding { return runner(ctx, cfg) }})
	return append(list, check{"server", func(ctx context.Context) []Finding { return server(ctx, cfg) }})
}

// runner looks at what runs jobs.
func runner(ctx context.Context, cfg app.Config) []Finding {
	if cfg.Launcher.Runner == launcher.RunnerKubernetes {
		return kubernetes(ctx, cfg)
	}
	return interpreter(ctx, cfg.Local.Python)
}

// Failed reports whether something keeps Stalker from working.
func Failed(list []Finding) bool {
	for _, f := range list {
		if f.Level == Fail {
			return true
		}
	}
	return false
}

// Table writes the findings for people.
func Table(w io.Writer, list []Finding) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Level, f.Part, f.Says)
		if f.Fix != "" {
			fmt.Fprintf(t, "\t\t→ %s\n", f.Fix)
		}
	}
	return t.Flush()
}

func ok(format string, a ...any) Finding { return Finding{Level: OK, Says: fmt.Sprintf(format, a...)} }

func bad(level Level, fix, format string, a ...any) Finding {
	return Finding{Level: level, Says: fmt.Sprintf(format, a...), Fix: fix}
}
