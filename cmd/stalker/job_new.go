package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/deploy"
)

func jobNew() *cobra.Command {
	var template, dir string
	var list bool
	c := &cobra.Command{
		Use: "new NAME", Short: "Write a folder for a job of your own, to begin with",
		Long: "Writes template.yaml and the code of a template into a folder, ready for stalker job run and stalker job apply. --list shows the templates.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case list:
				return listTemplates(c)
			case len(args) == 0:
				return errors.New("give the job a name: stalker job new ServerHeaderJob; --list shows the templates")
			}
			if dir == "" {
				dir = args[0]
			}
			if err := newJob(template, args[0], dir); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is in %s. Run it: stalker job run %s\n", args[0], dir, runnable(dir))
			return nil
		},
	}
	c.Flags().StringVar(&template, "template", "hello-world", "what to begin with")
	c.Flags().StringVar(&dir, "dir", "", "the folder (default: of the job's name)")
	c.Flags().BoolVar(&list, "list", false, "show the templates")
	return c
}

// runnable is a folder as job run takes it for one.
func runnable(dir string) string {
	if filepath.IsAbs(dir) {
		return dir
	}
	return "./" + filepath.ToSlash(filepath.Clean(dir))
}

// templateNames are the folders there are, sorted.
func templateNames() ([]string, error) {
	entries, err := fs.ReadDir(deploy.Templates(), ".")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func listTemplates(c *cobra.Command) error {
	names, err := templateNames()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "TEMPLATE\tTYPE\tPARAMETERS\tSUMMARY")
	for _, name := range names {
		root, err := fs.Sub(deploy.Templates(), name)
		if err != nil {
			return err
		}
		j, err := control.ReadJob(root)
		if err != nil {
			return fmt.Errorf("template %s: %w", name, err)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, j.Type, strings.Join(parameterNames(j.Parameters), ", "), firstSentence(j.Summary))
	}
	return t.Flush()
}

// nameLine is where a template says its name.
var nameLine = regexp.MustCompile(`(?m)^name: .*$`)

// quoted is a text as YAML takes it.
func quoted(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// newJob writes a template's files into a new folder, under the job's name.
func newJob(template, name, dir string) error {
	names, err := templateNames()
	if err != nil {
		return err
	}
	root, err := fs.Sub(deploy.Templates(), template)
	if err == nil {
		_, err = fs.Stat(root, "template.yaml")
	}
	if err != nil {
		return fmt.Errorf("there is no template %q: there are %s", template, strings.Join(names, ", "))
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already: choose another folder with --dir", dir)
		}
		return fmt.Errorf("making the folder: %w", err)
	}
	return fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		if p == "template.yaml" {
			text = nameLine.ReplaceAllLiteral(text, []byte("name: "+quoted(name)))
		}
		return os.WriteFile(filepath.Join(dir, p), text, 0o600)
	})
}
