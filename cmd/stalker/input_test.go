package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestWrongUseIsToldInOneBreath(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := ln.Addr().String()
	data := func() string { return filepath.Join(t.TempDir(), "data") }
	for _, tc := range []struct {
		args []string
		env  string
		want string // in what is said
	}{
		{[]string{"serv"}, "", `unknown command "serv"`},
		{[]string{"serve", "--prot", "1"}, "", "unknown flag: --prot (stalker serve --help lists what there is)"},
		{[]string{"serve", "now"}, "", `stalker serve takes no argument, and "now" is one`},
		{[]string{"demo", "lab"}, "", `stalker demo takes no argument`},
		{[]string{"scan"}, "", "name at least one target"},
		{[]string{"scan", "a b", "1.2.3"}, "", "\"a b\" is no domain, address, network or URL\n\"1.2.3\" is"},
		{[]string{"scan", "x.test", "--json", "--jsonl"}, "", "--json and --jsonl exclude one another"},
		{[]string{"scan", "x.test", "--timeout", "soon"}, "", `"soon" for "--timeout"`},
		{[]string{"scan", "x.test", "--server", "localhost"}, "", "is no address of a server, such as http://"},
		{[]string{"scan", "x.test", "--server", "http://127.0.0.1:1"}, "", "the server at http://127.0.0.1:1 does not answer: dial tcp"},
		{[]string{"serve", "--config", filepath.Join(dir, "absent.yaml")}, "", "absent.yaml: no such file"},
		{[]string{"serve", "--config", file("keys.yaml", "htp: {}\nhttp:\n  lisen: x\n")}, "", `keys.yaml:1:1: unknown key "htp"`},
		{[]string{"config", "check", "--config", file("types.yaml", "launcher:\n  concurrency: many\n")}, "", "types.yaml:2:16: launcher.concurrency must be a whole number, not many"},
		{[]string{"serve", "--config", file("yaml.yaml", "a: [\n")}, "", "yaml.yaml: [1:4]"},
		{[]string{"serve"}, "STALKER_CFG_HTTP__LISEN=x", "STALKER_CFG_HTTP__LISEN sets no known key"},
		{[]string{"serve", "--listen", "8080"}, "", `http: listen "8080" is not host:port`},
		{[]string{"serve", "--listen", "127.0.0.1:99999"}, "", "has no port from 0 to 65535"},
		{[]string{"serve", "--listen", taken, "--data", data()}, "", "another program listens on " + taken + ": stop it, or choose another address with --listen"},
		{[]string{"serve", "--listen", "192.0.2.1:80", "--data", data()}, "", "this machine has no address 192.0.2.1:80"},
		{[]string{"serve", "--roles", "cook"}, "", `roles: "cook" is none of api,`},
		{[]string{"serve", "--data", file("file", "")}, "", "making data directory"},
		{[]string{"serve", "--data", data(), "--listen", "127.0.0.1:0"}, "CHDB_LIB_PATH=/nonexistent.so", "is not at /nonexistent.so, where CHDB_LIB_PATH says it is"},
		{[]string{"serve", "--data", data(), "--listen", "127.0.0.1:0"}, "CHDB_LIB_PATH=/etc/passwd", "loading /etc/passwd"},
		{[]string{"replay"}, "", "say where to begin, with one of --from-start, --from-time and --from-offset"},
		{[]string{"replay", "--from-start", "--from-time", "1h"}, "", "say where to begin, with one of"},
		{[]string{"replay", "--from-time", "yesterday"}, "", `--from-time "yesterday" is neither a time`},
		{[]string{"replay", "--from-time", "2999-01-01T00:00:00Z"}, "", "has not come yet"},
		{[]string{"replay", "--from-start", "--topics", "cats"}, "", `"cats" is no topic the store is made from; those are stalker.findings,`},
		{[]string{"replay", "--from-offset", "findings"}, "", `"findings" is no position: write it as findings/3=1200`},
		{[]string{"replay", "--from-start", "--data", data()}, "", "no server has kept data in"},
		{[]string{"verify", "--data", data()}, "", "no server has kept data in"},
		{[]string{"generate", "--into", "files", "--rate", "-1"}, "", "--into \"files\" is neither topic nor store\n--rate and --spread must not be negative"},
		{[]string{"generate", "--resources", "0", "--findings", "0"}, "", "one of them more than 0"},
		{[]string{"generate", "--data", data()}, "", "no server has kept data in"},
		{[]string{"dlq", "show", "x"}, "", `"x" is not the number of a dead letter`},
		{[]string{"dlq", "replay"}, "", "name the letters to replay by their numbers, or give --all"},
		{[]string{"scan", "x.test", "--data", data()}, "CHDB_LIB_PATH=/nonexistent.so", "is not at /nonexistent.so"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		cmd := program(ctx, t, tc.args...)
		cmd.Env = append(cmd.Env, tc.env)
		out, errs, code := call(t, cmd)
		cancel()
		if code != 2 || !strings.Contains(errs, tc.want) {
			t.Errorf("%v %s: exit code %d, said %q, want %q", tc.args, tc.env, code, errs, tc.want)
		}
		if out != "" || strings.Count(errs, "stalker: ") != 1 {
			t.Errorf("%v: not one message:\n%s%s", tc.args, out, errs)
		}
	}
}

func TestHelpAndVersionSucceed(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"scan", "--help"}, {"demo", "--help"}, {"--version"}, {"config", "check"}} {
		if out, errs, code := short(t, args...); code != 0 || out == "" {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
}

func TestADataDirectoryInUseNamesItsHolder(t *testing.T) {
	data := t.TempDir()
	d := serving(t, data)
	_, errs, code := short(t, "serve", "--data", data, "--listen", "127.0.0.1:0")
	want := fmt.Sprintf("data directory %s is in use by process %d: stop it, or choose another with --data", data, d.cmd.Process.Pid)
	if code != 2 || !strings.Contains(errs, want) {
		t.Errorf("exit code %d, said %q, want %q", code, errs, want)
	}
	resp, err := get(t, d.url+"/readyz")
	if err != nil || resp != http.StatusOK {
		t.Errorf("the first server: %d, %v", resp, err)
	}
	d.signal(syscall.SIGTERM)
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("after SIGTERM the server ended with %d:\n%s", code, d.said())
	}
	for _, left := range []string{"server.json"} {
		if _, err := os.Stat(filepath.Join(data, left)); !os.IsNotExist(err) {
			t.Errorf("%s is still there", left)
		}
	}
}

func get(t *testing.T, url string) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// TestWhatJobsLackFailsThemAndNothingElse covers what only an execution meets: no
// interpreter, and a gateway that does not answer.
func TestWhatJobsLackFailsThemAndNothingElse(t *testing.T) {
	whole(t)
	t.Parallel() // a job tries to reach its gateway for two minutes
	for _, tc := range []struct {
		name, env, warning, detail string
		reason                     pipeline.Reason
	}{
		{"no interpreter", "STALKER_CFG_LOCAL__PYTHON=python-that-is-not-here", "python-that-is-not-here is not installed", "install Python", pipeline.ReasonNoInterpreter},
		{"no gateway", "STALKER_CFG_GATEWAYURL=http://127.0.0.1:1/gateway/v1", "", "gateway", pipeline.ReasonReported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			data, l := t.TempDir(), running(t)
			d := serving(t, data, tc.env)
			if !strings.Contains(d.said(), tc.warning) {
				t.Errorf("the server says %q, want %q", d.said(), tc.warning)
			}
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			out, errs, code := call(t, program(ctx, t, "scan", "www.lab.test", "--resolver", l.Resolver(), "--data", data, "--json"))
			var res scan.Result
			if err := json.Unmarshal([]byte(out), &res); err != nil || code != exitJobsFailed || res.Executions[pipeline.StateFailed] != 1 {
				t.Fatalf("exit code %d, %v\n%s\n%s", code, err, out, errs)
			}
			if len(res.Domains) != 1 {
				t.Errorf("the target is lost: %+v", res.Domains)
			}
			cn, err := (&where{data: data}).connect(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			var p pipeline.Page[pipeline.Execution]
			if err := cn.Do(ctx, http.MethodGet, "/executions?project="+res.Project.ID, nil, &p); err != nil || len(p.Items) != 1 {
				t.Fatalf("%v, %+v", err, p)
			}
			if e := p.Items[0]; e.Reason != tc.reason || !strings.Contains(e.Detail, tc.detail) {
				t.Errorf("the execution failed with %s: %s", e.Reason, e.Detail)
			}
		})
	}
}
