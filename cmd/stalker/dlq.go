package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/sinks/deadletter"
)

func dlqCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "dlq", Short: "Look at records that could not be handled, and give them to their topic again",
		Long: "Look at records that could not be handled, and give them to their topic again once the cause is mended.\n" +
			"With embedded parts, stop the server first.",
	}
	c.AddCommand(dlqListCommand(), dlqShowCommand(), dlqReplayCommand())
	return c
}

func filterFlags(c *cobra.Command, f *deadletter.Filter) {
	c.Flags().StringVar(&f.Topic, "topic", "", "only those that come from this topic")
	c.Flags().StringVar(&f.Group, "group", "", "only those that this consumer group gave up")
	c.Flags().StringVar(&f.Code, "code", "", "only those with this code, such as invalid")
	c.Flags().StringVar(&f.Reason, "reason", "", "only those whose reason contains this")
	c.Flags().BoolVar(&f.Replayed, "replayed", false, "also those that were replayed")
}

// fullNames completes topic and group, which people may shorten.
func fullNames(f *deadletter.Filter) {
	for _, s := range []*string{&f.Topic, &f.Group} {
		if *s != "" && !strings.HasPrefix(*s, "stalker.") {
			*s = "stalker." + *s
		}
	}
}

func dlqListCommand() *cobra.Command {
	var t tool
	var f deadletter.Filter
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List dead letters, newest first", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 1 {
				return errors.New("--limit must be at least 1")
			}
			fullNames(&f)
			return t.with(c, false, func(ctx context.Context, tools *app.Tools) error {
				list, total, err := deadletter.New(tools.Bus, tools.Producer).List(ctx, f, limit)
				if err != nil {
					return err
				}
				return t.print(c, map[string]any{"items": list, "total": total}, func() error { return listLetters(c.OutOrStdout(), list, total) })
			})
		},
	}
	t.flags(c)
	filterFlags(c, &f)
	c.Flags().IntVar(&limit, "limit", 50, "how many to list at most")
	return c
}

func listLetters(out io.Writer, list []deadletter.Letter, total int) error {
	if total == 0 {
		_, err := fmt.Fprintln(out, "there are no dead letters")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tWHEN\tFROM\tGIVEN UP BY\tTIMES\tREASON")
	for i := range list {
		x := &list[i]
		reason := printable(x.Reason, 100)
		if x.Replayed != nil {
			reason = "(replayed) " + reason
		}
		fmt.Fprintf(w, "%d\t%s\t%s/%d@%d\t%s\t%d\t%s: %s\n", x.Offset, x.At.Local().Format(time.DateTime), x.Topic, x.Partition, x.From, x.Group, x.Attempt, x.Code, reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d of %s; stalker dlq show NUMBER shows one\n", len(list), counted(total, "dead letter"))
	return err
}

// printable makes text from outside fit for a terminal, in one line.
func printable(s string, n int) string {
	s = strconv.QuoteToGraphic(s)
	s = strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`)
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func dlqShowCommand() *cobra.Command {
	var t tool
	c := &cobra.Command{
		Use: "show NUMBER", Short: "Show one dead letter with its record", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := number(args[0])
			if err != nil {
				return err
			}
			return t.with(c, false, func(ctx context.Context, tools *app.Tools) error {
				x, err := deadletter.New(tools.Bus, tools.Producer).Show(ctx, n)
				if err != nil {
					return err
				}
				return t.print(c, x, func() error { return showLetter(c.OutOrStdout(), &x) })
			})
		},
	}
	t.flags(c)
	return c
}

func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not the number of a dead letter: stalker dlq list shows them", s)
	}
	return n, nil
}

func showLetter(out io.Writer, x *deadletter.Letter) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "number\t%d\nwhen\t%s\nfrom\t%s, partition %d, offset %d\ngiven up by\t%s, %s\n", x.Offset, x.At.Local().Format(time.DateTime),
		x.Topic, x.Partition, x.From, x.Group, counted(x.Attempt, "time"))
	fmt.Fprintf(w, "reason\t%s: %s\nkey\t%s\n", x.Code, printable(x.Reason, 10_000), printable(x.Key, 10_000))
	for _, k := range slices.Sorted(maps.Keys(x.Headers)) {
		fmt.Fprintf(w, "header %s\t%s\n", printable(k, 100), printable(x.Headers[k], 1000))
	}
	if x.Replayed != nil {
		fmt.Fprintf(w, "replayed\t%s\n", x.Replayed.Local().Format(time.DateTime))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "value, %d bytes:\n%s\n", x.Size, printable(x.Value, 1<<20))
	return err
}

func dlqReplayCommand() *cobra.Command {
	var t tool
	var f deadletter.Filter
	var all, dry bool
	c := &cobra.Command{
		Use: "replay NUMBER… | --all", Short: "Give dead letters to their topic again, and mark them as replayed",
		Long: "Give dead letters to their topic again, and mark them as replayed. A record that still cannot be handled comes back as a new letter.\n" +
			"--all means all that the filter selects and that were not replayed yet.",
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return errors.New("name the letters to replay by their numbers, or give --all")
			}
			fullNames(&f)
			return t.with(c, false, func(ctx context.Context, tools *app.Tools) error {
				return replayLetters(ctx, c, &t, deadletter.New(tools.Bus, tools.Producer), args, f, dry)
			})
		},
	}
	t.flags(c)
	filterFlags(c, &f)
	c.Flags().BoolVar(&all, "all", false, "all that the filter selects")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say which they are")
	return c
}

func replayLetters(ctx context.Context, c *cobra.Command, t *tool, letters *deadletter.Letters, args []string, f deadletter.Filter, dry bool) error {
	chosen, err := choose(ctx, letters, args, f)
	if err != nil {
		return err
	}
	n := 0
	if !dry {
		if n, err = letters.Replay(ctx, chosen); err != nil {
			return fmt.Errorf("%d of %d were replayed: %w", n, len(chosen), err)
		}
	}
	return t.print(c, map[string]any{"chosen": len(chosen), "replayed": n}, func() error {
		if dry {
			return listLetters(c.OutOrStdout(), chosen, len(chosen))
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "replayed %s\n", counted(n, "dead letter"))
		return err
	})
}

// choose finds the letters that were named, or else those that a filter selects.
func choose(ctx context.Context, letters *deadletter.Letters, args []string, f deadletter.Filter) ([]deadletter.Letter, error) {
	if len(args) == 0 {
		list, _, err := letters.List(ctx, f, 1<<31)
		return list, err
	}
	var chosen []deadletter.Letter
	for _, a := range args {
		n, err := number(a)
		if err != nil {
			return nil, err
		}
		x, err := letters.Show(ctx, n)
		if err != nil {
			return nil, err
		}
		if x.Replayed != nil && !f.Replayed {
			return nil, fmt.Errorf("the dead letter %d was replayed at %s; --replayed does it again", n, x.Replayed.Local().Format(time.DateTime))
		}
		chosen = append(chosen, x)
	}
	return chosen, nil
}
