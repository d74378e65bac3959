package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func sourceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "source", Short: "Keep subscriptions and jobs in git repositories", Args: noArgs,
		Long: "Keep subscriptions and jobs in git repositories: subscriptions/*.yaml, jobs/NAME/template.yaml and what is beside it.\n" +
			"What changes there changes here, and what is removed there is removed here; what you switched on or off stays so.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(sourceList(), sourceAdd(), sourceSet(), sourceSync(), sourceRemove())
	return c
}

// source is one as the API tells it.
type source struct {
	pipeline.GitSource
	Interval int64 `json:"interval"` // seconds
}

func sourcesOf(c *cobra.Command, f *where) (*client.Client, []source, error) {
	cl, err := f.must(c.Context())
	if err != nil {
		return nil, nil, err
	}
	var page pipeline.Page[source]
	err = cl.Do(c.Context(), http.MethodGet, "/sources", nil, &page)
	return cl, page.Items, err
}

// sourceOf finds a source by its id or its address.
func sourceOf(list []source, name string) (source, error) {
	var found []source
	for _, s := range list {
		if s.ID == name {
			return s, nil
		}
		if s.URL == name {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return source{}, fmt.Errorf("there is no source %q: stalker source list shows what there is", name)
	default:
		return source{}, fmt.Errorf("there are %d sources at %s: say which by its id (stalker source list)", len(found), name)
	}
}

// sourceNamed finds the source that a command is about.
func sourceNamed(c *cobra.Command, f *where, name string) (*client.Client, source, error) {
	cl, list, err := sourcesOf(c, f)
	if err != nil {
		return nil, source{}, err
	}
	s, err := sourceOf(list, name)
	return cl, s, err
}

func sourceList() *cobra.Command {
	var f where
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the repositories, and what became of the last time they were read", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, list, err := sourcesOf(c, &f)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c, present(list))
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tREPOSITORY\tBRANCH\tEVERY\tREAD\tCOMMIT\tHAS")
			for i := range list {
				fmt.Fprintln(t, list[i].row())
			}
			return t.Flush()
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func (s *source) row() string {
	branch, every, read := s.Branch, "when asked", "never"
	if branch == "" {
		branch = "(its own)"
	}
	if s.Interval > 0 {
		every = (time.Duration(s.Interval) * time.Second).String()
	}
	if s.SyncedAt != nil {
		read = s.SyncedAt.Local().Format(time.DateTime)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%.10s\t%s", s.ID, scan.Printable(s.URL), scan.Printable(branch), every, read, s.Commit, s.has())
}

// has says in short what came from a source.
func (s *source) has() string {
	text := fmt.Sprintf("%d subscriptions, %d jobs", s.Subscriptions, s.Jobs)
	if n := len(s.Problems); n > 0 {
		text += fmt.Sprintf(", %d problems", n)
	}
	if s.Error != "" {
		text += ", cannot be read: " + scan.Printable(s.Error)
	}
	return text
}

func sourceAdd() *cobra.Command {
	var f where
	var in sourceFlags
	c := &cobra.Command{
		Use: "add URL", Short: "Add a repository and read it", Args: cobra.ExactArgs(1),
		Long: "Add a repository and read it: https, http or ssh (with a deploy key, or the keys of the server's user). Prints what came from it, and every\n" +
			"problem of its files.\n\nExit codes: 0 all of it was taken, 1 it cannot be read or files are wrong.",
		Example: "  stalker source add https://git.example.com/team/rules.git --branch main --every 1h\n" +
			"  ssh-keyscan git.example.com >hosts   # compare with what its operator says\n" +
			"  stalker source add ssh://git@git.example.com/team/rules.git --deploy-key ~/.ssh/rules --known-hosts hosts",
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			var s source
			body, err := in.body(c)
			if err != nil {
				return err
			}
			body["url"] = args[0]
			if err := cl.Create(c.Context(), "/sources", body, &s); err != nil {
				return err
			}
			return s.report(c.OutOrStdout())
		},
	}
	f.flags(c)
	in.flags(c)
	return c
}

func sourceSet() *cobra.Command {
	var f where
	var in sourceFlags
	c := &cobra.Command{
		Use: "set ID|URL", Short: "Change how a repository is read, and read it", Args: cobra.ExactArgs(1),
		Long:    "Change how a repository is read, and read it. What no flag is given for stays as it is; an empty text takes a key or known hosts away.",
		Example: "  stalker source set ssh://git@git.example.com/team/rules.git --deploy-key ~/.ssh/rules --known-hosts hosts",
		RunE: func(c *cobra.Command, args []string) error {
			body, err := in.body(c)
			if err != nil {
				return err
			}
			cl, s, err := sourceNamed(c, &f, args[0])
			if err == nil {
				err = cl.Do(c.Context(), http.MethodPatch, "/sources/"+s.ID, body, &s)
			}
			if err != nil {
				return err
			}
			return s.report(c.OutOrStdout())
		},
	}
	f.flags(c)
	in.flags(c)
	return c
}

// sourceFlags are what may be set of a source.
type sourceFlags struct {
	branch, key, hosts string
	every              time.Duration
}

func (in *sourceFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&in.branch, "branch", "", "branch (default: the repository's own choice)")
	c.Flags().DurationVar(&in.every, "every", time.Hour, "how often it is read; 0 for only when somebody asks")
	c.Flags().StringVar(&in.key, "deploy-key", "", "file with the private key to log in with over ssh (- for standard input)")
	c.Flags().StringVar(&in.hosts, "known-hosts", "", "file with the keys of the ssh server, as ssh-keyscan writes them")
}

// body has what flags were given for.
func (in *sourceFlags) body(c *cobra.Command) (map[string]any, error) {
	out := map[string]any{}
	if c.Flags().Changed("branch") {
		out["branch"] = in.branch
	}
	if c.Flags().Changed("every") {
		out["interval"] = int64(in.every.Seconds())
	}
	for _, x := range []struct{ flag, field, file string }{{"deploy-key", "deployKey", in.key}, {"known-hosts", "knownHosts", in.hosts}} {
		if !c.Flags().Changed(x.flag) {
			continue
		}
		var text []byte
		if x.file != "" {
			var err error
			if text, err = readFile(c, x.file); err != nil {
				return nil, err
			}
		}
		out[x.field] = string(text)
	}
	return out, nil
}

func sourceSync() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "sync ID|URL", Short: "Read a repository now", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, s, err := sourceNamed(c, &f, args[0])
			if err == nil {
				err = cl.Do(c.Context(), http.MethodPost, "/sources/"+s.ID+"/sync", nil, &s)
			}
			if err != nil {
				return err
			}
			return s.report(c.OutOrStdout())
		},
	}
	f.flags(c)
	return c
}

// report prints what became of reading a source.
func (s *source) report(w io.Writer) error {
	for _, p := range s.Problems {
		at := scan.Printable(p.File)
		if p.Line > 0 {
			at += fmt.Sprintf(":%d:%d", p.Line, p.Column)
		}
		if p.Path != "" {
			at += ": " + scan.Printable(p.Path)
		}
		fmt.Fprintf(w, "%s: %s\n", at, scan.Printable(p.Message))
	}
	if s.Error != "" {
		return exit{exitProblems, errors.New("the repository cannot be read, what came from it before stays: " + scan.Printable(s.Error))}
	}
	fmt.Fprintf(w, "%s at %.10s: %d subscriptions, %d jobs\n", s.ID, s.Commit, s.Subscriptions, s.Jobs)
	if n := len(s.Problems); n > 0 {
		return exit{exitProblems, fmt.Errorf("%d problems: these files keep what they held before", n)}
	}
	return nil
}

func sourceRemove() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "remove ID|URL", Short: "Remove a repository and all that came from it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, s, err := sourceNamed(c, &f, args[0])
			if err == nil {
				err = cl.Do(c.Context(), http.MethodDelete, "/sources/"+s.ID, nil, nil)
			}
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "removed, with %d subscriptions and %d jobs\n", s.Subscriptions, s.Jobs)
			}
			return err
		},
	}
	f.flags(c)
	return c
}
