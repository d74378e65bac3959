package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/demo"
	"github.com/stalker-asm/stalker/cmd/internal/lab"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestDemoDiscoversTheWholeLab(t *testing.T) {
	whole(t)
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	out, errs, code := call(t, program(ctx, t, "demo", "--timeout", long.String()))
	if code != 0 || !strings.Contains(out, "nothing is missing, nothing is extra") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	for _, want := range []string{"https://admin.lab.test:", "Both protocols", "stun", "OpenSSH 9.6p1", "jobs succeeded, 0 did not"} {
		if !strings.Contains(out, want) {
			t.Errorf("the result lacks %q:\n%s", want, out)
		}
	}
	if strings.ContainsRune(out+errs, '\x1b') {
		t.Error("an escape sequence of the hostile host reached the terminal")
	}
	if !strings.Contains(errs, "jobs: ") {
		t.Errorf("no progress was shown:\n%s", errs)
	}
}

func TestDemoThatRunsOutOfTimeSaysSo(t *testing.T) {
	whole(t)
	for limit, want := range map[string]string{"1ms": "out of time", "5s": "missing"} {
		ctx, cancel := context.WithTimeout(t.Context(), long)
		out, errs, code := call(t, program(ctx, t, "demo", "--timeout", limit))
		cancel()
		if code != exitTimeout || !strings.Contains(errs+out, want) {
			t.Errorf("after %s: exit code %d\n%s\n%s", limit, code, out, errs)
		}
	}
}

// whole is for tests that let a server work: half a minute each, and more on a
// machine that is busy.
func whole(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a server for long")
	}
}

// running starts a lab for a test.
func running(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-gone })
	return l
}

func TestScanPrintsAHostOfTheLabAsJSON(t *testing.T) {
	whole(t)
	l := running(t)
	ip := l.Network().Addr().Next().String()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	out, errs, code := call(t, program(ctx, t, "scan", ip, "--json", "--timeout", long.String()))
	var res scan.Result
	if err := json.Unmarshal([]byte(out), &res); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s\n%s", code, err, out, errs)
	}
	if !res.Complete || len(res.Hosts) != 1 || res.Hosts[0].IP != ip {
		t.Errorf("complete %v, hosts %+v", res.Complete, res.Hosts)
	}
	got, want := lines(res.Ports, res.Websites), lines(l.Truth().Ports, l.Truth().Websites)
	for _, line := range want {
		if strings.HasPrefix(line, ip+" ") && !slices.Contains(got, line) {
			t.Errorf("the scan lacks %s; it has\n%s", line, strings.Join(got, "\n"))
		}
	}
}

// lines puts ports, and websites of bare addresses, each in a line.
func lines(ports []pipeline.Port, sites []pipeline.Website) []string {
	var list []string
	for _, p := range ports {
		list = append(list, fmt.Sprintf("%s port %d/%s %s %s %s", p.IP, p.Port, p.Protocol, p.Service, p.Product, p.Version))
	}
	for _, w := range sites {
		if w.Domain == "" {
			list = append(list, fmt.Sprintf("%s site %s %d %s %v", w.IP, w.URL, w.Status, w.Title, w.Technologies))
		}
	}
	return list
}

// TestKillsInTheMiddleOfTheDemoChangeNothing kills the server again and again
// while it discovers the lab, and compares with an undisturbed run on the same
// server: the same inventory (both complete), the same executions, each once and
// succeeded, none left open.
func TestKillsInTheMiddleOfTheDemoChangeNothing(t *testing.T) {
	whole(t)
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	data, l := t.TempDir(), running(t)
	server := serving(t, data)
	cl, err := (&where{data: data}).must(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	disturbed := make(chan outcome, 1)
	go func() { disturbed <- discoverLab(t.Context(), cl, l, "disturbed") }()
	const kills = 6
	var first outcome
	for k := 0; ; k++ {
		select {
		case first = <-disturbed:
		case <-time.After(time.Duration(rng.IntN(6000)) * time.Millisecond): // a random moment, in the start as well
			if k < kills {
				server.signal(syscall.SIGKILL)
				server = spawn(t, data)
				continue
			}
			first = <-disturbed
		}
		if k < kills {
			t.Logf("the discovery was over after %d of %d kills", k, kills)
		}
		break
	}
	second := discoverLab(t.Context(), cl, l, "undisturbed")
	for _, o := range []outcome{first, second} {
		if o.err != nil || !o.result.Complete() {
			t.Errorf("%s: %v, differences %+v", o.result.Scan.Project.Name, o.err, o.result.Differences)
		}
	}
	if d := cmp.Diff(first.executions, second.executions); d != "" {
		t.Errorf("executions (-disturbed +undisturbed):\n%s", d)
	}
}

// outcome is what came of a discovery.
type outcome struct {
	result     demo.Result
	executions []string
	err        error
}

// discoverLab runs the demo against a server that may come and go.
func discoverLab(ctx context.Context, cl *client.Client, l *lab.Lab, name string) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	o.result, o.err = demo.Run(ctx, cl, l, demo.Options{Project: name, Out: io.Discard, Progress: func(scan.Progress) {}})
	if o.err != nil {
		return o
	}
	var list []pipeline.Execution
	list, o.err = client.All[pipeline.Execution](ctx, cl, "/executions", url.Values{"project": {o.result.Scan.Project.ID}})
	for _, e := range list {
		if ofTheLab(l, e.Target) {
			_, target, _ := strings.Cut(e.Target, ";")
			o.executions = append(o.executions, fmt.Sprintf("%s %s: %s", e.Job, target, e.State))
		}
	}
	slices.Sort(o.executions)
	return o
}

// ofTheLab leaves out what a service of this machine, on all its addresses, gave
// rise to: it may have come and gone.
func ofTheLab(l *lab.Lab, target string) bool {
	if !strings.Contains(target, ";port:") {
		return true
	}
	return slices.ContainsFunc(l.Truth().Ports, func(p pipeline.Port) bool {
		return strings.Contains(target+";", fmt.Sprintf(";host:%s;port:%d;protocol:%s;", p.IP, p.Port, p.Protocol))
	})
}
