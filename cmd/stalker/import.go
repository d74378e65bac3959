package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/importer"
	"github.com/stalker-asm/stalker/cmd/internal/client"
)

// importReport is the API's answer.
type importReport struct {
	File      string `json:"file"`
	Format    string `json:"format"`
	Lines     int    `json:"lines"`
	Findings  int    `json:"findings"`
	New       int    `json:"new"`
	Known     int    `json:"known"`
	Rejected  int    `json:"rejected"`
	Unplaced  int    `json:"unplaced"`
	Truncated bool   `json:"truncated"`
	Visible   bool   `json:"visible"`
	Problems  []struct {
		Line    int    `json:"line"`
		Message string `json:"message"`
	} `json:"problems"`
}

func importCommand() *cobra.Command {
	var r where
	var project, format string
	var dry, asJSON bool
	c := &cobra.Command{
		Use:   "import FILE…",
		Short: "Take what other tools found: nmap, masscan, nuclei, httpx, subfinder, naabu, katana, plain lists",
		Long: "Take what other tools found into a project. Files may be compressed with gzip and of any length up to 1 GiB; - is standard input.\n" +
			"What kind of file it is, is found out. Importing the same file again changes nothing.",
		Example: "  nmap -sV -oX - 192.0.2.0/24 | stalker import --project Acme -\n" +
			"  stalker import --project Acme masscan.json httpx.jsonl.gz targets.txt",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := r.must(c.Context())
			if err == nil && project == "" {
				err = errors.New("--project: name the project that the files are about")
			}
			var id string
			if err == nil {
				id, err = projectID(c.Context(), cl, project)
			}
			if err != nil {
				return err
			}
			path := "/projects/" + id + "/imports?" + url.Values{"format": {format}, "dryRun": {fmt.Sprint(dry)}}.Encode()
			if format == "" {
				path = "/projects/" + id + "/imports?dryRun=" + fmt.Sprint(dry)
			}
			var errs []error
			for _, file := range args {
				report, err := importOne(c, cl, path, file)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", file, err))
					continue
				}
				if asJSON {
					err = json.NewEncoder(c.OutOrStdout()).Encode(report)
				} else {
					err = report.show(c.OutOrStdout(), dry)
				}
				if errs = append(errs, err); report.Rejected > 0 && report.New+report.Known == 0 {
					errs = append(errs, fmt.Errorf("%s: nothing in it could be taken", file))
				}
			}
			return errors.Join(errs...)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&project, "project", "", "name or id of the project")
	c.Flags().StringVar(&format, "format", "", "whose file it is, when that is not found out right: "+formats())
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would be taken, and take nothing")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per file")
	return c
}

func formats() string {
	var names []string
	for _, f := range importer.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// importOne sends one file.
func importOne(c *cobra.Command, cl *client.Client, path, file string) (report importReport, err error) {
	in := c.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return report, err
		}
		defer f.Close()
		in = f
	}
	body, err := cl.Stream(c.Context(), http.MethodPost, path, "application/octet-stream", in)
	if err != nil {
		return report, err
	}
	defer body.Close()
	report.File = file
	return report, json.NewDecoder(body).Decode(&report)
}

// show tells people what became of a file.
func (r *importReport) show(w io.Writer, dry bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d lines: %d findings, %d new", r.File, r.Format, r.Lines, r.Findings, r.New)
	if dry {
		b.WriteString(" (nothing was taken: --dry-run)")
	}
	b.WriteString("\n")
	if r.Known > 0 {
		fmt.Fprintf(&b, "  %d were known already\n", r.Known)
	}
	if r.Truncated {
		b.WriteString("  the file breaks off; what stands before the end was taken\n")
	}
	if r.Unplaced > 0 {
		fmt.Fprintf(&b, "  %d are about websites of names with no known address: import the file again once they resolve\n", r.Unplaced)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "  line %d: %s\n", p.Line, p.Message)
	}
	if n := r.Rejected - len(r.Problems); n > 0 {
		fmt.Fprintf(&b, "  and %d more that could not be taken\n", n)
	}
	if !r.Visible {
		b.WriteString("  it shows in the lists soon\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
