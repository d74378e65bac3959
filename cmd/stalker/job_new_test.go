package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/deploy"
)

func TestEveryTemplateIsAJob(t *testing.T) {
	names, err := templateNames()
	if err != nil || len(names) < 4 {
		t.Fatalf("%v, %v", names, err)
	}
	out, errs, code := short(t, "job", "new", "--list")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	for _, name := range names {
		dir := filepath.Join(t.TempDir(), "mine")
		if err := newJob(name, "My: own job", dir); err != nil {
			t.Fatal(err)
		}
		j, err := control.ReadJob(os.DirFS(dir))
		if err != nil || j.Name != "My: own job" || j.Summary == "" {
			t.Errorf("%s: %+v, %v", name, j, err)
		}
		if !strings.Contains(out, name) || !strings.Contains(out, firstSentence(j.Summary)) {
			t.Errorf("the list does not tell of %s:\n%s", name, out)
		}
	}
	if _, err := fs.Stat(deploy.Templates(), "hello-world/main.py"); err != nil {
		t.Error(err)
	}
}

func TestANewJobRunsAsItIs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	dir := t.TempDir()
	at := func(args ...string) (string, string, int) {
		cmd := program(ctx, t, args...)
		cmd.Dir = dir
		return call(t, cmd)
	}
	out, errs, code := at("job", "new", "GreetJob")
	if code != 0 || !strings.Contains(out, "stalker job run ./GreetJob") {
		t.Fatalf("exit code %d\n%s\n%s", code, out, errs)
	}
	out, errs, code = at("job", "run", "./GreetJob", "-p", "greeting=Salü")
	if code != 0 || !strings.Contains(out, "Salü, world!") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
}

func TestANewJobOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"is there already":  {"job", "new", "X", "--dir", dir},
		"there is no templ": {"job", "new", "X", "--template", "nope", "--dir", filepath.Join(dir, "a")},
		"../sneaky":         {"job", "new", "X", "--template", "../sneaky", "--dir", filepath.Join(dir, "b")},
		"give the job a na": {"job", "new"},
	} {
		if out, errs, code := short(t, args...); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d\n%s\n%s", args, code, out, errs)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files were written: %v", left)
	}
}
