package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
)

func migrateCommand() *cobra.Command {
	var s settings
	var wait time.Duration
	var again bool
	c := &cobra.Command{
		Use: "migrate", Short: "Make the topics, tables and databases that are missing, and end", Args: noArgs,
		Long: "Make the topics, tables and databases that are missing, and end.\n" +
			"An upgrade runs it before the new version starts; what it adds, the version before can live with. It may run any number of times.\n" +
			"With --again, after the last process of the version before has ended, rows that it still wrote get what is new of them.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), wait)
			defer cancel()
			if err := app.Migrate(ctx, options(cfg, c)); err != nil {
				return err
			}
			if again {
				if err := app.Refill(ctx, options(cfg, c)); err != nil {
					return err
				}
			}
			fmt.Fprintln(c.OutOrStdout(), "everything is in place")
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&again, "again", false, "also bring up to date what the version before wrote during the upgrade")
	c.Flags().DurationVar(&wait, "timeout", 5*time.Minute, "how long it may take")
	return c
}
