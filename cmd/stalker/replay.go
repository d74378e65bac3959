package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/rebuild"
)

// tool is a command that works on the data of a server that is not running, or of
// one whose Kafka and ClickHouse are servers of their own.
type tool struct {
	settings
	json bool
}

func (t *tool) flags(c *cobra.Command) {
	c.Flags().StringVar(&t.file, "config", "", "configuration file of the server (YAML)")
	c.Flags().StringVar(&t.data, "data", "", "data directory of the server (default "+app.DefaultData()+")")
	c.Flags().BoolVar(&t.json, "json", false, "print the outcome as JSON")
}

// with opens what the command works on, and closes it again.
func (t *tool) with(c *cobra.Command, store bool, do func(ctx context.Context, tools *app.Tools) error) (err error) {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	cfg.Log.Level = "warn"
	tools, err := app.OpenTools(c.Context(), options(cfg, c), store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return do(c.Context(), tools)
}

// print writes the outcome as JSON when that was asked for, and else as text does.
func (t *tool) print(c *cobra.Command, v any, text func() error) error {
	if !t.json {
		return text()
	}
	return writeJSON(c, v)
}

const replayHelp = `Write into the analytical store what stands on the topics, from a position up to now.

It mends a store that lost rows, fills an empty one, and writes anew what a projector
with a mistake wrote too little of. Rows merge whatever their order and however often
they come, so it may be stopped and run again, and changes nothing that is right. It
takes nothing away: to be rid of wrong rows, drop the database first. It moves no
offsets, and passes over projects that were deleted.

With embedded parts, stop the server first. With servers, stop the projectors first.
Topics keep records for a time (docs/53-topics.md); what has expired is not written.`

func replayCommand() *cobra.Command {
	var t tool
	var o rebuild.Options
	var start bool
	var since string
	var topics, at []string
	c := &cobra.Command{
		Use: "replay {--from-start | --from-time TIME | --from-offset TOPIC/PARTITION=OFFSET}", Short: "Make the analytical store anew from the topics",
		Long: replayHelp, Args: noArgs,
		Example: "  stalker replay --from-start\n  stalker replay --from-time 24h --topics findings,marks\n  stalker replay --from-offset findings/3=1200",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := origin(&o, start, since, topics, at); err != nil {
				return err
			}
			return t.with(c, true, func(ctx context.Context, tools *app.Tools) error { return replay(ctx, c, &t, tools, o) })
		},
	}
	t.flags(c)
	c.Flags().BoolVar(&start, "from-start", false, "from the first record that there is")
	c.Flags().StringVar(&since, "from-time", "", "from a time (2026-11-25T10:00:00Z), or so long ago (24h)")
	c.Flags().StringArrayVar(&at, "from-offset", nil, "from an offset of a partition, and nothing of the others; may be given several times")
	c.Flags().StringSliceVar(&topics, "topics", nil, "only these: findings, jobs, executions, logs, marks (default all)")
	c.Flags().BoolVar(&o.Force, "force", false, "also while projectors are running")
	return c
}

// origin reads where to begin.
func origin(o *rebuild.Options, start bool, since string, topics, at []string) (err error) {
	given := 0
	for _, is := range []bool{start, since != "", len(at) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("say where to begin, with one of --from-start, --from-time and --from-offset")
	}
	if o.Topics, err = rebuild.Topics(topics); err != nil || start {
		return err
	}
	if since != "" {
		o.Since, err = instant(since, time.Now())
		return err
	}
	o.At = map[string]map[int32]int64{}
	for _, s := range at {
		topic, p, offset, err := rebuild.At(s)
		if err != nil {
			return err
		}
		if o.At[topic] == nil {
			o.At[topic] = map[int32]int64{}
		}
		o.At[topic][p] = offset
	}
	if len(topics) > 0 {
		return errors.New("--topics and --from-offset name topics both: give one of them")
	}
	o.Topics = slices.Sorted(maps.Keys(o.At))
	return nil
}

// instant reads a time, or how long ago it was.
func instant(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		return at, fmt.Errorf("--from-time %q is neither a time, such as 2026-11-25T10:00:00Z, nor a duration, such as 24h", s)
	case at.After(now):
		return at, fmt.Errorf("--from-time %s has not come yet", s)
	}
	return at, nil
}

func replay(ctx context.Context, c *cobra.Command, t *tool, tools *app.Tools, o rebuild.Options) error {
	if err := tools.Store.Migrate(ctx); err != nil {
		return err
	}
	done, err := rebuild.Replay(ctx, rebuild.Deps{Bus: tools.Bus, Store: tools.Store, Progress: c.ErrOrStderr()}, o)
	if err != nil {
		return err
	}
	return t.print(c, done, func() error {
		fmt.Fprintf(c.OutOrStdout(), "replayed %d records of %s into the store\n", done.Records, counted(done.Projects, "project"))
		if done.Unreadable > 0 {
			fmt.Fprintf(c.OutOrStdout(), "%d of them cannot be read: stalker dlq list says why\n", done.Unreadable)
		}
		return nil
	})
}

// counted says how many of something there are.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
