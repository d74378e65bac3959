package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/server"
	"github.com/stalker-asm/stalker/api/ui"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/deploy"
	"github.com/stalker-asm/stalker/docs"
	"github.com/stalker-asm/stalker/pipeline/config"
	"github.com/stalker-asm/stalker/pipeline/telemetry"
)

// settings are the flags every command that needs the configuration has.
type settings struct {
	file, data, listen string
	roles              []string
}

func (s *settings) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.file, "config", "", "configuration file (YAML)")
	c.Flags().StringVar(&s.data, "data", "", "data directory (default "+app.DefaultData()+")")
	c.Flags().StringVar(&s.listen, "listen", "", "address of the API, gateway and web interface (default 127.0.0.1:8080)")
	c.Flags().StringSliceVar(&s.roles, "roles", nil, "roles of this process (default all)")
}

// load returns the configuration: defaults, file, environment, flags.
func (s *settings) load() (app.Config, error) {
	cfg := app.DefaultConfig()
	if err := config.Load(&cfg, s.file, os.Environ()); err != nil {
		return cfg, fmt.Errorf("configuration:\n%w", err)
	}
	if s.data != "" {
		cfg.Data = s.data
	}
	if s.listen != "" {
		cfg.HTTP.Listen = s.listen
	}
	if len(s.roles) > 0 {
		cfg.Roles = s.roles
	}
	if err := config.Validate(&cfg); err != nil { // the flags may have broken it
		return cfg, fmt.Errorf("configuration:\n%w", err)
	}
	return cfg, nil
}

func serveCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use: "serve", Short: "Run the server, with everything embedded unless configured otherwise", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c, &s) },
	}
	s.flags(c)
	return c
}

func serve(c *cobra.Command, s *settings) error {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	ctx := c.Context()
	a, err := app.New(ctx, options(cfg, c))
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "Stalker %s is running at %s\n", version, a.URL())
	fmt.Fprintf(out, "Data is kept in %s\n", cfg.Data)
	if code := a.SetupCode(ctx); code != "" {
		fmt.Fprintf(out, "Nobody can log in yet: open %s/setup#%s and create the first user with the code %s\n", a.URL(), code, code)
	}
	if ui.FS() == nil {
		fmt.Fprintln(out, server.NoUI)
	}
	return a.Run(ctx)
}

func options(cfg app.Config, c *cobra.Command) app.Options {
	return app.Options{
		Config: cfg, Catalogue: deploy.Catalogue(), Templates: deploy.Templates(), SDK: deploy.SDK(), UI: ui.FS(), Manual: docs.FS(), Version: version,
		Log: telemetry.Logger(cfg.Log, c.ErrOrStderr()),
	}
}

func configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check or show the configuration"}
	var s settings
	check := &cobra.Command{
		Use: "check", Short: "Report every problem of the configuration", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := s.load(); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "the configuration is fine")
			return nil
		},
	}
	dump := &cobra.Command{
		Use: "dump", Short: "Print the effective configuration, secrets hidden", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			text, err := config.Dump(&cfg)
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	s.flags(check)
	s.flags(dump)
	c.AddCommand(check, dump)
	return c
}
