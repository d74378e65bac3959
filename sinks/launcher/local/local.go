// Package local runs python jobs as processes of this machine: the runner of
// embedded mode. Each execution has a process group, a private working directory
// and a scrubbed environment, and dies with its deadline, with its launcher, and
// with the server, whatever it started itself.
//
// It isolates against accidents, not against attacks: a job runs as the server's
// user. Untrusted jobs belong on Kubernetes.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Config bounds a process.
type Config struct {
	// Python is the interpreter: a name looked up in PATH, or a path.
	Python string `yaml:"python"`
	// Grace is how long a process has between SIGTERM and SIGKILL.
	Grace time.Duration `yaml:"grace"`
	// Memory is the largest address space of a process in bytes; 0 means no limit.
	Memory uint64 `yaml:"memory"`
	// FileSize is the largest file a process may write, in bytes; 0 means no limit.
	FileSize uint64 `yaml:"fileSize"`
	// OpenFiles is how many files and sockets a process may have open; 0 means no limit of ours.
	OpenFiles uint64 `yaml:"openFiles"`
}

// DefaultConfig gives a process 4 GiB of address space, files of 1 GiB and 4,096
// open files.
func DefaultConfig() Config {
	return Config{Python: "python3", Grace: 5 * time.Second, Memory: 4 << 30, FileSize: 1 << 30, OpenFiles: 4096}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	var errs []error
	if c.Python == "" {
		errs = append(errs, errors.New("python must be set"))
	}
	if c.Grace < 0 {
		errs = append(errs, fmt.Errorf("grace is %s, must not be negative", c.Grace))
	}
	if c.Memory != 0 && c.Memory < 64<<20 {
		errs = append(errs, fmt.Errorf("memory is %d, must be 0 or at least 64 MiB", c.Memory))
	}
	return errors.Join(errs...)
}

// Deps is what the runner needs.
type Deps struct {
	Gateway string // base URL at which jobs of this machine reach the gateway
	Dir     string // working directories and the SDK are kept below it
	SDK     fs.FS  // the Python package, at its root
	Log     *slog.Logger
}

// Runner runs processes. Prepare must have succeeded first.
type Runner struct {
	cfg  Config
	deps Deps
	log  *slog.Logger
	work string
	sdk  string
}

var _ launcher.Runner = (*Runner)(nil)

// New checks the configuration.
func New(cfg Config, d Deps) (*Runner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("local runner config: %w", err)
	}
	dir, err := filepath.Abs(d.Dir) // jobs have another working directory
	if err != nil {
		return nil, fmt.Errorf("local runner directory: %w", err)
	}
	return &Runner{
		cfg: cfg, deps: d, log: d.Log.With("component", "runner"),
		work: filepath.Join(dir, "work"), sdk: filepath.Join(dir, "sdk"),
	}, nil
}

// Name returns "local".
func (r *Runner) Name() string { return "local" }

// Prepare ends and removes what an earlier life left behind and writes the SDK
// out. Nobody else may use the directory.
func (r *Runner) Prepare() error {
	killStrays(r.work)
	for _, dir := range []string{r.work, r.sdk} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing leftovers: %w", err)
		}
	}
	if err := os.MkdirAll(r.work, 0o700); err != nil {
		return fmt.Errorf("making work directory: %w", err)
	}
	if err := os.CopyFS(r.sdk, r.deps.SDK); err != nil {
		return fmt.Errorf("writing the SDK: %w", err)
	}
	if problem := r.interpreter(); problem != "" {
		r.log.Warn("python jobs will fail", "problem", problem, "help", "install Python 3.11 or newer, or set local.python")
	}
	return nil
}

// interpreter says what is wrong with the interpreter, "" when nothing is. The
// server runs without one: its other parts need none, and installing it takes no
// restart.
func (r *Runner) interpreter() string {
	path, err := exec.LookPath(r.cfg.Python)
	if err != nil {
		return r.cfg.Python + " is not installed"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	const ask = "import sys; print(sys.version.split()[0], sys.version_info >= (3, 11))"
	out, err := exec.CommandContext(ctx, path, "-I", "-c", ask).Output() //nolint:gosec // the operator names the interpreter
	version, fits, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	switch {
	case err != nil:
		return fmt.Sprintf("%s does not run: %s", path, err)
	case fits != "True":
		return fmt.Sprintf("%s is version %s", path, version)
	}
	return ""
}

// refuse says why a job cannot run here, if so.
func (r *Runner) refuse(j *pipeline.Job) *launcher.Result {
	if j.Type != pipeline.JobNuclei && (j.Type != pipeline.JobCode || j.Language != "python") {
		return &launcher.Result{
			State: pipeline.StateFailed, Reason: pipeline.ReasonUnsupported,
			Detail: fmt.Sprintf("%s jobs need a Kubernetes launcher; this one runs python code and nuclei templates only", j.Type),
		}
	}
	return nil
}
