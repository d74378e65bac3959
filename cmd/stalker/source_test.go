package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

// gitCommit makes files a commit of a repository in a folder; "" removes one.
func gitCommit(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if text == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "x"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
}

// A repository is added, read again and removed from the command line.
func TestSourcesFromTheCommandLine(t *testing.T) {
	data, repo := t.TempDir(), t.TempDir()
	gitCommit(t, repo, map[string]string{"subscriptions/a.yaml": banner, "subscriptions/b.yaml": strings.Replace(banner, "60", "-1", 1)})
	serving(t, data, "STALKER_CFG_SOURCES__ALLOWPRIVATE=true")
	try := func(wantCode int, want string, args ...string) string {
		t.Helper()
		out, errs, code := short(t, append(append([]string{"source"}, args...), "--data", data)...)
		if code != wantCode || !strings.Contains(out+errs, want) {
			t.Errorf("source %v: exit code %d, want %d with %q:\n%s%s", args, code, wantCode, want, out, errs)
		}
		return out
	}
	url := "file://" + repo
	added := try(1, "subscriptions/b.yaml:3:11: cooldown: a whole number of seconds", "add", url, "--branch", "main", "--every", "0")
	if !strings.Contains(added, ": 1 subscriptions, 0 jobs") {
		t.Errorf("add says:\n%s", added)
	}
	try(0, "1 subscriptions, 0 jobs, 1 problems", "list")
	gitCommit(t, repo, map[string]string{"subscriptions/a.yaml": "", "subscriptions/b.yaml": banner})
	synced := try(0, ": 1 subscriptions, 0 jobs", "sync", url)
	id, _, _ := strings.Cut(synced, " ")
	if !pipeline.IsID(id) {
		t.Errorf("sync says:\n%s", synced)
	}
	for _, tc := range []struct {
		code int
		args []string
		want string
	}{
		{0, []string{"rule", "revert", "Banner"}, "Banner was as its source has it already"},
		{0, []string{"job", "revert", "BannerGrabbingJob"}, "BannerGrabbingJob was as its source has it already"},
		{2, []string{"rule", "revert", "nothing"}, `no subscription is named "nothing"`},
	} {
		if out, errs, code := short(t, append(tc.args, "--data", data)...); code != tc.code || !strings.Contains(out+errs, tc.want) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", tc.args, code, tc.code, tc.want, out, errs)
		}
	}
	try(2, `there is no source "nothing"`, "sync", "nothing")
	try(0, "removed, with 1 subscriptions and 0 jobs", "remove", id)
	if out := try(0, "REPOSITORY", "list"); strings.Contains(out, repo) {
		t.Errorf("list says:\n%s", out)
	}
	try(2, "url: ", "add", "ext::sh -c id")
	try(2, "deployKey: is no private key", "add", "ssh://git@127.0.0.1:1/x.git", "--deploy-key", file(t, "key", "no key"))
	hosts := file(t, "hosts", "127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMdB+rFrMdB+rFrMdB+rFrMdB+rFrMdB+rFrMdB+rFrM\n")
	try(1, "the repository cannot be read", "add", "ssh://git@127.0.0.1:1/x.git", "--known-hosts", hosts)
	try(2, "knownHosts: line 1 is not understood", "set", "ssh://git@127.0.0.1:1/x.git", "--known-hosts", file(t, "hosts", "127.0.0.1\n"))
	try(1, "the repository cannot be read", "set", "ssh://git@127.0.0.1:1/x.git", "--known-hosts", "")
}
