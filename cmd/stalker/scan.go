package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
)

type scanFlags struct {
	server, token, data, project string
	resolvers                    []string
	asJSON, asJSONL              bool
	timeout                      time.Duration
}

// Exit codes of scan, besides 0: everything was done and every job succeeded.
const (
	exitJobsFailed  = 1
	exitTimeout     = 3
	exitInterrupted = 130
)

func scanCommand() *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan TARGET…",
		Short: "Scan domains, addresses, networks or URLs and show what was found",
		Long: "Scan domains, addresses, networks or URLs (- reads them from standard input, one per line).\n" +
			"Uses the running server of --server, STALKER_SERVER or the data directory; with none, an embedded one that is\n" +
			"removed afterwards.\n\nExit codes: 0 done, 1 done but some jobs failed, 2 wrong use or server error, 3 out of time, 130 interrupted.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runScan(c, &f, args) },
	}
	c.Flags().StringVar(&f.server, "server", os.Getenv("STALKER_SERVER"), "address of a running server")
	c.Flags().StringVar(&f.token, "token", os.Getenv("STALKER_TOKEN"), "token for that server")
	c.Flags().StringVar(&f.data, "data", app.DefaultData(), "data directory of a running server on this machine")
	c.Flags().StringVar(&f.project, "project", "", "name of the new project (default: scan and the time)")
	c.Flags().StringSliceVar(&f.resolvers, "resolver", nil, "DNS server to ask, address:port (repeat for several)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	c.Flags().BoolVar(&f.asJSONL, "jsonl", false, "print one JSON object per resource")
	c.Flags().DurationVar(&f.timeout, "timeout", time.Hour, "give up after this long and print what was found")
	c.MarkFlagsMutuallyExclusive("json", "jsonl")
	return c
}

func runScan(c *cobra.Command, f *scanFlags, args []string) error {
	if i := slices.Index(args, "-"); i >= 0 {
		lines, err := readLines(c.InOrStdin())
		if err != nil {
			return err
		}
		args = slices.Replace(args, i, i+1, lines...)
	}
	targets, err := scan.Parse(args)
	if err != nil {
		return err
	}
	if f.project == "" {
		f.project = "scan " + time.Now().Format("2006-01-02 15:04:05")
	}
	ctx := c.Context()
	cl, stop, err := connect(ctx, c, f)
	if err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, f.timeout)
	res, err := scan.Run(timed, cl, scan.Options{Project: f.project, Targets: targets, Resolvers: f.resolvers, Progress: progress(c.ErrOrStderr())})
	expired := timed.Err() != nil
	cancel()
	fmt.Fprintln(c.ErrOrStderr())
	if err == nil {
		err = show(c.OutOrStdout(), f, &res)
	}
	return verdict(errors.Join(err, stop()), ctx.Err() != nil, expired, &res)
}

func verdict(err error, interrupted, expired bool, res *scan.Result) error {
	switch {
	case interrupted:
		return exit{exitInterrupted, err}
	case err != nil:
		return err
	case expired:
		return exit{exitTimeout, errors.New("out of time: the scan goes on on a running server; raise --timeout to wait for it")}
	case res.Failed():
		return exit{exitJobsFailed, errors.New("some jobs failed: see the executions of the project")}
	default:
		return nil
	}
}

func show(w io.Writer, f *scanFlags, res *scan.Result) error {
	switch {
	case f.asJSON:
		return res.JSON(w)
	case f.asJSONL:
		return res.JSONL(w)
	default:
		return res.Table(w)
	}
}

func readLines(r io.Reader) ([]string, error) {
	var lines []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		if s.Text() != "" {
			lines = append(lines, s.Text())
		}
	}
	return lines, s.Err()
}

// progress writes one line that renews itself on a terminal, and a line every five
// seconds elsewhere.
func progress(w io.Writer) func(scan.Progress) {
	file, ok := w.(*os.File)
	terminal := false
	if ok {
		if info, err := file.Stat(); err == nil {
			terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	last := -time.Hour
	return func(p scan.Progress) {
		if terminal {
			fmt.Fprintf(w, "\r\x1b[K%s", p.Line())
		} else if p.Settled || p.Elapsed-last >= 5*time.Second {
			last = p.Elapsed
			fmt.Fprintln(w, p.Line())
		}
	}
}

// connect finds a running server, or starts one in a temporary directory. stop
// ends what was started.
func connect(ctx context.Context, c *cobra.Command, f *scanFlags) (cl *client.Client, stop func() error, err error) {
	nothing := func() error { return nil }
	if f.server != "" {
		return client.New(f.server, f.token), nothing, nil
	}
	if a, ok := announced(ctx, f.data); ok {
		return client.New(a.URL, a.Token), nothing, nil
	}
	dir, err := os.MkdirTemp("", "stalker-scan-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a temporary directory: %w", err)
	}
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen, cfg.Log.Level = dir, "127.0.0.1:0", "warn"
	a, err := app.New(ctx, options(cfg, c))
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- a.Run(run) }()
	return client.New(a.URL(), a.Token()), func() error {
		cancel()
		return errors.Join(<-done, os.RemoveAll(dir))
	}, nil
}

// announced returns the server that says it runs on this data directory, if it
// answers.
func announced(ctx context.Context, data string) (app.Announcement, bool) {
	var a app.Announcement
	b, err := os.ReadFile(filepath.Join(data, "server.json"))
	if err != nil || json.Unmarshal(b, &a) != nil {
		return a, false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return a, client.New(a.URL, a.Token).Do(ctx, "GET", "/me", nil, nil) == nil
}
