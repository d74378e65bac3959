package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// referenceCase is a request as the reference's SDK sends it, and what comes of it.
type referenceCase struct {
	action, body string // %s is the credential, as JSON text
	status       int
	findings     []string
	lines        []string
}

func referenceCases() map[string]referenceCase {
	const credential = `"RedKiteContext":%s`
	return map[string]referenceCase{
		"a batch": {
			"Finding", `{"Finding":"@finding {\"findings\":[{\"type\":\"IpFinding\",\"key\":\"IpFinding\",\"ip\":\"192.0.2.7\",\"name\":null,\"fields\":[]},{\"type\":\"HostnameFinding\",\"key\":\"HostnameFinding\",\"domainName\":\"a.example\",\"ip\":null,\"fields\":[]}]}",` + credential + `}`,
			200,
			[]string{"IpFinding 192.0.2.7 ", "HostnameFinding  a.example"},
			nil,
		},
		"other case of names": {"Finding", `{"finding":"@info hello  world ","redKiteContext":%s}`, 200, nil, []string{"info hello  world"}},
		"a secret":            {"Finding", `{"Finding":"@warning it is ` + hidden + `",` + credential + `}`, 200, nil, []string{"warning it is ••"}},
		"one of two is bad": {
			"Finding", `{"Finding":"@finding {\"findings\":[{\"type\":\"IpFinding\",\"key\":\"IpFinding\",\"ip\":\"nowhere\"},{\"type\":\"IpFinding\",\"key\":\"IpFinding\",\"ip\":\"192.0.2.8\"}]}",` + credential + `}`,
			200,
			[]string{"IpFinding 192.0.2.8 "},
			[]string{"error finding 1 of 2 was refused: "},
		},
		"success":          {"Status", `{"Status":"Success",` + credential + `}`, 200, nil, []string{"debug the job says that it succeeded"}},
		"failed":           {"Status", `{"Status":"Failed",` + credential + `}`, 200, nil, []string{"report the job said so", "error the job says that it failed"}},
		"ended":            {"Status", `{"Status":"Ended",` + credential + `}`, 200, nil, []string{"debug the job says that it ended"}},
		"started":          {"Status", `{"Status":"Started",` + credential + `}`, 400, nil, nil},
		"status in lower":  {"Status", `{"Status":"failed",` + credential + `}`, 400, nil, nil},
		"unknown prefix":   {"Finding", `{"Finding":"@trace x",` + credential + `}`, 400, nil, nil},
		"no space":         {"Finding", `{"Finding":"@finding",` + credential + `}`, 400, nil, nil},
		"no findings":      {"Finding", `{"Finding":"@finding {\"found\":[]}",` + credential + `}`, 400, nil, nil},
		"no credential":    {"Finding", `{"Finding":"@info x"}`, 400, nil, nil},
		"no JSON":          {"Finding", `Finding=x`, 400, nil, nil},
		"broken context":   {"Finding", `{"Finding":"@info x","RedKiteContext":"{\"Id\":"}`, 400, nil, nil},
		"a forged context": {"Finding", `{"Finding":"@info x","RedKiteContext":"{\"Id\":\"e1\",\"ProjectId\":\"` + project + `\",\"Signature\":\"bm8=\"}"}`, 400, nil, nil},
	}
}

func TestAnImageOfTheReferenceIsUnderstood(t *testing.T) {
	for name, tc := range referenceCases() {
		for _, at := range []string{"", gateway.Path} { // by host alone, and by our address
			p := &fakeProducer{}
			f := serve(t, gateway.DefaultConfig(), p)
			text, _ := json.Marshal(jobtoken.ReferenceContext("e1", project, f.token))
			body := strings.Replace(tc.body, "%s", string(text), 1)
			if got := f.raw(t, at+"/Jobs/"+tc.action, body); got != tc.status {
				t.Errorf("%s: status %d, want %d", name, got, tc.status)
			}
			findings, lines := heard(t, p.recs)
			if !slices.Equal(findings, tc.findings) || !slices.EqualFunc(lines, tc.lines, strings.HasPrefix) {
				t.Errorf("%s: findings %q and lines %q, want %q and %q", name, findings, lines, tc.findings, tc.lines)
			}
		}
	}
}

func TestTheContextOfOneExecutionIsNoOthers(t *testing.T) {
	p := &fakeProducer{}
	f := serve(t, gateway.DefaultConfig(), p)
	for _, credential := range []string{
		jobtoken.ReferenceContext("e2", project, f.token), jobtoken.ReferenceContext("e1", strings.Repeat("b", 24), f.token), f.token,
	} {
		text, _ := json.Marshal(credential)
		if got := f.raw(t, "/Jobs/Finding", fmt.Sprintf(`{"Finding":"@info x","RedKiteContext":%s}`, text)); got != http.StatusBadRequest || len(p.recs) > 0 {
			t.Errorf("%s: status %d, %d records", credential, got, len(p.recs))
		}
	}
}

func TestTheReferencesDoorHasTheSameLimits(t *testing.T) {
	cfg := gateway.DefaultConfig()
	cfg.MaxBody, cfg.MaxInFlight = 4096, 4096
	down := &fakeProducer{produce: func(context.Context) error { return pipeline.Errorf(pipeline.CodeUnavailable, "no broker") }}
	f := serve(t, cfg, down)
	text, _ := json.Marshal(jobtoken.ReferenceContext("e1", project, f.token))
	for line, want := range map[string]int{"x": http.StatusServiceUnavailable, strings.Repeat("x", 5000): http.StatusRequestEntityTooLarge} {
		if got := f.raw(t, "/Jobs/Finding", fmt.Sprintf(`{"Finding":"@info %s","RedKiteContext":%s}`, line, text)); got != want {
			t.Errorf("%d bytes: status %d, want %d", len(line), got, want)
		}
	}
}

// TestTheSDKAsItSpeaksToTheReference runs a script of the reference, under either
// of its names for the SDK, with its environment and none of ours.
func TestTheSDKAsItSpeaksToTheReference(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("needs python3")
	}
	sdks, err := filepath.Abs("../../deploy/sdk")
	if err != nil {
		t.Fatal(err)
	}
	for _, sdk := range []string{"stalker_job_sdk", "red_kite_job_sdk"} {
		p := &fakeProducer{}
		f := serve(t, gateway.DefaultConfig(), p)
		cmd := exec.CommandContext(t.Context(), python, "-c", "from "+sdk+` import IpFinding, JobStatus, PortFinding, log_finding, log_status, log_warning
log_finding(IpFinding("IpFinding", "192.0.2.9"), PortFinding("PortFinding", "192.0.2.9", 22, "tcp"))
log_warning("careful: ümlaut")
log_status(JobStatus.FAILED)
`)
		cmd.Dir = t.TempDir()
		cmd.Env = []string{
			"PYTHONPATH=" + sdks, "PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1",
			"RedKiteOrchestratorUrl=" + f.server.URL, "RedKiteContext=" + jobtoken.ReferenceContext("e1", project, f.token),
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", sdk, err, out)
		}
		findings, lines := heard(t, p.recs)
		if want := []string{"IpFinding 192.0.2.9 ", "PortFinding 192.0.2.9 "}; !slices.Equal(findings, want) {
			t.Errorf("%s: findings %q", sdk, findings)
		}
		if want := []string{"warning careful: ümlaut", "report the job said so", "error the job says that it failed", "debug the job says that it ended"}; !slices.Equal(lines, want) {
			t.Errorf("%s: lines %q", sdk, lines)
		}
	}
}

// raw posts without any header of ours.
func (f fixture) raw(t *testing.T, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// heard sorts what a job said, and checks that it is that job's.
func heard(t *testing.T, recs []bus.Record) (findings, lines []string) {
	t.Helper()
	var last uint64
	for _, r := range recs {
		if r.Topic == bus.TopicFindings {
			d, err := record.DecodeFinding(r.Value)
			if err != nil || d.ExecutionID != "e1" || d.ProjectID != project {
				t.Fatalf("%+v, %v", d, err)
			}
			findings = append(findings, fmt.Sprintf("%s %s %s", d.Key, d.IP, d.Domain))
			continue
		}
		if r.Topic == bus.TopicStops {
			s, err := record.Decode[pipeline.StopRequest](r.Value)
			if err != nil || s.Report == nil || s.Report.ExecutionID != "e1" || s.Report.Attempt != 2 || s.ExecutionID != "" || s.ProjectID != "" {
				t.Fatalf("%+v, %v", s, err)
			}
			lines = append(lines, "report "+s.Report.Detail)
			continue
		}
		l, err := record.Decode[pipeline.LogLine](r.Value)
		if err != nil || l.ExecutionID != "e1" || l.ProjectID != project || l.Attempt != 2 || l.Seq <= last {
			t.Fatalf("%+v after line %d, %v", l, last, err)
		}
		last = l.Seq
		lines = append(lines, fmt.Sprintf("%s %s", l.Level, l.Text))
	}
	return findings, lines
}

func FuzzReference(f *testing.F) {
	for _, tc := range referenceCases() {
		f.Add(tc.action == "Status", tc.body)
	}
	p := &fakeProducer{produce: func(context.Context) error { return errors.New("not kept") }}
	s := serve(f, gateway.DefaultConfig(), p)
	text, _ := json.Marshal(jobtoken.ReferenceContext("e1", project, s.token))
	f.Fuzz(func(t *testing.T, status bool, body string) {
		action := map[bool]string{true: "Status", false: "Finding"}[status]
		if got := s.raw(t, "/Jobs/"+action, strings.Replace(body, "%s", string(text), 1)); got < 200 {
			t.Errorf("status %d", got)
		}
	})
}
