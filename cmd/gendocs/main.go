// Command gendocs writes the references in docs/ that follow from the source: the
// configuration from the comments and defaults of the Config types, the metrics
// from what a process registers, the topics from their declaration. Run it at the
// top of the repository, by make docs; a test fails when a page is not up to date.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/deploy"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	list, err := pages(root)
	if err != nil {
		return err
	}
	for name, text := range list {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil { //nolint:gosec // documentation is for everybody
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// pages returns every generated page by its path below the root of the repository.
func pages(root string) (map[string]string, error) {
	configuration, err := configPage(root, app.DefaultConfig())
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	metrics, err := withApp(metricsPage)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	files, err := dashboardFiles()
	if err != nil {
		return nil, err
	}
	files["docs/51-configuration.md"] = configuration
	files["docs/52-metrics.md"] = metrics
	files["docs/53-topics.md"] = topicsPage()
	return files, nil
}

// withApp makes a process with everything embedded, in a temporary directory, and
// asks it. It is never run.
func withApp(ask func(*app.App) string) (_ string, err error) {
	dir, err := os.MkdirTemp("", "gendocs")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen = dir, "127.0.0.1:0"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, err := app.New(ctx, app.Options{
		Config: cfg, Catalogue: deploy.Catalogue(), Templates: deploy.Templates(), SDK: deploy.SDK(), Version: "docs", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", err
	}
	text := ask(a)
	return text, a.Close()
}
