package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/client"
)

// where says which server a command speaks to.
type where struct{ server, token, data string }

func (f *where) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.server, "server", os.Getenv("STALKER_SERVER"), "address of a running server")
	c.Flags().StringVar(&f.token, "token", os.Getenv("STALKER_TOKEN"), "token for that server")
	c.Flags().StringVar(&f.data, "data", app.DefaultData(), "data directory of a running server on this machine")
}

// connection is a server to speak to. stop ends what was started for it.
type connection struct {
	*client.Client
	url  string
	code string // creates the first user of a server that was started, else ""
	stop func() error
	// started says that the server ends with the command.
	started bool
}

// running finds a running server: the one that was named, else the one of the data
// directory. The client is nil when there is none.
func (f *where) running(ctx context.Context) (cl *client.Client, address string, err error) {
	if f.server != "" {
		if u, err := url.Parse(f.server); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, "", fmt.Errorf("--server %q is no address of a server, such as http://127.0.0.1:8080", f.server)
		}
		return client.New(f.server, f.token), f.server, nil
	}
	a, ok := announced(ctx, f.data)
	if !ok {
		return nil, "", nil
	}
	cl = client.New(a.URL, a.Token)
	cl.Follow(func(ctx context.Context) (string, string, bool) {
		a, ok := announced(ctx, f.data)
		return a.URL, a.Token, ok
	})
	return cl, a.URL, nil
}

// must is the running server a command needs.
func (f *where) must(ctx context.Context) (*client.Client, error) {
	cl, _, err := f.running(ctx)
	if err == nil && cl == nil {
		err = errors.New("no server runs here: start one with stalker serve, or name one with --server and --token")
	}
	return cl, err
}

// connect finds a running server, or starts one in a temporary directory.
func (f *where) connect(ctx context.Context, c *cobra.Command) (connection, error) {
	if cl, address, err := f.running(ctx); err != nil || cl != nil {
		return connection{Client: cl, url: address, stop: func() error { return nil }}, err
	}
	dir, err := os.MkdirTemp("", "stalker-")
	if err != nil {
		return connection{}, fmt.Errorf("making a temporary directory: %w", err)
	}
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen, cfg.Log.Level = dir, "127.0.0.1:0", "warn"
	a, err := app.New(ctx, options(cfg, c))
	if err != nil {
		return connection{}, errors.Join(err, os.RemoveAll(dir))
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- a.Run(run) }()
	return connection{Client: client.New(a.URL(), a.Token()), url: a.URL(), code: a.SetupCode(ctx), started: true, stop: func() error {
		cancel()
		return errors.Join(<-done, os.RemoveAll(dir))
	}}, nil
}

// announced returns the server that says it runs on this data directory, if it
// answers.
func announced(ctx context.Context, data string) (app.Announcement, bool) {
	var a app.Announcement
	b, err := os.ReadFile(filepath.Join(data, "server.json"))
	if err != nil || json.Unmarshal(b, &a) != nil {
		return a, false
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return a, client.New(a.URL, a.Token).Do(ctx, "GET", "/me", nil, nil) == nil
}
