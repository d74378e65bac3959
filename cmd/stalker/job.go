package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func jobCommand() *cobra.Command {
	c := &cobra.Command{Use: "job", Short: "List, write and run jobs", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(jobList(), jobShow(), jobNew(), jobApply(), jobRun(), jobRevert())
	return c
}

// jobView is a job as the API writes it: its deadline in words.
type jobView struct {
	pipeline.Job
	Deadline string `json:"deadline,omitempty"`
}

func jobs(ctx context.Context, cl *client.Client) ([]jobView, error) {
	var all pipeline.Page[jobView]
	err := cl.Do(ctx, http.MethodGet, "/jobs", nil, &all)
	return all.Items, err
}

// jobOf finds a job by its name or id.
func jobOf(ctx context.Context, cl *client.Client, name string) (jobView, error) {
	list, err := jobs(ctx, cl)
	if err != nil {
		return jobView{}, err
	}
	var near []string
	for _, j := range list {
		if j.Name == name || j.ID == name {
			return j, nil
		}
		if strings.Contains(strings.ToLower(j.Name), strings.ToLower(name)) {
			near = append(near, j.Name)
		}
	}
	if len(near) > 0 {
		return jobView{}, fmt.Errorf("no job is named %q; did you mean %s?", name, strings.Join(near, " or "))
	}
	return jobView{}, fmt.Errorf("no job is named %q: stalker job list shows what there is", name)
}

func jobList() *cobra.Command {
	var f where
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List jobs", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			list, err := jobs(c.Context(), cl)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c, list)
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "NAME\tTYPE\tPARAMETERS\tSUMMARY")
			for _, j := range list {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", scan.Printable(j.Name), j.Type, strings.Join(parameterNames(j.Parameters), ", "), scan.Printable(firstSentence(j.Summary)))
			}
			return t.Flush()
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// parameterNames marks what is required.
func parameterNames(ps []pipeline.Parameter) []string {
	out := make([]string, 0, len(ps))
	for i, p := range ps {
		if i == 4 {
			return append(out, "…")
		}
		name := p.Name
		if p.Required && p.Default == nil {
			name += "*"
		}
		out = append(out, name)
	}
	return out
}

func firstSentence(s string) string {
	first, _, _ := strings.Cut(s, ". ")
	return strings.TrimSuffix(first, ".")
}

func writeJSON(c *cobra.Command, v any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func jobShow() *cobra.Command {
	var f where
	var asJSON, code bool
	c := &cobra.Command{
		Use: "show NAME", Short: "Show a job, its parameters and its code", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			j, err := jobOf(c.Context(), cl, args[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return writeJSON(c, j)
			case code:
				fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(j.Code, "\n"))
				return nil
			}
			return showJob(c, &j)
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	c.Flags().BoolVar(&code, "code", false, "print the code alone")
	return c
}

func showJob(c *cobra.Command, j *jobView) error {
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, scan.Printable(j.Name))
	if j.Summary != "" {
		fmt.Fprintf(t, "%s\n", scan.Printable(j.Summary))
	}
	kind := string(j.Type)
	if j.BuiltIn {
		kind += ", built in"
	}
	fmt.Fprintf(t, "\ntype\t%s\n", kind)
	for _, row := range [][2]string{{"image", j.Image}, {"size", j.PodSize}, {"deadline", j.Deadline}, {"category", j.Category}} {
		if row[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", row[0], scan.Printable(row[1]))
		}
	}
	if len(j.Parameters) > 0 {
		fmt.Fprint(t, "\nPARAMETER\tTYPE\tDEFAULT\t\n")
	}
	for _, p := range j.Parameters {
		shown := "-"
		switch b, err := json.Marshal(p.Default); {
		case p.Secret:
			shown = "a secret"
		case p.Default != nil && err == nil:
			shown = string(b)
		case p.Required:
			shown = "required"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Name, p.Type, scan.Printable(shown), scan.Printable(p.Summary))
	}
	return t.Flush()
}

func jobApply() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "apply FOLDER…", Short: "Create or change jobs from folders with template.yaml and main.py", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			for _, dir := range args {
				j, did, err := applyJob(c.Context(), cl, dir)
				if err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", j.Name, did)
			}
			return nil
		},
	}
	f.flags(c)
	return c
}

// isFolder reports whether a job is named by the folder it is written in.
func isFolder(name string) bool {
	_, err := os.Stat(filepath.Join(name, "template.yaml"))
	return err == nil
}

// applyJob makes the server's job what a folder says.
func applyJob(ctx context.Context, cl *client.Client, dir string) (j jobView, did string, err error) {
	folder, err := control.ReadJob(os.DirFS(dir))
	if err != nil {
		return j, "", fmt.Errorf("%s: %w", dir, err)
	}
	in := map[string]any{
		"name": folder.Name, "summary": folder.Summary, "type": folder.Type, "language": folder.Language, "code": folder.Code, "handler": folder.Handler,
		"image": folder.Image, "rawSockets": folder.RawSockets, "podSize": folder.PodSize, "category": folder.Category,
		"command": present(folder.Command), "parameters": present(folder.Parameters), "deadline": "",
	}
	if folder.Deadline > 0 {
		in["deadline"] = folder.Deadline.String()
	}
	list, err := jobs(ctx, cl)
	if err != nil {
		return j, "", err
	}
	for _, was := range list {
		if was.Name == folder.Name {
			err = cl.Do(ctx, http.MethodPatch, "/jobs/"+was.ID, in, &j)
			return j, "changed", err
		}
	}
	err = cl.Create(ctx, "/jobs", in, &j)
	return j, "created", err
}

func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
