package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/scan"
)

type scanFlags struct {
	where
	project         string
	resolvers       []string
	asJSON, asJSONL bool
	timeout         time.Duration
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("name at least one target, such as example.com, 192.0.2.1 or 192.0.2.0/28 (- reads them from standard input)")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runScan(c, &f, args) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.project, "project", "", "name of the new project (default: scan and the time)")
	c.Flags().StringSliceVar(&f.resolvers, "resolver", nil, "DNS server to ask, address:port (repeat for several)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	c.Flags().BoolVar(&f.asJSONL, "jsonl", false, "print one JSON object per resource")
	c.Flags().DurationVar(&f.timeout, "timeout", time.Hour, "give up after this long and print what was found")
	return c
}

func runScan(c *cobra.Command, f *scanFlags, args []string) error {
	if f.asJSON && f.asJSONL {
		return errors.New("--json and --jsonl exclude one another")
	}
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
	cn, err := f.connect(ctx, c)
	if err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, f.timeout)
	bar := newBar(c.ErrOrStderr())
	res, err := scan.Run(timed, cn.Client, scan.Options{Project: f.project, Targets: targets, Resolvers: f.resolvers, Progress: bar.show})
	bar.end()
	expired := timed.Err() != nil
	cancel()
	if err == nil {
		err = show(c.OutOrStdout(), f, &res)
	}
	return verdict(errors.Join(err, cn.stop()), ctx.Err() != nil, expired, &res)
}

func verdict(err error, interrupted, expired bool, res *scan.Result) error {
	switch {
	case interrupted:
		return exit{exitInterrupted, err}
	case err != nil && expired:
		return exit{exitTimeout, fmt.Errorf("out of time: %w", err)}
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

// bar shows progress: one line that renews itself on a terminal, a line every five
// seconds elsewhere.
type bar struct {
	w        io.Writer
	terminal bool
	last     time.Duration
	drawn    bool
}

func newBar(w io.Writer) *bar {
	b := &bar{w: w, last: -time.Hour}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

func (b *bar) show(p scan.Progress) {
	switch {
	case b.terminal:
		fmt.Fprintf(b.w, "\r\x1b[K%s", p.Line())
		b.drawn = true
	case p.Settled || p.Elapsed-b.last >= 5*time.Second:
		b.last = p.Elapsed
		fmt.Fprintln(b.w, p.Line())
	}
}

// end leaves the line as it is.
func (b *bar) end() {
	if b.drawn {
		fmt.Fprintln(b.w)
		b.drawn = false
	}
}
