// Command stalker is the whole of Stalker: server and command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	os.Exit(code(err))
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use: "stalker", Short: "Attack surface management as a stream of findings",
		SilenceUsage: true, SilenceErrors: true, Version: version,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w (%s --help lists what there is)", err, c.CommandPath())
	})
	c.AddCommand(serveCommand(), scanCommand(), configCommand(), migrateCommand(), doctorCommand())
	c.AddCommand(openapiCommand(), demoCommand())
	c.AddCommand(ruleCommand(), exportCommand(), jobCommand(), secretsCommand())
	c.AddCommand(explainCommand(), sourceCommand())
	c.AddCommand(importCommand(), backupCommand(), restoreCommand())
	c.AddCommand(replayCommand(), verifyCommand(), dlqCommand(), generateCommand())
	return c
}

// noArgs is for commands that take flags alone.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument, and %q is one", c.CommandPath(), args[0])
	}
	return nil
}

// exit is an error that carries the process's exit code.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// code prints an error and returns the exit code: 0 when there is none.
func code(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[exit](err); ok {
		if e.err != nil {
			fmt.Fprintln(os.Stderr, "stalker:", e.err)
		}
		return e.code
	}
	fmt.Fprintln(os.Stderr, "stalker:", err)
	return 2
}
