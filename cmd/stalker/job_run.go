package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

// Exit codes of job run, besides 0 for success and 2 for wrong use.
var outcomes = map[pipeline.State]int{
	pipeline.StateSucceeded: 0, pipeline.StateFailed: 1, pipeline.StateTimedOut: 3, pipeline.StateStopped: 4, pipeline.StateLost: 5,
}

type jobRunFlags struct {
	where
	parameters         []string
	project, level     string
	asJSON, undeclared bool
	detach             bool
}

func jobRun() *cobra.Command {
	var f jobRunFlags
	c := &cobra.Command{
		Use:   "run NAME|FOLDER",
		Short: "Run a job, show its log while it runs and then what it found",
		Long: "Run a job by its name, or by the folder it is written in, which is applied first. Shows its log while it runs, and then its findings.\n" +
			"Uses the running server of --server, STALKER_SERVER or the data directory; with none, an embedded one that is removed afterwards.\n" +
			"Without --project it runs in a project named \"job run\", which may aim at the special addresses that are named.\n\n" +
			"Exit codes: 0 succeeded, 1 failed, 2 wrong use or server error, 3 out of time, 4 stopped, 5 lost, 130 interrupted (the job is stopped).",
		Example: "  stalker job run TcpPortScanningJob -p targetIp=127.0.0.1 -p ports=22,80,443\n" +
			"  stalker job run ./my-job -p domainName=example.com --project Acme",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runJob(c, &f, args[0]) },
	}
	f.flags(c)
	c.Flags().StringArrayVarP(&f.parameters, "param", "p", nil, "a parameter, name=value (repeat for several; lists are separated by commas)")
	c.Flags().StringVar(&f.project, "project", "", "name or id of the project to run it in")
	c.Flags().StringVar(&f.level, "level", string(pipeline.LevelInfo), "the least severe log lines to show: debug, info, warning, error")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document when it has ended: execution, log and findings")
	c.Flags().BoolVar(&f.undeclared, "undeclared", false, "pass parameters that the job does not declare")
	c.Flags().BoolVar(&f.detach, "detach", false, "print the execution's id and do not wait for its end")
	return c
}

func runJob(c *cobra.Command, f *jobRunFlags, name string) error {
	if !slices.Contains(pipeline.Levels(), pipeline.Level(f.level)) {
		return fmt.Errorf("--level %q is none of debug, info, warning, error", f.level)
	}
	ctx := c.Context()
	cn, err := f.connect(ctx, c)
	if err != nil {
		return err
	}
	if f.detach && cn.started {
		return errors.Join(errors.New("--detach needs a running server: the embedded one ends with this command"), cn.stop())
	}
	res, err := f.run(ctx, c, cn.Client, name)
	stopped := cn.stop()
	switch {
	case ctx.Err() != nil:
		return exit{exitInterrupted, stopped}
	case err != nil || stopped != nil:
		return errors.Join(err, stopped)
	case f.detach || res.Execution.State == pipeline.StateSucceeded:
		return nil
	default:
		return exit{outcomes[res.Execution.State], nil}
	}
}

// jobResult is what a run came to.
type jobResult struct {
	Execution pipeline.Execution       `json:"execution"`
	Log       []pipeline.LogLine       `json:"log"`
	Findings  []pipeline.StoredFinding `json:"findings"`
}

func (f *jobRunFlags) run(ctx context.Context, c *cobra.Command, cl *client.Client, name string) (res jobResult, err error) {
	var j jobView
	if isFolder(name) {
		j, _, err = applyJob(ctx, cl, name)
	} else {
		j, err = jobOf(ctx, cl, name)
	}
	if err != nil {
		return res, err
	}
	args, err := arguments(&j.Job, f.parameters)
	if err != nil {
		return res, err
	}
	project, err := f.projectOf(ctx, cl, args)
	if err != nil {
		return res, err
	}
	in := map[string]any{"projectId": project, "job": j.Name, "arguments": args, "undeclared": f.undeclared}
	if err := cl.Create(ctx, "/executions", in, &res.Execution); err != nil {
		return res, err
	}
	if f.detach {
		fmt.Fprintln(c.OutOrStdout(), res.Execution.ID)
		return res, nil
	}
	if err := f.follow(ctx, c, cl, &res); err != nil {
		return res, err
	}
	return res, f.show(ctx, c, cl, &res)
}

// arguments reads name=value as the job declares it. What it does not declare is
// text; the server says whether that is wrong.
func arguments(j *pipeline.Job, given []string) ([]pipeline.Argument, error) {
	out := make([]pipeline.Argument, 0, len(given))
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("-p %q is not name=value", s)
		}
		var v any = value
		i := slices.IndexFunc(j.Parameters, func(p pipeline.Parameter) bool { return p.Name == name })
		if i >= 0 && strings.HasSuffix(j.Parameters[i].Type, "[]") && !strings.HasPrefix(strings.TrimSpace(value), "[") {
			v = strings.Split(value, ",")
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("-p %s: %w", name, err)
		}
		out = append(out, pipeline.Argument{Name: name, Value: raw})
	}
	return out, nil
}

// jobRunProject is where jobs run that are run without a project.
const jobRunProject = "job run"

// projectOf is the project to run in. In the one for runs without a project, special
// addresses that are named may be aimed at: who names one means it.
func (f *jobRunFlags) projectOf(ctx context.Context, cl *client.Client, args []pipeline.Argument) (string, error) {
	if f.project != "" {
		return projectID(ctx, cl, f.project)
	}
	var all pipeline.Page[pipeline.Project]
	if err := cl.Do(ctx, http.MethodGet, "/projects", nil, &all); err != nil {
		return "", err
	}
	nets := named(args)
	var p pipeline.Project
	i := slices.IndexFunc(all.Items, func(p pipeline.Project) bool { return p.Name == jobRunProject })
	if i < 0 {
		err := cl.Create(ctx, "/projects", map[string]any{"name": jobRunProject, "internal": present(nets)}, &p)
		return p.ID, err
	}
	p = all.Items[i]
	missing := slices.DeleteFunc(nets, p.MayScanRange)
	if len(missing) == 0 {
		return p.ID, nil
	}
	return p.ID, cl.Do(ctx, http.MethodPatch, "/projects/"+p.ID, map[string]any{"internal": append(p.Internal, missing...)}, &p)
}

// named returns the special-purpose networks that arguments name.
func named(args []pipeline.Argument) (nets []netip.Prefix) {
	bits := -1
	for _, a := range args {
		if a.Name == "targetMask" {
			var text string
			_ = json.Unmarshal(a.Value, &text) // every value is text here
			if _, err := fmt.Sscan(text, &bits); err != nil {
				bits = -1
			}
		}
	}
	for _, a := range args {
		var texts []string
		if json.Unmarshal(a.Value, &texts) != nil {
			texts = []string{strings.Trim(string(a.Value), `"`)}
		}
		for _, s := range texts {
			addr, err := netip.ParseAddr(s)
			if err != nil || pipeline.IsPublic(addr) {
				continue
			}
			n := netip.PrefixFrom(addr, addr.BitLen())
			if m, err := addr.Prefix(bits); err == nil && a.Name == "targetIp" {
				n = m
			}
			nets = append(nets, n)
		}
	}
	return nets
}

// follow shows the log until the end. An interrupted run is stopped.
func (f *jobRunFlags) follow(ctx context.Context, c *cobra.Command, cl *client.Client, res *jobResult) error {
	out := c.OutOrStdout()
	if f.asJSON {
		out = io.Discard
	}
	res.Log = []pipeline.LogLine{}
	q := url.Values{"level": {f.level}}
	err := cl.Events(ctx, "/executions/"+res.Execution.ID+"/logs/stream?"+q.Encode(), func(e client.Event) error {
		switch e.Name {
		case "line":
			var l pipeline.LogLine
			if err := json.Unmarshal([]byte(e.Data), &l); err != nil {
				return err
			}
			res.Log = append(res.Log, l)
			fmt.Fprintf(out, "%s %-7s %s\n", l.At.Local().Format(time.TimeOnly), l.Level, scan.Printable(l.Text))
		case "end":
			if err := json.Unmarshal([]byte(e.Data), &res.Execution); err != nil {
				return err
			}
			return client.ErrEnough
		}
		return nil
	})
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	fmt.Fprintln(c.ErrOrStderr(), "interrupted: stopping the job")
	return cl.Do(last, http.MethodPost, "/executions/"+res.Execution.ID+"/stop", nil, nil)
}

// shown is how many findings are listed for people.
const shown = 50

// show writes what the run came to.
func (f *jobRunFlags) show(ctx context.Context, c *cobra.Command, cl *client.Client, res *jobResult) (err error) {
	e := &res.Execution
	q := url.Values{"execution": {e.ID}, "sort": {"at"}}
	if res.Findings, err = client.All[pipeline.StoredFinding](ctx, cl, "/findings", q); err != nil {
		return err
	}
	if f.asJSON {
		res.Findings = present(res.Findings)
		return writeJSON(c, res)
	}
	t := tabwriter.NewWriter(c.OutOrStdout(), 0, 8, 2, ' ', 0)
	for i := range res.Findings {
		if i == 0 {
			fmt.Fprint(t, "\nFINDING\tABOUT\tFIELDS\n")
		}
		if i == shown {
			fmt.Fprintf(t, "…\tand %d more\n", len(res.Findings)-shown)
			break
		}
		x := &res.Findings[i]
		_, about, _ := strings.Cut(x.CorrelationKey, ";")
		fmt.Fprintf(t, "%s\t%s\t%s\n", scan.Printable(x.Key), scan.Printable(about), fieldsOf(x))
	}
	fmt.Fprintf(t, "\n%s\n", ending(e))
	return t.Flush()
}

// fieldsOf is what a finding says, on one line of bounded length.
func fieldsOf(x *pipeline.StoredFinding) string {
	var parts []string
	for _, fd := range x.Fields {
		if fd.Type != pipeline.ImageField {
			parts = append(parts, fd.Key+"="+fd.Text())
		}
	}
	s := []rune(scan.Printable(strings.Join(parts, " ")))
	if len(s) > 100 {
		return string(s[:99]) + "…"
	}
	return string(s)
}

// ending is the outcome in one line, and its reason in another.
func ending(e *pipeline.Execution) string {
	parts := []string{string(e.State)}
	if !e.StartedAt.IsZero() {
		parts[0] += fmt.Sprintf(" after %s", e.EndedAt.Sub(e.StartedAt).Round(100*time.Millisecond))
	}
	for _, x := range []struct {
		n    int
		what string
	}{{e.Findings, "finding"}, {e.Errors, "error"}, {e.Warnings, "warning"}} {
		if x.n == 1 {
			parts = append(parts, "1 "+x.what)
		} else if x.n > 1 || x.what == "finding" {
			parts = append(parts, fmt.Sprintf("%d %ss", x.n, x.what))
		}
	}
	s := strings.Join(parts, ", ")
	if e.Detail != "" {
		s += "\n" + scan.Printable(e.Detail)
	}
	return s
}
