package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// lengths of the ids of findings and executions.
const (
	findingIDLen   = 32
	executionIDLen = 24
)

func explainCommand() *cobra.Command {
	var r where
	var asJSON, all bool
	c := &cobra.Command{
		Use: "explain FINDING|EXECUTION", Short: "Say why jobs were started, or were not", Args: cobra.ExactArgs(1),
		Long: "Say what became of every subscription that reacts to a finding, stage by stage, with the values its conditions compared;\n" +
			"or follow an execution back to its root, with the finding and the subscription behind each step.\n\n" +
			"Ids stand in the web interface, and in what stalker export findings writes.",
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := r.must(c.Context())
			if err != nil {
				return err
			}
			id := strings.ToLower(strings.TrimSpace(args[0]))
			switch {
			case len(id) == findingIDLen:
				return explainFinding(c.Context(), cl, c.OutOrStdout(), id, asJSON, all)
			case len(id) == executionIDLen:
				return explainExecution(c.Context(), cl, c.OutOrStdout(), id, asJSON)
			default:
				return fmt.Errorf("%q is no id: findings have %d hexadecimal digits, executions %d", args[0], findingIDLen, executionIDLen)
			}
		},
	}
	r.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print what the API answers")
	c.Flags().BoolVar(&all, "all", false, "show every condition, also those that hold")
	return c
}

// told is a pipeline.Explanation as it is read back.
type told struct {
	pipeline.Explanation
	Conditions []rule.Trace `json:"conditions"`
}

func explainFinding(ctx context.Context, cl *client.Client, out io.Writer, id string, asJSON, all bool) error {
	var raw json.RawMessage
	if err := cl.Do(ctx, http.MethodGet, "/findings/"+id+"/explanation", nil, &raw); err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, raw)
	}
	var x struct {
		Finding       pipeline.StoredFinding
		Subscriptions []told
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	fmt.Fprintf(out, "%s about %s\n  said %s by %s\n", x.Finding.Key, targetOf(x.Finding.CorrelationKey), x.Finding.At.Format(time.RFC3339), speaker(&x.Finding))
	if len(x.Subscriptions) == 0 {
		fmt.Fprintln(out, "\nno subscription reacts to such findings")
	}
	for i := range x.Subscriptions {
		fmt.Fprintln(out)
		x.Subscriptions[i].write(out, "", all)
	}
	return nil
}

func speaker(f *pipeline.StoredFinding) string {
	if f.ExecutionID != "" {
		return f.Job + ", execution " + f.ExecutionID
	}
	return string(f.Source)
}

func (x *told) write(out io.Writer, indent string, all bool) {
	fmt.Fprintf(out, "%s%s %s: %s\n", indent, mark(x.Outcome), x.Name, x.summary())
	for _, s := range x.Steps {
		line := fmt.Sprintf("%s    %s %-11s", indent, mark(s.Verdict), s.Stage)
		switch {
		case s.Detail != "":
			line += s.Detail
		case s.Reason != "" && s.Reason != s.Verdict:
			line += s.Reason
		case s.Verdict == pipeline.OutcomeUnknown:
			line += "not recorded"
		}
		fmt.Fprintln(out, strings.TrimRight(line, " "))
		if s.Stage == "conditions" && (all || s.Verdict == pipeline.OutcomeStopped) {
			writeTraces(out, indent+"        ", x.Conditions)
		}
	}
	if x.Outcome == pipeline.OutcomeFired {
		for _, name := range slices.Sorted(maps.Keys(x.Parameters)) {
			fmt.Fprintf(out, "%s      %s = %s\n", indent, name, x.Parameters[name])
		}
	}
}

func (x *told) summary() string {
	switch x.Outcome {
	case pipeline.OutcomeFired:
		return "started execution " + x.ExecutionID
	case pipeline.OutcomeStopped:
		if x.Detail == "" {
			return "stopped at " + x.Stage
		}
		return x.Detail
	default:
		return x.Detail
	}
}

func writeTraces(out io.Writer, indent string, list []rule.Trace) {
	for _, t := range list {
		sign := mark(pipeline.OutcomeStopped)
		if t.Holds {
			sign = mark(pipeline.OutcomePassed)
		}
		if t.Junction != "" {
			fmt.Fprintf(out, "%s%s %s\n", indent, sign, t.Junction)
			writeTraces(out, indent+"  ", t.Of)
			continue
		}
		fmt.Fprintf(out, "%s%s %s\n", indent, sign, strings.TrimSuffix(t.String(), " does not hold"))
	}
}

// targetOf is a correlation key for people, who know which project they look at.
func targetOf(key string) string {
	_, rest, ok := strings.Cut(key, ";")
	if !ok {
		return key
	}
	return strings.ReplaceAll(rest, ";", " ")
}

func mark(outcome string) string {
	switch outcome {
	case pipeline.OutcomeFired:
		return "▶"
	case pipeline.OutcomePassed:
		return "✓"
	case pipeline.OutcomeStopped:
		return "✗"
	default:
		return "?"
	}
}

func explainExecution(ctx context.Context, cl *client.Client, out io.Writer, id string, asJSON bool) error {
	var raw json.RawMessage
	if err := cl.Do(ctx, http.MethodGet, "/executions/"+id+"/explanation", nil, &raw); err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, raw)
	}
	var x struct {
		Chain []struct {
			Execution   pipeline.Execution
			Finding     *pipeline.StoredFinding
			Explanation *told
		}
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	for depth, link := range x.Chain {
		indent := strings.Repeat("  ", depth)
		e := &link.Execution
		if f := link.Finding; f != nil {
			fmt.Fprintf(out, "%s%s about %s\n", indent, f.Key, targetOf(f.CorrelationKey))
			fmt.Fprintf(out, "%s└ subscription %s\n", indent, e.Cause.SubscriptionName)
		}
		fmt.Fprintf(out, "%s  └ %s %s, execution %s, %s\n", indent, e.QueuedAt.Format(time.RFC3339), e.Job, e.ID, e.State)
	}
	return nil
}

func printJSON(out io.Writer, raw json.RawMessage) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(raw)
}
