package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/demo"
	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
)

type demoFlags struct {
	where
	project string
	network string
	hold    bool
	timeout time.Duration
}

// exitDemoFailed is when something is missing or extra.
const exitDemoFailed = 1

func demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Discover a small lab on loopback and compare what was found with what is there",
		Long: "Starts a lab on loopback (names, websites, certificates, services, IPv4 and IPv6, a hostile host), lets the server\n" +
			"discover it through its own jobs and subscriptions, and compares.\n" +
			"Uses the running server of --server, STALKER_SERVER or the data directory; with none, an embedded one that is\n" +
			"removed afterwards. The server must run its jobs on this machine; with --lab, where they run they must reach that network.\n\n" +
			"Exit codes: 0 nothing is missing and nothing extra, 1 something is, 2 wrong use or server error, 3 out of time, 130 interrupted.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c, &f) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.project, "project", "", "name of the new project (default: demo and the time)")
	c.Flags().StringVar(&f.network, "lab", "", "put the lab into this network instead of loopback: 256 IPv4 addresses that lead to this machine, such as 10.99.7.0/24")
	c.Flags().BoolVar(&f.hold, "hold", false, "keep the lab and the server up afterwards, until Ctrl-C")
	c.Flags().DurationVar(&f.timeout, "timeout", 15*time.Minute, "give up after this long and compare what was found")
	return c
}

func runDemo(c *cobra.Command, f *demoFlags) error {
	if f.project == "" {
		f.project = "demo " + time.Now().Format("2006-01-02 15:04:05")
	}
	l, err := openLab(f.network)
	if err != nil {
		return err
	}
	serving, stopLab := context.WithCancel(context.WithoutCancel(c.Context()))
	gone := make(chan struct{})
	go func() { defer close(gone); l.Run(serving) }()
	defer func() { stopLab(); <-gone }()
	demo.Introduce(c.ErrOrStderr(), l)
	cn, err := f.connect(c.Context(), c)
	if err != nil {
		return err
	}
	return errors.Join(discover(c, f, cn, l), cn.stop())
}

// openLab opens a lab on loopback, or in the network that was named.
func openLab(network string) (*lab.Lab, error) {
	if network == "" {
		return lab.Open()
	}
	n, err := netip.ParsePrefix(network)
	if err != nil {
		return nil, fmt.Errorf("--lab %q is no network, such as 10.99.7.0/24", network)
	}
	return lab.OpenAt(n)
}

func discover(c *cobra.Command, f *demoFlags, cn connection, l *lab.Lab) error {
	ctx := c.Context()
	timed, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	bar := newBar(c.ErrOrStderr())
	res, err := demo.Run(timed, cn.Client, l, demo.Options{Project: f.project, Out: c.OutOrStdout(), Progress: func(p scan.Progress) {
		if bar.show(p); p.Settled {
			bar.end()
		}
	}})
	bar.end()
	switch {
	case ctx.Err() != nil:
		return exit{exitInterrupted, err}
	case errors.Is(err, demo.ErrIncomplete):
		err = exit{exitDemoFailed, err}
	case err != nil && timed.Err() != nil:
		err = exit{exitTimeout, fmt.Errorf("out of time: %w", err)}
	case timed.Err() != nil:
		err = exit{exitTimeout, errors.New("out of time: what was found so far was compared; raise --timeout to wait longer")}
	}
	if f.hold && res.Scan.Project.ID != "" {
		hold(ctx, c, f, cn)
	}
	return err
}

// hold keeps everything up until Ctrl-C.
func hold(ctx context.Context, c *cobra.Command, f *demoFlags, cn connection) {
	w := c.ErrOrStderr()
	fmt.Fprintf(w, "\nThe lab stays up. Look around in project %q at %s", f.project, cn.url)
	if cn.code != "" {
		fmt.Fprintf(w, "; create the first user there with the code %s", cn.code)
	}
	fmt.Fprintln(w, "\nPress Ctrl-C to end it")
	<-ctx.Done()
}
