// Package gitsource fetches folders of a git repository for reading. Whoever may
// name a repository is not trusted with this machine, and neither is what is in it:
// nothing is checked out, no hook, filter or configuration of the repository is
// used, addresses that are not public are refused unless allowed, and time and size
// are bounded.
//
// It runs the git executable, which knows every server and credential helper there
// is, and can be told to do nothing but fetch.
package gitsource

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Config bounds what is fetched.
type Config struct {
	// AllowPrivate lets sources be at addresses that are not public, and be files of this
	// machine. Whoever may add sources can then reach what this server reaches.
	AllowPrivate bool `yaml:"allowPrivate"`
	// Credentials is a file with a line https://USER:TOKEN@HOST for each host that needs a
	// login (git's own format); empty means that none is sent.
	Credentials string `yaml:"credentials"`
	// CAFile has the certificates, in PEM, of those who may vouch for a host; empty means
	// those this machine trusts.
	CAFile string `yaml:"caFile"`
	// Timeout is how long a repository may take.
	Timeout time.Duration `yaml:"timeout"`
	// MaxBytes is how large a repository may be, without its history, and what is read of it.
	MaxBytes int64 `yaml:"maxBytes"`
}

// DefaultConfig takes public repositories of up to 100 MiB within two minutes.
func DefaultConfig() Config { return Config{Timeout: 2 * time.Minute, MaxBytes: 100 << 20} }

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("timeout is %s, must be at least 1s", c.Timeout))
	}
	if c.MaxBytes < 1<<20 {
		errs = append(errs, fmt.Errorf("maxBytes is %d, must be at least %d", c.MaxBytes, 1<<20))
	}
	for _, x := range []struct{ key, file string }{{"credentials", c.Credentials}, {"caFile", c.CAFile}} {
		if x.file != "" && (!filepath.IsAbs(x.file) || strings.ContainsAny(x.file, "'\n\x00")) {
			errs = append(errs, fmt.Errorf("%s is %q, must be the whole path of a file, without quotes", x.key, x.file))
		}
	}
	return errors.Join(errs...)
}

// trust returns what tells git whom to believe and what to say who we are. A helper
// that only reads: git's own forgets a login that a host refuses once.
func (c *Config) trust() (options []string) {
	if c.Credentials != "" {
		options = append(options, "-c", "credential.helper=!f() { test \"$1\" != get || git credential-store --file='"+c.Credentials+"' get; }; f")
	}
	if c.CAFile != "" {
		options = append(options, "-c", "http.sslCAInfo="+c.CAFile)
	}
	return options
}

// Fetcher fetches repositories. It may be used by several goroutines.
type Fetcher struct {
	cfg    Config
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// New returns a fetcher.
func New(cfg Config) (*Fetcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	return &Fetcher{cfg: cfg, lookup: lookup}, nil
}

// Tree is what a repository has on a branch.
type Tree struct {
	Commit string
	Files  fs.FS // the folders that were asked for, as far as they are there
}

// Fetch returns the newest commit of a branch, and those of the folders that it has;
// an empty branch means the repository's own choice. The error is for people, and has
// nothing of the login in it.
func (f *Fetcher) Fetch(ctx context.Context, address, branch string, login Login, folders ...string) (Tree, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	r, err := f.remote(ctx, address)
	if err != nil {
		return Tree{}, err
	}
	if err := CheckBranch(branch); err != nil {
		return Tree{}, err
	}
	dir, err := os.MkdirTemp("", "stalker-source-")
	if err != nil {
		return Tree{}, pipeline.Errorf(pipeline.CodeInternal, "making a folder: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of our own among the temporary ones
	if r.protocol == "ssh" {
		stop, err := r.trust(ctx, dir, login)
		if err != nil {
			return Tree{}, err
		}
		defer stop()
	}
	repo := filepath.Join(dir, "repo")
	args := []string{"clone", "--bare", "--quiet", "--depth=1", "--no-tags", "--single-branch", "--template="}
	if branch != "" {
		args = append(args, "--branch="+branch)
	}
	if err := f.clone(ctx, r, dir, append(args, "--", r.url, repo)); err != nil {
		return Tree{}, err
	}
	return f.read(ctx, r, repo, folders)
}

// clone runs a clone and ends it when it grows too large.
func (f *Fetcher) clone(ctx context.Context, r remote, dir string, args []string) error {
	ctx, cancel := context.WithCancel(ctx)
	var large atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for t := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
				if size(dir) > f.cfg.MaxBytes {
					large.Store(true)
					cancel()
				}
			}
		}
	}()
	_, err := f.git(ctx, r, dir, args...)
	cancel()
	<-done
	if large.Load() || err == nil && size(dir) > f.cfg.MaxBytes {
		return pipeline.Errorf(pipeline.CodeTooLarge, "the repository is larger than %d MiB", f.cfg.MaxBytes>>20)
	}
	return err
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // it went away meanwhile
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// read takes the folders out of the repository, as an archive in memory: there is no
// path in it that leads out of it.
func (f *Fetcher) read(ctx context.Context, r remote, repo string, folders []string) (Tree, error) {
	head, err := f.git(ctx, r, repo, "rev-parse", "HEAD")
	if err != nil {
		return Tree{}, err
	}
	t := Tree{Commit: strings.TrimSpace(string(head)), Files: none{}}
	names, err := f.git(ctx, r, repo, "ls-tree", "-d", "--name-only", "HEAD")
	if err != nil {
		return t, err
	}
	args := []string{"archive", "--format=zip", "-0", "HEAD", "--"}
	have := len(args)
	for _, folder := range folders {
		for name := range strings.Lines(string(names)) {
			if strings.TrimSpace(name) == folder {
				args = append(args, folder)
			}
		}
	}
	if len(args) == have {
		return t, nil
	}
	b, err := f.git(ctx, r, repo, args...)
	if err != nil {
		return t, err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return t, pipeline.Errorf(pipeline.CodeInvalid, "reading the repository: %w", err)
	}
	for _, x := range z.File {
		if m := x.Mode(); !m.IsRegular() && !m.IsDir() {
			return t, pipeline.Errorf(pipeline.CodeInvalid, "%s is a link: sources have files and folders only", x.Name)
		}
	}
	t.Files = z
	return t, nil
}

// none has no files.
type none struct{}

func (none) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// git runs git with nothing of this machine's or the repository's configuration, and
// returns what it prints.
func (f *Fetcher) git(ctx context.Context, r remote, dir string, args ...string) ([]byte, error) {
	base := []string{
		"-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "-c", "http.followRedirects=false", "-c", "protocol.allow=never",
		"-c", "protocol." + r.protocol + ".allow=always", "-c", "submodule.recurse=false", "-c", "gc.auto=0", "-c", "core.attributesFile=/dev/null",
		"-c", "credential.helper=", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30", "-c", "safe.directory=*",
	}
	cmd := exec.CommandContext(ctx, "git", slices.Concat(base, r.options, args)...) //nolint:gosec // no shell; address and branch were checked and stand behind --
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ASKPASS=true", "SSH_ASKPASS_REQUIRE=never", "GIT_ATTR_NOSYSTEM=1", "GIT_LFS_SKIP_SMUDGE=1",
	}, r.env...)
	cmd.WaitDelay = 5 * time.Second
	out := &bounded{limit: f.cfg.MaxBytes}
	said := &bounded{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Run()
	switch {
	case out.over:
		return nil, pipeline.Errorf(pipeline.CodeTooLarge, "the repository has more than %d MiB of files", f.cfg.MaxBytes>>20)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, pipeline.Errorf(pipeline.CodeUnavailable, "the repository did not answer within %s", f.cfg.Timeout)
	case errors.Is(err, exec.ErrNotFound):
		return nil, pipeline.Errorf(pipeline.CodeUnavailable, "git is not installed on the server")
	case err != nil:
		if text := r.refusal(said.String()); text != "" {
			return nil, pipeline.Errorf(pipeline.CodeUnavailable, "%s", text)
		}
		return nil, pipeline.Errorf(pipeline.CodeUnavailable, "git says: %s", reason(said.String(), dir, r))
	}
	return out.Bytes(), nil
}

// reason is what git said, in one line, without paths and addresses of ours.
func reason(text, dir string, r remote) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "fatal: "); ok || strings.HasPrefix(line, "error: ") {
			return strings.ToValidUTF8(strings.NewReplacer(dir, "", r.url, r.shown).Replace(rest), "?")
		}
	}
	return "it failed"
}

// bounded keeps up to limit bytes, and fails beyond it.
type bounded struct {
	bytes.Buffer
	limit int64
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.limit {
		b.over = true
		return 0, errors.New("too much")
	}
	return b.Buffer.Write(p)
}
