package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/rebuild"
	"github.com/stalker-asm/stalker/pipeline"
)

const verifyHelp = `Prove by query that the analytical store holds what the topics say.

It folds everything that stands on the topics once more, with the code of the
projector, into a database beside that of the store, lets the engine compare the two
table by table, and drops that database again. Nothing of the store is changed.

  lost        rows that the store lacks, or has with less than it should
  duplicated  rows that a reader would see more than once
  extra       rows that no record accounts for. That is a fault only when the topics
              still hold everything that ever was on them and nobody is writing

With embedded parts, stop the server first. With servers it may run meanwhile: it
looks at what the projector says it has done.

Exit codes: 0 nothing is wrong, 1 something is, 2 it could not be verified.`

func verifyCommand() *cobra.Command {
	var t tool
	c := &cobra.Command{
		Use: "verify", Short: "Prove that the analytical store holds what the topics say", Long: verifyHelp, Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.with(c, true, func(ctx context.Context, tools *app.Tools) error { return verify(ctx, c, &t, tools) })
		},
	}
	t.flags(c)
	return c
}

func verify(ctx context.Context, c *cobra.Command, t *tool, tools *app.Tools) error {
	h, err := tools.Store.Inspect(ctx)
	if err != nil {
		return err
	}
	if len(h.Missing) > 0 {
		return pipeline.Errorf(pipeline.CodeConflict, "the store lacks %s: run stalker migrate, and stalker replay --from-start to fill it", strings.Join(h.Missing, ", "))
	}
	r, err := rebuild.Verify(ctx, rebuild.Deps{Bus: tools.Bus, Store: tools.Store, Progress: c.ErrOrStderr()})
	if err != nil {
		return err
	}
	if err := t.print(c, r, func() error { return tell(c.OutOrStdout(), &r) }); err != nil {
		return err
	}
	if !r.OK {
		return exit{1, errors.New("the store does not hold what the topics say: stalker replay --from-start writes what it lacks")}
	}
	return nil
}

// tell writes a report for people.
func tell(out io.Writer, r *rebuild.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "expected\tlost\tstale\tduplicated\textra\t  table")
	for _, d := range r.Tables {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t  %s\n", d.Expected, d.Lost, d.Stale, d.Duplicated, d.Unknown, d.Table)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range r.Tables {
		for _, e := range d.Examples {
			fmt.Fprintf(out, "  %s, for example: %s\n", d.Table, e)
		}
	}
	for _, u := range r.Unburied {
		fmt.Fprintf(out, "  unreadable, and no dead letter: %s\n", u)
	}
	if r.Unreadable > 0 {
		fmt.Fprintf(out, "%d records cannot be read; %d of them have no dead letter\n", r.Unreadable, len(r.Unburied))
	}
	if r.Behind > 0 {
		fmt.Fprintf(out, "the projector has %d more records before it, which are not judged\n", r.Behind)
	}
	if r.Extra > 0 && !r.Whole {
		fmt.Fprintln(out, "extra rows are of records that expired, or that came meanwhile")
	}
	_, err := fmt.Fprintf(out, "%d records of %s: lost %d, duplicated %d, extra %d (%s)\n",
		r.Records, counted(r.Projects, "project"), r.Lost, r.Duplicated, r.Extra, time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond))
	return err
}
