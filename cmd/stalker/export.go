package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/export"
	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/pipeline"
)

// exportKinds are what can be exported, as the API's paths call them.
var exportKinds = []string{"domains", "hosts", "ip-ranges", "ports", "websites", "findings", "executions"}

// projectID finds a project by its id or name; "" stays.
func projectID(ctx context.Context, cl *client.Client, name string) (string, error) {
	if name == "" || pipeline.IsID(name) {
		return name, nil
	}
	var all pipeline.Page[pipeline.Project]
	if err := cl.Do(ctx, http.MethodGet, "/projects", nil, &all); err != nil {
		return "", err
	}
	known := []string{}
	for _, p := range all.Items {
		if strings.EqualFold(p.Name, name) {
			return p.ID, nil
		}
		known = append(known, p.Name)
	}
	return "", fmt.Errorf("there is no project %q; there are: %s", name, strings.Join(known, ", "))
}

func exportCommand() *cobra.Command {
	var r where
	var query, format, project, sort, fields, file string
	c := &cobra.Command{
		Use:   "export KIND",
		Short: "Write a filtered list as CSV, JSON, JSON Lines, Parquet or targets",
		Long: "Write a filtered list to a file or to standard output, while it is read: it may be of any length.\n\nKinds: " +
			strings.Join(exportKinds, ", ") + "\nThe filter language is described in docs/15-search.md.",
		Example: "  stalker export websites --q 'status:200 -tag:done' --format targets | nuclei -l -\n" +
			"  stalker export ports --q 'port:22 lastSeen:<7d' --format parquet -o ssh.parquet",
		Args: cobra.ExactArgs(1), ValidArgs: exportKinds,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(exportKinds, args[0]) {
				return fmt.Errorf("%q is none of %s", args[0], strings.Join(exportKinds, ", "))
			}
			cl, err := r.must(c.Context())
			if err != nil {
				return err
			}
			id, err := projectID(c.Context(), cl, project)
			if err != nil {
				return err
			}
			v := url.Values{}
			for key, value := range map[string]string{"q": query, "format": format, "project": id, "sort": sort, "fields": fields} {
				if value != "" {
					v.Set(key, value)
				}
			}
			body, err := cl.Stream(c.Context(), http.MethodGet, "/"+args[0]+"/export?"+v.Encode(), "", nil)
			if err != nil {
				return err
			}
			defer body.Close()
			return save(body, file, c.OutOrStdout())
		},
	}
	r.flags(c)
	c.Flags().StringVar(&query, "q", "", "filter, as in the lists of the web interface")
	c.Flags().StringVar(&format, "format", string(export.CSV), "csv, json, jsonl, parquet or targets")
	c.Flags().StringVar(&project, "project", "", "name or id of a project (default: all that may be seen)")
	c.Flags().StringVar(&sort, "sort", "", "a term to sort by, with - before it for the other direction")
	c.Flags().StringVar(&fields, "fields", "", "columns, separated by commas (default: all)")
	c.Flags().StringVarP(&file, "output", "o", "", "file to write (default: standard output)")
	return c
}

// save copies a body to a file, or to standard output. A file that is not whole is
// removed.
func save(body io.Reader, file string, out io.Writer) error {
	if file == "" || file == "-" {
		_, err := io.Copy(out, body)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("the export broke off: %w", err), os.Remove(file))
	}
	return nil
}
