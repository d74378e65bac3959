// Command images checks what no test here can build, for want of a registry of
// images: that the builder and compose themselves read deploy/images and
// deploy/compose without complaint, that what is copied is there and not left out,
// that versions are pinned, and that nothing runs as root or listens on the network.
//
//	images TOP
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func main() {
	c := &checker{top: os.Args[1]}
	files, err := filepath.Glob(filepath.Join(c.top, "deploy/images/*.Dockerfile"))
	if err != nil || len(files) < 5 {
		c.problem("", "only %d Dockerfiles: %v", len(files), err)
	}
	for _, f := range files {
		c.dockerfile(f)
	}
	c.compose(filepath.Join(c.top, "deploy/compose/compose.yaml"))
	for _, p := range c.problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(c.problems) > 0 {
		os.Exit(1)
	}
	fmt.Printf("images: %d Dockerfiles with %d copies and %d commands, %d services: all fine\n", len(files), c.copies, c.commands, c.services)
}

type checker struct {
	top                        string
	copies, commands, services int
	problems                   []string
}

func (c *checker) problem(file, format string, args ...any) {
	if rel, err := filepath.Rel(c.top, file); err == nil {
		file = rel
	}
	c.problems = append(c.problems, file+": "+fmt.Sprintf(format, args...))
}

// usage is the line of each Dockerfile that says how it is built, and so from where.
var usage = regexp.MustCompile(`(?m)^#\s+docker build -f (\S+) .*?(\S+)$`)

func (c *checker) dockerfile(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		c.problem(file, "%v", err)
		return
	}
	m := usage.FindSubmatch(text)
	if m == nil || string(m[1]) != "deploy/images/"+filepath.Base(file) {
		c.problem(file, "no comment says how it is built: docker build -f deploy/images/%s -t NAME CONTEXT", filepath.Base(file))
		return
	}
	root := filepath.Join(c.top, string(m[2]))
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		c.problem(file, "%v", err)
		return
	}
	for _, w := range tree.Warnings {
		c.problem(file, "%s", w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) {
		c.problem(file, "line %d: %s: %s", at[0].Start.Line, rule, message)
	}})
	stages, _, err := instructions.Parse(tree.AST, lint)
	if err != nil {
		c.problem(file, "%v", err)
		return
	}
	known, ignored := []string{}, c.ignored(file)
	for _, s := range stages {
		if !slices.Contains(known, s.BaseName) {
			c.pinned(file, s.BaseName)
		}
		for _, command := range s.Commands {
			c.command(file, root, command, known, ignored)
		}
		known = append(known, s.Name)
	}
	c.last(file, stages[len(stages)-1])
}

func (c *checker) ignored(file string) *patternmatcher.PatternMatcher {
	var patterns []string
	if f, err := os.Open(file + ".dockerignore"); err == nil {
		defer f.Close()
		if patterns, err = ignorefile.ReadAll(f); err != nil {
			c.problem(file, "%v", err)
		}
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		c.problem(file, "%v", err)
	}
	return m
}

func (c *checker) command(file, root string, command instructions.Command, known []string, ignored *patternmatcher.PatternMatcher) {
	switch x := command.(type) {
	case *instructions.CopyCommand:
		c.copies++
		if x.From != "" {
			if !slices.Contains(known, x.From) {
				c.problem(file, "line %d: no stage %s before it", x.Location()[0].Start.Line, x.From)
			}
			return
		}
		for _, source := range x.SourcePaths {
			c.source(file, root, source, ignored)
		}
	case *instructions.RunCommand:
		c.commands++
		c.run(file, strings.Join(x.CmdLine, " "))
	}
}

// source is one that is copied from the context: git has to know it, or a fresh clone
// would lack it.
func (c *checker) source(file, root, source string, ignored *patternmatcher.PatternMatcher) {
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--", source)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		c.problem(file, "copies %s, which git does not know in %s (%v)", source, root, err)
		return
	}
	left := 0
	for f := range strings.Lines(string(out)) {
		if out, err := ignored.MatchesOrParentMatches(strings.TrimSpace(f)); err == nil && !out {
			left++
		}
	}
	if left == 0 {
		c.problem(file, "copies %s, all of which its .dockerignore leaves out", source)
	}
}

var (
	remote = regexp.MustCompile(`\b(?:go install|go run) (\S+\.\S+/\S+)`)
	exact  = regexp.MustCompile(`@v\d+\.\d+\.\d+\S*$`)
)

// run looks at the text of a command: that a shell can read it, and what it brings.
func (c *checker) run(file, line string) {
	if out, err := exec.Command("sh", "-n", "-c", line).CombinedOutput(); err != nil {
		c.problem(file, "%q: %s", line, out)
	}
	for _, m := range remote.FindAllStringSubmatch(line, -1) {
		if !exact.MatchString(m[1]) {
			c.problem(file, "%s is no exact version", m[1])
		}
	}
	if strings.Contains(line, "apt-get install") && !(strings.Contains(line, "--no-install-recommends") && strings.Contains(line, "rm -rf /var/lib/apt/lists")) {
		c.problem(file, "%q leaves more behind than it installs", line)
	}
}

// last is the stage that becomes the image.
func (c *checker) last(file string, s instructions.Stage) {
	user, entry := "", false
	for _, command := range s.Commands {
		switch x := command.(type) {
		case *instructions.UserCommand:
			user = x.User
		case *instructions.EntrypointCommand:
			entry = !x.PrependShell
		}
	}
	if user != "65532:65532" {
		c.problem(file, "runs as %q and not as 65532:65532, which the chart asks for", user)
	}
	if !entry {
		c.problem(file, "has no entry point of its own without a shell: signals would not arrive")
	}
}

var version = regexp.MustCompile(`^[^:@]+(:[^:@]*(\d|nonroot)[^:@]*)(@sha256:[0-9a-f]{64})?$`)

func (c *checker) pinned(file, image string) {
	if !version.MatchString(image) {
		c.problem(file, "image %s has no version", image)
	}
}

// compose reads the file as docker compose does, with and without its profiles.
func (c *checker) compose(file string) {
	for _, profiles := range [][]string{nil, {"demo"}} {
		o, err := cli.NewProjectOptions([]string{file}, cli.WithProfiles(profiles), cli.WithName("check"))
		if err != nil {
			c.problem(file, "%v", err)
			return
		}
		p, err := o.LoadProject(context.Background())
		if err != nil {
			c.problem(file, "profiles %v: %v", profiles, err)
			return
		}
		c.services = len(p.Services)
		for name, s := range p.Services {
			c.service(file, name, s)
		}
	}
}

func (c *checker) service(file, name string, s types.ServiceConfig) {
	if s.Build == nil {
		c.pinned(file, s.Image)
	} else if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
		c.problem(file, "%s: %v", name, err)
	}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind {
			if _, err := os.Stat(v.Source); err != nil {
				c.problem(file, "%s: %v", name, err)
			}
		}
	}
	for _, p := range s.Ports {
		if ip := net.ParseIP(p.HostIP); ip == nil || !ip.IsLoopback() {
			c.problem(file, "%s: port %s is not on loopback", name, p.Published)
		}
	}
}
