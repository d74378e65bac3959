package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/pipeline"
)

type backtestFlags struct {
	where
	project, query string
	since          time.Duration
	asJSON         bool
}

func ruleBacktestCommand() *cobra.Command {
	var f backtestFlags
	c := &cobra.Command{
		Use: "backtest FILE", Short: "Say what a subscription would have done with the findings of the past", Args: cobra.ExactArgs(1),
		Long: "Say what a subscription would have done with the findings of the past: how many jobs, when, aimed at what.\n\n" +
			"The server runs the matcher's own code over its stored findings; cooldowns, budgets and rates are simulated. Nothing is started.",
		Example: "  stalker rule backtest draft.yaml --since 168h --project Acme",
		RunE:    func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.project, "project", "", "name or id of the project; without it, all of them")
	c.Flags().StringVar(&f.query, "q", "", "only findings this filter selects")
	c.Flags().DurationVar(&f.since, "since", 30*24*time.Hour, "how far to look back")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print what the API answers")
	return c
}

func (f *backtestFlags) run(c *cobra.Command, file string) error {
	if _, err := loadRule(c, file); err != nil { // its problems are told with the file's name
		return err
	}
	text, err := readFile(c, file)
	if err != nil {
		return err
	}
	cl, err := f.must(c.Context())
	if err != nil {
		return err
	}
	project, err := projectID(c.Context(), cl, f.project)
	if err != nil {
		return err
	}
	body := map[string]any{"document": string(text), "from": time.Now().Add(-f.since).UTC()}
	if project != "" {
		body["projectId"] = project
	}
	if f.query != "" {
		body["q"] = f.query
	}
	var raw json.RawMessage
	if err := cl.Do(c.Context(), http.MethodPost, "/subscriptions/backtest", body, &raw); err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(c.OutOrStdout(), raw)
	}
	var b pipeline.Backtest
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	writeBacktest(c.OutOrStdout(), &b)
	return nil
}

func writeBacktest(out io.Writer, b *pipeline.Backtest) {
	if b.Findings == 0 {
		fmt.Fprintf(out, "%s: no finding of that time has the key %s\n", b.Name, strings.Join(b.Keys, " or "))
		return
	}
	fmt.Fprintf(out, "%s would have started %s %d times, for %d resources, on %d findings from %s to %s\n",
		b.Name, b.Job, b.Jobs, b.Targets, b.Findings, b.From.Format(time.RFC3339), b.To.Format(time.RFC3339))
	if !b.Complete {
		fmt.Fprintln(out, "there was more than could be looked at: this is the beginning of it")
	}
	for _, reason := range slices.Sorted(maps.Keys(b.Stopped)) {
		fmt.Fprintf(out, "  %8d stopped: %s\n", b.Stopped[reason], strings.ReplaceAll(reason, "_", " "))
	}
	most := 0
	for _, bar := range b.Histogram {
		most = max(most, bar.Jobs)
	}
	if len(b.Histogram) > 0 {
		fmt.Fprintf(out, "\njobs per %s\n", strings.TrimSuffix(strings.TrimSuffix(b.Step, "0s"), "0m"))
	}
	for _, bar := range b.Histogram {
		fmt.Fprintf(out, "  %s %6d %s\n", bar.At.Format("2006-01-02 15:04"), bar.Jobs, strings.Repeat("█", max(1, bar.Jobs*40/most)))
	}
	if len(b.Samples) > 0 {
		fmt.Fprintln(out, "\nthe first of them")
	}
	for _, s := range b.Samples {
		fmt.Fprintf(out, "  %s %s", s.At.Format(time.RFC3339), targetOf(s.Target))
		for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
			fmt.Fprintf(out, " %s=%s", name, s.Parameters[name])
		}
		fmt.Fprintln(out)
	}
}
