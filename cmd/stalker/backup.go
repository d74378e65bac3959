package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/backup"
)

func backupCommand() *cobra.Command {
	var s settings
	var file string
	c := &cobra.Command{
		Use: "backup", Short: "Pack the data directory of a stopped server into one file", Args: noArgs,
		Long: "Pack the data directory of an embedded server into one file: what is known, users, projects, subscriptions, keys.\n" +
			"The server must not run: its stores would be copied at different moments. Keep the file like a key: it holds some.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if file == "" {
				file = "stalker-" + time.Now().UTC().Format("20060102-150405") + ".tar.zst"
			}
			m, err := backup.Create(cfg.Data, file, version, time.Now())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s holds %d files, %s\n", file, m.Files, size(m.Bytes))
			for _, what := range elsewhere(cfg) {
				fmt.Fprintln(c.OutOrStdout(), "not in it, back it up with its own tools:", what)
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVarP(&file, "output", "o", "", "file to write (default stalker-TIME.tar.zst)")
	return c
}

// elsewhere names what a configuration keeps in servers of its own.
func elsewhere(cfg app.Config) (list []string) {
	if len(cfg.Bus.Brokers) > 0 {
		list = append(list, "Kafka (bus.brokers)")
	}
	if len(cfg.ClickHouse.Addresses) > 0 {
		list = append(list, "ClickHouse (clickhouse.addresses)")
	}
	if cfg.Control.DSN != "" {
		list = append(list, "PostgreSQL (control.dsn)")
	}
	return list
}

func restoreCommand() *cobra.Command {
	var s settings
	var check bool
	c := &cobra.Command{
		Use: "restore FILE", Short: "Unpack a backup into an empty data directory, or check one", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			var m backup.Manifest
			if check {
				m, err = backup.Check(args[0])
			} else {
				m, err = backup.Restore(args[0], cfg.Data)
			}
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%s is whole: %d files, %s, made by %s at %s\n", args[0], m.Files, size(m.Bytes), m.Version, m.At.Format(time.RFC3339))
			if !check {
				fmt.Fprintf(out, "restored into %s: start it with stalker serve --data %s\n", cfg.Data, cfg.Data)
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&check, "check", false, "only read it to its end and compare every file with its digest")
	return c
}

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	value, names := float64(n), []string{"KiB", "MiB", "GiB", "TiB"}
	i := -1
	for value >= unit && i < len(names)-1 {
		value, i = value/unit, i+1
	}
	return fmt.Sprintf("%.1f %s", value, names[i])
}
