package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/generate"
	"github.com/stalker-asm/stalker/pipeline"
)

const generateHelp = `Fill a project with made-up findings, to try out how an installation bears its size.

It says what scanners would say of a made-up network: domains, hosts with IPv4 and
IPv6 addresses, TCP and UDP ports, services, websites, technologies, certificates,
site maps, tags. The same --seed says the same. Nothing is scanned, and no packet is
sent to what it names.

  --into topic  puts the findings on the findings topic, as if jobs had said them, so
                that every role has its work: rows, websites that follow, subscriptions
                of the project. --rate bounds how fast
  --into store  writes the rows with the projector's own code: the quick way to a store
                of some size. Executions are written too. Nothing is derived, and no
                subscription fires. stalker replay and verify do not know of it

With embedded parts, stop the server first; what is on the topic is worked on when it
starts again. With servers it may run meanwhile, and --rate says how much is asked of it.`

// generated is what a generate command was asked for.
type generated struct {
	tool
	project, into       string
	add                 bool
	resources, findings int
	rate                int
	seed                uint64
	spread              time.Duration
}

func generateCommand() *cobra.Command {
	var g generated
	c := &cobra.Command{
		Use: "generate", Short: "Fill a project with made-up findings, to try an installation out at size", Long: generateHelp, Args: noArgs,
		Example: "  stalker generate --project Big --resources 1000000 --findings 5000000 --into store\n" +
			"  stalker generate --project Stream --findings 1000000 --rate 5000 --config production.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := g.check(); err != nil {
				return err
			}
			return g.with(c, g.into == "store", func(ctx context.Context, tools *app.Tools) error { return g.run(ctx, c, tools) })
		},
	}
	g.flags(c)
	f := c.Flags()
	f.StringVar(&g.project, "project", "Generated", "name of the project, which is made")
	f.BoolVar(&g.add, "add", false, "also into a project that is there already")
	f.StringVar(&g.into, "into", "topic", "where to: topic or store")
	f.IntVar(&g.resources, "resources", 1_000_000, "how many domains, hosts, ports and websites there are at least")
	f.IntVar(&g.findings, "findings", 5_000_000, "how many findings at least: hosts are looked at again until there are as many")
	f.IntVar(&g.rate, "rate", 0, "findings a second at most (default as fast as it goes)")
	f.Uint64Var(&g.seed, "seed", 1, "another number makes another network")
	f.DurationVar(&g.spread, "spread", 90*24*time.Hour, "how long before now the first of it was said (0: all of it now)")
	return c
}

// check tells everything that is wrong with what was asked for.
func (g *generated) check() error {
	var errs []error
	if g.into != "topic" && g.into != "store" {
		errs = append(errs, fmt.Errorf("--into %q is neither topic nor store", g.into))
	}
	if g.resources < 0 || g.resources > maxGenerated*8 || g.findings < 0 || g.findings > 1_000_000_000 || g.resources+g.findings == 0 {
		errs = append(errs, fmt.Errorf("--resources %d, --findings %d: give numbers up to %d and 1000000000, one of them more than 0", g.resources, g.findings, maxGenerated*8))
	}
	if g.rate < 0 || g.spread < 0 {
		errs = append(errs, errors.New("--rate and --spread must not be negative"))
	}
	return errors.Join(errs...)
}

// maxGenerated is how many hosts there are addresses for.
const maxGenerated = 1 << 24

func (g *generated) run(ctx context.Context, c *cobra.Command, tools *app.Tools) error {
	if tools.Store != nil {
		if err := tools.Store.Migrate(ctx); err != nil {
			return err
		}
	}
	p, made, err := tools.Project(ctx, g.project)
	if err == nil && !made && !g.add {
		err = pipeline.Errorf(pipeline.CodeConflict, "there is a project %q already: name another one, or say --add to put made-up findings among what it has", p.Name)
	}
	if err != nil {
		return err
	}
	sink, flush := tools.Producer.Produce, func(context.Context) error { return nil }
	if tools.Store != nil {
		s, f := generate.Store(tools.Store)
		sink, flush = s, f
	}
	o := generate.Options{Rate: g.rate, Plan: generate.Plan{
		Project: p.ID, Seed: g.seed, Resources: g.resources, Findings: g.findings,
		Until: time.Now().UTC().Truncate(time.Millisecond), Spread: g.spread, Executions: tools.Store != nil,
	}}
	begin, told := time.Now(), time.Now()
	var done generate.Progress
	o.Progress = func(p generate.Progress) {
		if done = p; time.Since(told) >= time.Second {
			told = time.Now()
			g.tell(c.ErrOrStderr(), "", done, begin)
		}
	}
	err = errors.Join(generate.Run(ctx, o, sink), flush(ctx))
	if err != nil {
		return fmt.Errorf("after %d findings: %w", done.Findings, err)
	}
	return g.print(c, map[string]any{"projectId": p.ID, "hosts": done.Hosts, "resources": done.Resources, "findings": done.Findings, "seconds": time.Since(begin).Seconds()}, func() error {
		g.tell(c.OutOrStdout(), fmt.Sprintf("project %s (%s): ", p.Name, p.ID), done, begin)
		return nil
	})
}

// tell says how far it has come.
func (g *generated) tell(w io.Writer, where string, p generate.Progress, begin time.Time) {
	took := time.Since(begin)
	fmt.Fprintf(w, "%s%d hosts, %d resources, %d findings in %s, %.0f a second\n",
		where, p.Hosts, p.Resources, p.Findings, took.Round(time.Second/10), float64(p.Findings)/took.Seconds())
}
