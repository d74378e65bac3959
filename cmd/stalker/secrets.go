package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/seal"
)

func secretsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "secrets", Short: "Store values that only jobs get to see", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(secretsList(), secretsSet(), secretsDelete(), secretsRotate(), secretsKey())
	return c
}

// secretsOf returns the secrets that a project can name, and the project's id.
func secretsOf(c *cobra.Command, f *where, project string) (*client.Client, string, []pipeline.Secret, error) {
	cl, err := f.must(c.Context())
	if err != nil {
		return nil, "", nil, err
	}
	id, err := projectID(c.Context(), cl, project)
	if err != nil {
		return nil, "", nil, err
	}
	path := "/secrets"
	if id != "" {
		path += "?project=" + id
	}
	var page pipeline.Page[pipeline.Secret]
	err = cl.Do(c.Context(), http.MethodGet, path, nil, &page)
	return cl, id, page.Items, err
}

func secretsList() *cobra.Command {
	var f where
	var project string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the names of secrets", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, _, list, err := secretsOf(c, &f, project)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c, present(list))
			}
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "NAME\tPROJECT\tCHANGED\tSUMMARY")
			for _, s := range list {
				owner := s.ProjectID
				if owner == "" {
					owner = "every"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", scan.Printable(s.Name), owner, s.UpdatedAt.Local().Format(time.DateTime), scan.Printable(s.Summary))
			}
			return t.Flush()
		},
	}
	f.flags(c)
	c.Flags().StringVar(&project, "project", "", "only those that executions of this project can name")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func secretsSet() *cobra.Command {
	var f where
	var project, summary, file string
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Store a value, read from standard input or a file",
		Long: "Store a value under a name, or change it. The value is read from standard input, without the line's end, or from a file, as it is:\n" +
			"on the command line it would be in the shell's history. Jobs get it where a parameter's value is ${secrets.NAME}.",
		Example: "  printf %s \"$SHODAN_KEY\" | stalker secrets set shodan --project Acme",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			value, err := readValue(c.InOrStdin(), file)
			if err != nil {
				return err
			}
			cl, id, list, err := secretsOf(c, &f, project)
			if err != nil {
				return err
			}
			for _, s := range list {
				if s.Name == args[0] && s.ProjectID == id {
					in := map[string]any{"value": value}
					if c.Flags().Changed("summary") {
						in["summary"] = summary
					}
					return cl.Do(c.Context(), http.MethodPatch, "/secrets/"+s.ID, in, nil)
				}
			}
			in := map[string]any{"name": args[0], "value": value, "summary": summary}
			if id != "" {
				in["projectId"] = id
			}
			return cl.Create(c.Context(), "/secrets", in, nil)
		},
	}
	f.flags(c)
	c.Flags().StringVar(&project, "project", "", "whose secret it is (default: every project that has none of the name)")
	c.Flags().StringVar(&summary, "summary", "", "what it is for")
	c.Flags().StringVar(&file, "file", "", "file to read the value from")
	return c
}

func readValue(in io.Reader, file string) (string, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		return string(b), err
	}
	b, err := io.ReadAll(io.LimitReader(bufio.NewReader(in), pipeline.MaxSecret+2))
	value := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if err == nil && value == "" {
		err = errors.New("the value is empty: give it on standard input, or with --file")
	}
	return value, err
}

func secretsDelete() *cobra.Command {
	var f where
	var project string
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a secret", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, id, list, err := secretsOf(c, &f, project)
			if err != nil {
				return err
			}
			for _, s := range list {
				if s.Name == args[0] && s.ProjectID == id {
					return cl.Do(c.Context(), http.MethodDelete, "/secrets/"+s.ID, nil, nil)
				}
			}
			return fmt.Errorf("there is no secret %q: stalker secrets list shows what there is", args[0])
		},
	}
	f.flags(c)
	c.Flags().StringVar(&project, "project", "", "whose secret it is (default: the one of every project)")
	return c
}

func secretsRotate() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "rotate", Short: "Encrypt every secret again, for a new key", Args: noArgs,
		Long: "Encrypt every secret again, for the newest key. An embedded server makes that key itself and forgets the old one. Elsewhere put a new\n" +
			"key (stalker secrets key) above the old one, restart the servers, run this, and remove the old one.",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			var out struct{ Secrets int }
			if err := cl.Do(c.Context(), http.MethodPost, "/secrets/rotate", nil, &out); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%d secrets are encrypted for the newest key\n", out.Secrets)
			return nil
		},
	}
	f.flags(c)
	return c
}

func secretsKey() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Make a key for secrets.key or secrets.keyFile", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			text, err := seal.Generate()
			if err != nil {
				return err
			}
			k, err := seal.Parse(text)
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "# public half, for secrets.recipient: %s\n%s\n", k.Recipient(), text)
			}
			return err
		},
	}
}
