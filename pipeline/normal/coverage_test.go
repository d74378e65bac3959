package normal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/normal"
)

func TestCoverage(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	o := normal.Origin{ProjectID: "p", ExecutionID: "e", At: now, Since: now.Add(-time.Minute)}
	for name, tc := range map[string]struct{ in, key, ports, problem string }{
		"a host":       {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","fields":[{"key":"protocol","data":"tcp"},{"key":"ports","data":"80, 8000-8100,1-22,23,81"}]}`, key: "project:p;host:192.0.2.1", ports: "1-23,80-81,8000-8100"},
		"a range":      {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","mask":24,"fields":[{"key":"protocol","data":"udp"},{"key":"ports","data":"53"}]}`, key: "project:p;host:192.0.2.0;mask:24", ports: "53"},
		"a website":    {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","port":80,"domainName":""}`, key: "project:p;host:192.0.2.1;port:80;protocol:tcp;domain:;path:/"},
		"no ports":     {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","fields":[{"key":"protocol","data":"tcp"}]}`, problem: "needs the field ports"},
		"no protocol":  {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","fields":[{"key":"ports","data":"1"}]}`, problem: "needs the field protocol"},
		"a port 0":     {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","fields":[{"key":"protocol","data":"tcp"},{"key":"ports","data":"0"}]}`, problem: "no port or range"},
		"backwards":    {in: `{"type":"CustomFinding","key":"CoverageFinding","ip":"192.0.2.1","fields":[{"key":"protocol","data":"tcp"},{"key":"ports","data":"9-1"}]}`, problem: "no port or range"},
		"a domain":     {in: `{"type":"CustomFinding","key":"CoverageFinding","domainName":"a.example"}`, problem: "is about a host, a range or a website"},
		"another type": {in: `{"type":"IpFinding","key":"CoverageFinding","ip":"192.0.2.1"}`, problem: "is for type CustomFinding"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := normal.Finding(json.RawMessage(tc.in), o)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) || pipeline.CodeOf(err) != pipeline.CodeInvalid {
					t.Errorf("got %v, want %q", err, tc.problem)
				}
				return
			}
			if err != nil || f.CorrelationKey != tc.key || f.FieldText("ports") != tc.ports {
				t.Errorf("got %q %q, %v", f.CorrelationKey, f.FieldText("ports"), err)
			}
			if !f.Since.Before(o.Since) || f.Since.Before(o.Since.Add(-10*time.Second)) {
				t.Errorf("the look began at %s, the execution at %s", f.Since, o.Since)
			}
		})
	}
}

func FuzzPorts(f *testing.F) {
	f.Add("22,80,8000-8100")
	f.Add("65535-65535,1")
	f.Add("-")
	f.Fuzz(func(t *testing.T, s string) {
		ports, err := normal.Ports(s)
		if err != nil {
			return
		}
		for i := 0; i+1 < len(ports); i += 2 {
			if ports[i] == 0 || ports[i] > ports[i+1] || i > 0 && int(ports[i]) <= int(ports[i-1])+1 {
				t.Fatalf("%q becomes %v", s, ports)
			}
		}
	})
}
