package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/deploy"
	"github.com/stalker-asm/stalker/docs"
)

// example is what a page has somebody type, and what it says comes of it.
type example struct {
	line         int
	command      string
	format, want string // format is json, "" for text, and none when nothing is shown
}

const none = "none"

// examples reads the blocks of a page: each sh block with the block after it.
func examples(page string) (list []example) {
	var block *strings.Builder
	format := ""
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && block == nil:
			block, format = &strings.Builder{}, fence
			if format == "sh" {
				list = append(list, example{line: i + 1, format: none})
			}
		case isFence && format == "sh":
			list[len(list)-1].command, block = block.String(), nil
		case isFence:
			last := &list[len(list)-1]
			last.format, last.want, block = format, block.String(), nil
		case block != nil:
			block.WriteString(line + "\n")
		}
	}
	return list
}

const mark = "\n--- end of a block ---\n"

// TestTheAPIByExample runs docs/11-api-by-example.md from its first to its last
// command, in one shell, against a server that has no jobs and subscriptions but
// those the page makes.
func TestTheAPIByExample(t *testing.T) {
	page, err := fs.ReadFile(docs.FS(), "11-api-by-example.md")
	if err != nil {
		t.Fatal(err)
	}
	list := examples(string(page))
	if len(list) < 15 {
		t.Fatalf("%d examples were found", len(list))
	}
	c := bare(t, nil)
	said := shell(t, list, "STALKER_SERVER="+c.url, "STALKER_TOKEN="+c.token)
	for i, x := range list {
		if i >= len(said) {
			t.Fatalf("line %d: the shell ended before this", x.line)
		}
		switch x.format {
		case none:
		case "json":
			compareJSON(t, x, said[i])
		default:
			if diff := cmp.Diff(strings.TrimSpace(x.want), strings.TrimSpace(said[i])); diff != "" {
				t.Errorf("line %d: (-page +server)\n%s", x.line, diff)
			}
		}
	}
}

// bare is a server with the SDK and nothing else.
func bare(t *testing.T, change func(*app.Config)) *client {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen, cfg.Bus.Partitions = t.TempDir(), "127.0.0.1:0", 2
	if change != nil {
		change(&cfg)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	empty := fstest.MapFS{"jobs/.keep": {}, "subscriptions/.keep": {}}
	a, err := app.New(t.Context(), app.Options{Config: cfg, Catalogue: empty, SDK: deploy.SDK(), Version: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	return connect(t, a.URL(), a.Token())
}

// shell runs the commands one after the other and returns what each printed.
func shell(t *testing.T, list []example, env ...string) []string {
	t.Helper()
	var script strings.Builder
	script.WriteString("set -u\n")
	for _, x := range list {
		script.WriteString(x.command + "printf '" + strings.ReplaceAll(mark, "\n", `\n`) + "'\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 10 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("the shell: %v\n%s", err, errs.String())
	}
	said := strings.Split(out.String(), mark)
	return said[:len(said)-1]
}

// compareJSON holds what the page shows against what came, document by document.
func compareJSON(t *testing.T, x example, said string) {
	t.Helper()
	want, got := documents(t, x, x.want), documents(t, x, said)
	if len(want) != len(got) {
		t.Errorf("line %d: %d answers are shown, %d came:\n%s", x.line, len(want), len(got), said)
		return
	}
	for i := range want {
		if place := differs("", want[i], got[i]); place != "" {
			t.Errorf("line %d: %s\nthe server said %s", x.line, place, said)
		}
	}
}

func documents(t *testing.T, x example, text string) (list []any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Errorf("line %d: %v in %s", x.line, err, text)
			return list
		}
		list = append(list, v)
	}
}

// changing is what is another each time: ids and times.
var changing = regexp.MustCompile(`^([0-9a-f]{24}|[0-9a-f]{32}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)$`)

// differs says where got does not have what is wanted; properties nobody asks for may
// be there too.
func differs(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, not an object", at, got)
		}
		for k := range w {
			if _, ok := g[k]; !ok {
				return fmt.Sprintf("%s.%s is missing", at, k)
			}
			if place := differs(at+"."+k, w[k], g[k]); place != "" {
				return place
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s is %v, shown is %v", at, got, want)
		}
		for i := range w {
			if place := differs(fmt.Sprintf("%s[%d]", at, i), w[i], g[i]); place != "" {
				return place
			}
		}
		return ""
	case string:
		g, ok := got.(string)
		if m := changing.FindString(w); m != "" && ok && changing.MatchString(g) && (strings.Contains(m, "T") == strings.Contains(g, "T")) {
			return ""
		}
	}
	if want != got {
		return fmt.Sprintf("%s is %v, shown is %v", at, got, want)
	}
	return ""
}
