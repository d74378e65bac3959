package local_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/sinks/launcher/local"
)

func TestThePreparationTellsOfAnInterpreterThatCannotServe(t *testing.T) {
	dir := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for python, want := range map[string]string{
		"python3":                              "",
		filepath.Join(dir, "absent"):           "absent is not installed",
		script("old", "echo 3.9.2 False\n"):    "old is version 3.9.2",
		script("broken", "exit 1\n"):           "broken does not run: exit status 1",
		script("new", "echo 3.14.0rc1 True\n"): "",
	} {
		var said bytes.Buffer
		cfg := local.DefaultConfig()
		cfg.Python = python
		r, err := local.New(cfg, local.Deps{Dir: t.TempDir(), SDK: sdk, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Prepare(); err != nil {
			t.Errorf("%s: Prepare() = %v, a server runs without an interpreter", python, err)
		}
		if !strings.Contains(said.String(), want) || want == "" && said.Len() > 0 {
			t.Errorf("%s: said %q, want %q", python, said.String(), want)
		}
	}
}
