package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// What is wrong with one finding is told with its place and a reason, and counted;
// those before and after it are taken.
func TestBadFindings(t *testing.T) {
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	for name, tc := range map[string]struct{ finding, reason string }{
		"unknown type":                 {`{"type":"OtherFinding","ip":"192.0.2.9","seq":2}`, "OtherFinding"},
		"a type that is no text":       {`{"type":7,"seq":2}`, "not readable"},
		"nested without end":           {`{"type":"CustomFinding","key":"K","seq":2,"fields":[{"key":"x","data":` + deep + `}]}`, "fields[0]"},
		"nested where nothing is":      {`{"type":` + deep + `,"seq":2}`, "not readable"},
		"a port beyond all ports":      {`{"type":"PortFinding","ip":"192.0.2.9","port":99999999999999999999999,"protocol":"tcp","seq":2}`, "not readable"},
		"a port that is a large float": {`{"type":"PortFinding","ip":"192.0.2.9","port":1e300,"protocol":"tcp","seq":2}`, "not readable"},
		"a mask that is below zero":    {`{"type":"IpRangeFinding","ip":"192.0.2.9","mask":-9223372036854775808,"seq":2}`, "mask"},
		"a number that is infinite":    {`{"type":"CustomFinding","key":"K","seq":2,"fields":[{"key":"x","data":1e999}]}`, "out of range"},
		"a name that is no UTF-8":      {"{\"type\":\"HostnameFinding\",\"domainName\":\"a\xff.example\",\"seq\":2}", "domainName"},
		"no parent to name":            {`{"type":"PortFinding","port":80,"protocol":"tcp","seq":2}`, "ip"},
		"too large":                    {`{"type":"CustomFinding","key":"K","seq":2,"fields":[{"key":"x","data":"` + strings.Repeat("x", 1<<20) + `"}]}`, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			var p fakeProducer
			f := serve(t, gateway.DefaultConfig(), &p)
			r := f.post(t, "/findings", `[`+fmt.Sprintf(host, 1, 1)+`,`+tc.finding+`,`+fmt.Sprintf(host, 3, 3)+`]`)
			if r.Status != 200 || r.Accepted != 2 || len(p.recs) != 2 || len(r.Rejected) != 1 {
				t.Fatalf("answer %+v, %d records", r, len(p.recs))
			}
			if x := r.Rejected[0]; x.Index != 1 || !strings.Contains(x.Reason, tc.reason) || len(x.Reason) > 1000 {
				t.Errorf("rejection %+v", x)
			}
			if err := testutil.GatherAndCompare(f.metrics, strings.NewReader(rejectedOnce), "stalker_gateway_rejected_items_total"); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whatever project a job names, what it says is of its own.
func TestAForeignProjectIsNotBelieved(t *testing.T) {
	const other = "bbbbbbbbbbbbbbbbbbbbbbbb"
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	r := f.post(t, "/findings", `[{"type":"TagFinding","ip":"192.0.2.1","tag":"X","seq":1,"projectId":"`+other+`","ProjectID":"`+other+`","correlationKey":"project:`+other+`;host:192.0.2.1","executionId":"e9","depth":0}]`)
	if r.Status != 200 || r.Accepted != 1 || len(p.recs) != 1 {
		t.Fatalf("answer %+v", r)
	}
	got, err := record.DecodeFinding(p.recs[0].Value)
	if err != nil || got.ProjectID != project || got.CorrelationKey != "project:"+project+";host:192.0.2.1" || got.ExecutionID != "e1" || got.Depth != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if strings.Contains(string(p.recs[0].Value), other) || strings.Contains(string(p.recs[0].Key), other) {
		t.Errorf("the record speaks of the other project: %s", p.recs[0].Value)
	}
}

// Of what is nested beyond what can be read one cannot tell where it ends: the batch is
// refused, and of one that has a finding a line, that line.
func TestABombIsRefused(t *testing.T) {
	bomb := `{"type":"CustomFinding","key":"K","seq":2,"x":` + strings.Repeat(`{"a":`, 300_000) + `1` + strings.Repeat(`}`, 300_000) + `}`
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	if r := f.post(t, "/findings", `[`+fmt.Sprintf(host, 1, 1)+`,`+bomb+`]`); r.Status != 400 || len(p.recs) != 0 || !strings.Contains(r.Message, "depth") {
		t.Errorf("the batch: %+v", r)
	}
	r := f.post(t, "/findings", fmt.Sprintf(host, 1, 1)+"\n"+bomb+"\n"+fmt.Sprintf(host, 3, 3), "Content-Type", "application/x-ndjson")
	if r.Status != 200 || r.Accepted != 2 || len(r.Rejected) != 1 || r.Rejected[0].Index != 1 || len(p.recs) != 2 {
		t.Errorf("the lines: %+v, %d records", r, len(p.recs))
	}
}

// What is no UTF-8 in a text that is only shown becomes UTF-8.
func TestTextThatIsNoUTF8(t *testing.T) {
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	f.post(t, "/findings", "[{\"type\":\"CustomFinding\",\"key\":\"K\",\"name\":\"a\xffb\",\"ip\":\"192.0.2.1\",\"seq\":1,\"fields\":[{\"key\":\"x\",\"data\":\"\xc3\x28\\ud800\"}]}]")
	if len(p.recs) != 1 {
		t.Fatalf("%d records", len(p.recs))
	}
	got, err := record.DecodeFinding(p.recs[0].Value)
	if err != nil || !utf8.Valid(p.recs[0].Value) || !utf8.ValidString(got.Name) || !utf8.ValidString(got.FieldText("x")) || !strings.HasPrefix(got.Name, "a") {
		t.Errorf("%q, %v", p.recs[0].Value, err)
	}
}

// The clock of a job decides nothing but the order of its lines, and only near ours.
func TestAClockInTheFuture(t *testing.T) {
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	future := time.Now().AddDate(30, 0, 0)
	f.post(t, "/findings", fmt.Sprintf(`[{"type":"IpFinding","ip":"192.0.2.1","seq":1,"at":%[1]d,"time":%[1]d,"timestamp":%[1]d}]`, future.UnixMilli()))
	f.post(t, "/logs", fmt.Sprintf(`{"lines":[{"seq":1,"level":"info","text":"x","at":%d}]}`, future.UnixMilli()))
	if len(p.recs) != 2 {
		t.Fatalf("%d records", len(p.recs))
	}
	said, err := record.DecodeFinding(p.recs[0].Value)
	if err != nil || time.Since(said.At).Abs() > time.Hour {
		t.Errorf("the finding is of %s, %v", said.At, err)
	}
	line, err := record.Decode[pipeline.LogLine](p.recs[1].Value)
	if err != nil || time.Since(line.At).Abs() > time.Hour {
		t.Errorf("the line is of %s, %v", line.At, err)
	}
}

const rejectedOnce = `
# HELP stalker_gateway_rejected_items_total Findings and log lines refused, with their reason told to the job.
# TYPE stalker_gateway_rejected_items_total counter
stalker_gateway_rejected_items_total{kind="findings"} 1
stalker_gateway_rejected_items_total{kind="logs"} 0
stalker_gateway_rejected_items_total{kind="reference"} 0
`
