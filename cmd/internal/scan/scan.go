package scan

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/pipeline"
)

// Options say what to scan and how to tell about it. Progress is called with the
// newest numbers, about twice a second.
type Options struct {
	Project   string // name of the new project
	Targets   Targets
	Resolvers []string
	Progress  func(Progress)
}

// Progress is where a scan stands.
type Progress struct {
	Counts  pipeline.Counts
	Settled bool
	Elapsed time.Duration
}

// Running is how many executions run, Waiting how many will, Done how many ended
// well, and Failed how many did not.
func (p *Progress) Running() uint64 {
	return p.Counts.Executions[pipeline.StateStarting] + p.Counts.Executions[pipeline.StateRunning]
}

// Waiting is how many executions are queued.
func (p *Progress) Waiting() uint64 { return p.Counts.Executions[pipeline.StateQueued] }

// Done is how many executions succeeded.
func (p *Progress) Done() uint64 { return p.Counts.Executions[pipeline.StateSucceeded] }

// Failed is how many executions ended otherwise.
func (p *Progress) Failed() uint64 {
	var n uint64
	for s, c := range p.Counts.Executions {
		if s.Ended() && s != pipeline.StateSucceeded {
			n += c
		}
	}
	return n
}

// Result is what a scan found.
type Result struct {
	Project    pipeline.Project          `json:"project"`
	Targets    Targets                   `json:"targets"`
	Complete   bool                      `json:"complete"` // false when it was interrupted or ran out of time
	Domains    []pipeline.Domain         `json:"domains"`
	Hosts      []pipeline.Host           `json:"hosts"`
	Ranges     []pipeline.IPRange        `json:"ipRanges"`
	Ports      []pipeline.Port           `json:"ports"`
	Websites   []pipeline.Website        `json:"websites"`
	Executions map[pipeline.State]uint64 `json:"executions"`
}

// Run makes a project, adds the targets, waits until nothing more comes or ctx
// ends, and returns what was found; with ctx's end the result is not complete.
func Run(ctx context.Context, c *client.Client, o Options) (Result, error) {
	res := Result{Targets: o.Targets}
	in := map[string]any{"name": o.Project}
	if len(o.Resolvers) > 0 {
		in["resolvers"] = o.Resolvers
	}
	if nets := o.Targets.Internal(); len(nets) > 0 {
		in["internal"] = nets
	}
	if err := c.Create(ctx, "/projects", in, &res.Project); err != nil {
		return res, fmt.Errorf("creating project: %w", err)
	}
	base := "/projects/" + res.Project.ID
	for _, add := range []struct {
		path, key string
		list      []string
	}{{"/domains", "domains", o.Targets.Domains}, {"/hosts", "ips", o.Targets.IPs}, {"/ip-ranges", "ranges", o.Targets.Ranges}} {
		if len(add.list) == 0 {
			continue
		}
		if err := c.Create(ctx, base+add.path, map[string]any{add.key: add.list}, nil); err != nil {
			return res, fmt.Errorf("adding %s: %w", add.key, err)
		}
	}
	waitErr := wait(ctx, c, res.Project.ID, o.Progress)
	if waitErr != nil && ctx.Err() == nil {
		return res, waitErr
	}
	res.Complete = waitErr == nil
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return res, collect(last, c, &res)
}

func wait(ctx context.Context, c *client.Client, project string, show func(Progress)) error {
	start := time.Now()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		var p Progress
		var a struct{ Settled bool }
		if err := c.Do(ctx, http.MethodGet, "/projects/"+project+"/activity", nil, &a); err != nil {
			return fmt.Errorf("watching the scan: %w", err)
		}
		if err := c.Do(ctx, http.MethodGet, "/counts?project="+project, nil, &p.Counts); err != nil {
			return fmt.Errorf("watching the scan: %w", err)
		}
		p.Settled, p.Elapsed = a.Settled, time.Since(start)
		show(p)
		if a.Settled {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func collect(ctx context.Context, c *client.Client, res *Result) (err error) {
	q := url.Values{"project": {res.Project.ID}}
	if res.Domains, err = client.All[pipeline.Domain](ctx, c, "/domains", q); err != nil {
		return fmt.Errorf("reading domains: %w", err)
	}
	if res.Hosts, err = client.All[pipeline.Host](ctx, c, "/hosts", q); err != nil {
		return fmt.Errorf("reading hosts: %w", err)
	}
	if res.Ranges, err = client.All[pipeline.IPRange](ctx, c, "/ip-ranges", q); err != nil {
		return fmt.Errorf("reading ranges: %w", err)
	}
	if res.Ports, err = client.All[pipeline.Port](ctx, c, "/ports", q); err != nil {
		return fmt.Errorf("reading ports: %w", err)
	}
	if res.Websites, err = client.All[pipeline.Website](ctx, c, "/websites", q); err != nil {
		return fmt.Errorf("reading websites: %w", err)
	}
	var counts pipeline.Counts
	if err := c.Do(ctx, http.MethodGet, "/counts?"+q.Encode(), nil, &counts); err != nil {
		return fmt.Errorf("reading counts: %w", err)
	}
	res.Executions = counts.Executions
	return nil
}
