package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
)

// folder writes a job of one's own.
func folder(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"template.yaml": "version: 2\nname: Mine\ntype: code\nlanguage: python\nsummary: Looks.\nparameters:\n" +
			"  - {name: targetIp, type: string, required: true}\n  - {name: ports, type: \"number[]\", default: [80]}\n",
		"main.py": code,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAJobInAFolderIsRunAndItsOutcomeIsTheExitCode(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	run := func(code string, more ...string) (string, string, int) {
		return call(t, program(ctx, t, append([]string{"job", "run", folder(t, code)}, more...)...))
	}
	good := "from stalker_sdk import PortFinding, log_finding, log_warning, params\n" +
		"ip = params.ip('targetIp')\nlog_warning('look \\x1b[31mout')\nfor n in params.integers('ports'): log_finding(PortFinding('PortFinding', ip, n, 'tcp'))\n"
	out, errs, code := run(good, "-p", "targetIp=127.0.0.1", "-p", "ports=22,443")
	if code != 0 || !strings.Contains(out, "warning look \\u001b[31mout") || !strings.Contains(out, "PortFinding") ||
		!strings.Contains(out, "port:443") || !strings.Contains(out, "2 findings, 1 warning") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	out, errs, code = run("raise SystemExit(7)", "-p", "targetIp=127.0.0.1", "--json")
	var res jobResult
	if err := json.Unmarshal([]byte(out), &res); err != nil || code != 1 || *res.Execution.ExitCode != 7 || res.Execution.Reason != pipeline.ReasonExitCode || res.Findings == nil {
		t.Errorf("exit code %d, %v\n%s\n%s", code, err, out, errs)
	}
	for want, flags := range map[string][]string{
		"targetIp is missing":          nil,
		"prots is no parameter of":     {"-p", "targetIp=127.0.0.1", "-p", "prots=1"},
		"is not name=value":            {"-p", "targetIp"},
		"there is no project \"Acme\"": {"-p", "targetIp=127.0.0.1", "--project", "Acme"},
	} {
		if out, errs, code := run("pass", flags...); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d\n%s\n%s", flags, code, out, errs)
		}
	}
	if _, errs, code := call(t, program(ctx, t, "job", "run", "TcpPortScan")); code != 2 || !strings.Contains(errs, "did you mean TcpPortScanningJob") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
