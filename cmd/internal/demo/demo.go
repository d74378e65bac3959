// Package demo lets a server discover the lab and judges what it found: the real
// chain, from names and a range to websites, against a world that is known.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

// Options say how the demo is called in the server and whom to tell.
type Options struct {
	Project  string
	Out      io.Writer
	Progress func(scan.Progress)
}

// Result is what came of a demo.
type Result struct {
	Scan        scan.Result
	Differences []Difference
}

// Complete reports whether everything was found, and nothing else.
func (r *Result) Complete() bool { return r.Scan.Complete && len(r.Differences) == 0 }

// Run makes a project of the lab's names, its range and ::1, lets the server
// discover them, and shows how what was found compares with what is there. The
// lab must be running.
func Run(ctx context.Context, c *client.Client, l *lab.Lab, o Options) (Result, error) {
	var res Result
	targets, err := scan.Parse(l.Targets())
	if err != nil {
		return res, fmt.Errorf("the lab's targets: %w", err)
	}
	m := &machine{foreign: map[listener]bool{}, own: l.Listens}
	m.look()
	res.Scan, err = scan.Run(ctx, c, scan.Options{
		Project: o.Project, Targets: targets, Resolvers: []string{l.Resolver()},
		Progress: func(p scan.Progress) { m.look(); o.Progress(p) },
	})
	if err != nil {
		return res, err
	}
	if err := res.Scan.Table(o.Out); err != nil {
		return res, err
	}
	found, machines := m.without(inventory(&res.Scan))
	res.Differences = Compare(l.Truth(), found)
	if err := table(o.Out, l.Truth(), found, res.Differences); err != nil {
		return res, err
	}
	mention(o.Out, machines)
	return res, verdict(o.Out, &res)
}

// Introduce tells what is about to be discovered.
func Introduce(w io.Writer, l *lab.Lab) {
	t := l.Truth()
	fmt.Fprintf(w, "The lab is up: %d names, %d hosts, %d ports and %d websites in %s", len(t.Domains), len(t.Hosts), len(t.Ports), len(t.Websites), l.Network())
	if l.IPv6() {
		fmt.Fprint(w, " and on ::1")
	}
	fmt.Fprintf(w, "; its DNS server is %s\n", l.Resolver())
	if !l.IPv6() {
		fmt.Fprintln(w, "This machine has no ::1, so the lab goes without its IPv6 host")
	}
}

// mention names what was left out of the comparison.
func mention(w io.Writer, ports []pipeline.Port) {
	if len(ports) == 0 {
		return
	}
	var names []string
	seen := map[string]bool{}
	for _, p := range ports {
		name := fmt.Sprintf("%d/%s", p.Port, p.Protocol)
		if a, err := netip.ParseAddr(p.IP); err == nil && a.Is6() {
			name = portName(&p)
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	fmt.Fprintf(w, "\nAlso found, and not the lab's: what this machine itself serves on all its addresses or on ::1 (%s)\n", strings.Join(names, ", "))
}

// ErrIncomplete is when something is missing, extra or different.
var ErrIncomplete = errors.New("what was found is not what is there")

func verdict(w io.Writer, r *Result) error {
	p := scan.Progress{Counts: pipeline.Counts{Executions: r.Scan.Executions}}
	fmt.Fprintf(w, "\n%d jobs succeeded, %d did not\n", p.Done(), p.Failed())
	switch {
	case !r.Scan.Complete:
		fmt.Fprintln(w, "The demo was not finished.")
		return nil
	case len(r.Differences) > 0:
		return ErrIncomplete
	}
	fmt.Fprintln(w, "The lab was discovered completely: nothing is missing, nothing is extra.")
	return nil
}
