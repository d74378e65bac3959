package gitsource

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

func fetcher(t *testing.T, change func(*Config)) *Fetcher {
	t.Helper()
	cfg := DefaultConfig()
	change(&cfg)
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func private(c *Config) { c.AllowPrivate = true }

// repository makes one with files and returns its folder.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "init", "-q", "-b", "main")
	commit(t, dir, files)
	return dir
}

func commit(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, link := strings.CutPrefix(text, "-> "); link {
			if err := os.Symlink(target, file); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "add", "-A")
	run(t, dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", "x")
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v %s", args, err, out)
	}
}

func TestFetch(t *testing.T) {
	dir := repository(t, map[string]string{"subscriptions/a.yaml": "a", "jobs/J/main.py": "j", "secret/b": "b", "README.md": "r"})
	run(t, dir, "branch", "next")
	got, err := fetcher(t, private).Fetch(t.Context(), "file://"+dir, "next", Login{}, "jobs", "subscriptions", "missing")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	_ = fs.WalkDir(got.Files, ".", func(p string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			files = append(files, p)
		}
		return nil
	})
	if strings.Join(files, " ") != "jobs/J/main.py subscriptions/a.yaml" || len(got.Commit) != 40 {
		t.Errorf("%v at %s", files, got.Commit)
	}
	empty, err := fetcher(t, private).Fetch(t.Context(), "file://"+dir, "", Login{}, "missing")
	if err != nil || empty.Commit != got.Commit {
		t.Errorf("%v %v", empty, err)
	}
	if m, _ := fs.Glob(empty.Files, "*"); m != nil {
		t.Errorf("files %v", m)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	dir := repository(t, map[string]string{"subscriptions/a.yaml": "-> /etc/passwd"})
	big := repository(t, map[string]string{"jobs/J/main.py": noise(3 << 20)})
	for _, tc := range []struct {
		name, url, branch, want string
		change                  func(*Config)
	}{
		{"a link", "file://" + dir, "", "is a link", private},
		{"files of the server", "file://" + dir, "", "sources.allowPrivate", func(*Config) {}},
		{"loopback", "http://127.0.0.1:9/x.git", "", "no public address", func(*Config) {}},
		{"mapped", "http://[::ffff:10.0.0.1]/x.git", "", "no public address", func(*Config) {}},
		{"metadata", "http://169.254.169.254/x.git", "", "no public address", func(*Config) {}},
		{"nobody there", "file:///nonexistent", "", "git says", private},
		{"no such branch", "file://" + dir, "other", "other not found", private},
		{"an option as branch", "file://" + dir, "--upload-pack=x", "no name of a branch", private},
		{"a program", "ext::sh -c id", "", "url:", private},
		{"an option as host", "ssh://-oProxyCommand=id/x", "", "url:", private},
		{"an option as user", "ssh://-oProxyCommand=id@example.com/x", "", "user", private},
		{"credentials", "https://me:pw@example.com/x", "", "credentials", private},
		{"too large", "file://" + big, "", "larger than 1 MiB", func(c *Config) { c.AllowPrivate, c.MaxBytes = true, 1<<20 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := fetcher(t, tc.change).Fetch(t.Context(), tc.url, tc.branch, Login{}, "jobs", "subscriptions")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// A name is looked up once: what it means a moment later is nobody's business.
func TestANameThatMeansSomethingPrivate(t *testing.T) {
	f := fetcher(t, func(*Config) {})
	f.lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.1")}, nil
	}
	if _, err := f.remote(t.Context(), "https://rebind.example/x"); pipeline.CodeOf(err) != pipeline.CodeForbidden {
		t.Errorf("%v", err)
	}
	f.lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("2606::1")}, nil
	}
	r, err := f.remote(t.Context(), "https://git.example/x")
	if err != nil || !strings.Contains(strings.Join(r.options, " "), "http.curloptResolve=git.example:443:[2606::1]") {
		t.Errorf("%v %v", r.options, err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	asked := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	if _, err := fetcher(t, private).Fetch(t.Context(), outside.URL+"/x.git", "", Login{}); err == nil || asked {
		t.Errorf("followed: %v, %v", asked, err)
	}
}

func TestWhoNeverAnswersIsLeft(t *testing.T) {
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(hold)
	_, err := fetcher(t, func(c *Config) { c.AllowPrivate, c.Timeout = true, time.Second }).Fetch(t.Context(), srv.URL+"/x.git", "", Login{})
	if err == nil || !strings.Contains(err.Error(), "did not answer within 1s") {
		t.Errorf("%v", err)
	}
}

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint64(1)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 33)
	}
	return string(b)
}
