package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

// exitProblems is the exit code of rule check and rule eval when a rule is wrong.
const exitProblems = 1

func ruleCommand() *cobra.Command {
	c := &cobra.Command{Use: "rule", Short: "Check and try out subscriptions"}
	c.AddCommand(ruleCheckCommand(), ruleEvalCommand(), ruleBacktestCommand(), ruleFormatCommand(), ruleSchemaCommand(), ruleRevertCommand())
	return c
}

func ruleCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "check FILE…", Short: "Report every problem of subscription files, with line and column", Args: cobra.MinimumNArgs(1),
		Long: "Report every problem of subscription files as FILE:LINE:COLUMN: path: what is wrong (- reads standard input).\n\n" +
			"Exit codes: 0 all are right, 1 some are wrong, 2 a file cannot be read.",
		RunE: func(c *cobra.Command, args []string) error { return checkRules(c, args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per file")
	return c
}

// checked is what rule check --json prints for a file.
type checked struct {
	File     string        `json:"file"`
	Valid    bool          `json:"valid"`
	Name     string        `json:"name,omitempty"`
	Problems rule.Problems `json:"problems"`
}

func checkRules(c *cobra.Command, files []string, asJSON bool) error {
	wrong := 0
	out := c.OutOrStdout()
	for _, file := range files {
		text, err := readFile(c, file)
		if err != nil {
			return err
		}
		d, err := rule.Check(text)
		v := checked{File: file, Valid: err == nil, Problems: rule.Problems{}}
		if p, ok := errors.AsType[rule.Problems](err); ok {
			v.Problems = p
			wrong++
		} else {
			v.Name = d.Name
		}
		if asJSON {
			_ = json.NewEncoder(out).Encode(v)
			continue
		}
		for _, p := range v.Problems {
			fmt.Fprintf(out, "%s:%s\n", file, p)
		}
		if v.Valid {
			fmt.Fprintf(out, "%s: %q is right\n", file, v.Name)
		}
	}
	if wrong > 0 {
		return exit{exitProblems, fmt.Errorf("%d of %d files are wrong", wrong, len(files))}
	}
	return nil
}

func readFile(c *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(c.InOrStdin(), rule.MaxDocument+1))
	}
	return os.ReadFile(file)
}

// loadRule reads and compiles a rule; its problems are printed with the file's name.
func loadRule(c *cobra.Command, file string) (*rule.Rule, error) {
	text, err := readFile(c, file)
	if err != nil {
		return nil, err
	}
	d, err := rule.Parse(text)
	if p, ok := errors.AsType[rule.Problems](err); ok {
		for _, x := range p {
			fmt.Fprintf(c.ErrOrStderr(), "%s:%s\n", file, x)
		}
		return nil, exit{exitProblems, fmt.Errorf("%s is wrong", file)}
	}
	return rule.Compile(d, pipeline.Subscription{ID: pipeline.DeriveID("rule", d.Name), Enabled: true, Document: string(text)}), nil
}

type evalFlags struct{ rule, finding, project string }

func ruleEvalCommand() *cobra.Command {
	var f evalFlags
	c := &cobra.Command{
		Use: "eval --rule FILE --finding FILE", Short: "Say what a subscription does with findings", Args: cobra.NoArgs,
		Long: "Say what a subscription does with findings: one JSON line for each.\n\n" +
			"Findings are as a job sends them: one JSON object, a list of them, or one per line (- reads standard input).\n" +
			"Guards that depend on a project or on what happened before (scope, cooldown, …) are not asked.\n\n" +
			"Exit codes: 0, also when nothing matches; 1 the rule or a finding is wrong; 2 a file cannot be read.",
		RunE: func(c *cobra.Command, _ []string) error { return evalRule(c, &f) },
	}
	c.Flags().StringVar(&f.rule, "rule", "", "file of the subscription")
	c.Flags().StringVar(&f.finding, "finding", "-", "file of the findings")
	c.Flags().StringVar(&f.project, "project", "000000000000000000000000", "id of the project the findings belong to")
	_ = c.MarkFlagRequired("rule")
	return c
}

func evalRule(c *cobra.Command, f *evalFlags) error {
	if f.rule == "-" && f.finding == "-" {
		return errors.New("only one of rule and findings can come from standard input")
	}
	r, err := loadRule(c, f.rule)
	if err != nil {
		return err
	}
	in := c.InOrStdin()
	if f.finding != "-" {
		file, err := os.Open(f.finding)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	out := json.NewEncoder(c.OutOrStdout())
	out.SetEscapeHTML(false)
	wrong := 0
	err = eachFinding(in, func(n int, raw json.RawMessage) error {
		o := normal.Origin{ProjectID: f.project, Source: pipeline.SourceJob, ExecutionID: "eval", At: time.Now()}
		finding, err := normal.Finding(raw, o)
		if err != nil {
			wrong++
			fmt.Fprintf(c.ErrOrStderr(), "finding %d: %s\n", n, err)
			return out.Encode(rule.Evaluation{Subscription: r.Name, Reason: "finding: " + err.Error(), Parameters: map[string]json.RawMessage{}})
		}
		return out.Encode(r.Eval(&finding))
	})
	if err == nil && wrong > 0 {
		err = exit{exitProblems, fmt.Errorf("%d findings are wrong", wrong)}
	}
	return err
}

// eachFinding reads JSON objects one after another, or lists of them.
func eachFinding(in io.Reader, fn func(n int, raw json.RawMessage) error) error {
	d := json.NewDecoder(bufio.NewReader(in))
	for n := 1; ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return exit{exitProblems, fmt.Errorf("the findings are not readable as JSON, after %d of them: %w", n-1, err)}
		}
		list := []json.RawMessage{raw}
		if bytes.HasPrefix(raw, []byte("[")) {
			if err := json.Unmarshal(raw, &list); err != nil {
				return exit{exitProblems, fmt.Errorf("finding %d: %w", n, err)}
			}
		}
		for _, x := range list {
			if err := fn(n, x); err != nil {
				return err
			}
			n++
		}
	}
}

func ruleFormatCommand() *cobra.Command {
	return &cobra.Command{
		Use: "format FILE", Short: "Print a subscription in its canonical form", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := loadRule(c, args[0])
			if err == nil {
				_, err = c.OutOrStdout().Write(rule.Format(r.Document()))
			}
			return err
		},
	}
}

func ruleSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of subscriptions, for editors", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(rule.Schema())
			return err
		},
	}
}
