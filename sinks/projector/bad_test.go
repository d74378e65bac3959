package projector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/clickhouse/clickhousetest"
	"github.com/stalker-asm/stalker/sinks/projector"
)

// Whatever stands on a topic, what is wrong with it is told with a code and a reason
// among the dead letters and counted, and what stands beside it is in the store.
func TestBadRecordsHarmNoNeighbour(t *testing.T) {
	w := &world{t: t, run: pipeline.NewID()}
	finding := func(change func(*pipeline.Finding)) []byte {
		f := pipeline.Finding{
			ID: strings.Repeat("a", pipeline.FindingIDLen), ProjectID: w.of("p1"), CorrelationKey: "project:" + w.of("p1") + ";host:192.0.2.9", At: begin,
			Source: pipeline.SourceJob, Type: pipeline.IPFinding, Key: "IpFinding", Locators: pipeline.Locators{IP: "192.0.2.9"},
		}
		change(&f)
		v, err := record.EncodeFinding(&f)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	good := string(finding(func(*pipeline.Finding) {}))
	instead := func(old, with string) []byte {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("%s has no %s", good, old)
		}
		return []byte(strings.Replace(good, old, with, 1))
	}
	bad := map[string][]byte{
		"nothing":                 nil,
		"no JSON":                 []byte("{not json"),
		"no object":               []byte("7"),
		"another version":         instead(`"v":1`, `"v":99`),
		"a version beyond all":    instead(`"v":1`, `"v":1e400`),
		"nested without end":      instead(`"v":1`, `"v":1,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)),
		"nested and cut off":      []byte(`{"v":1,"x":` + strings.Repeat(`{"a":`, 100_000)),
		"an unknown type":         finding(func(f *pipeline.Finding) { f.Type = "OtherFinding" }),
		"another project's":       finding(func(f *pipeline.Finding) { f.CorrelationKey = "project:" + w.of("p2") + ";host:192.0.2.9" }),
		"a project like its own":  finding(func(f *pipeline.Finding) { f.CorrelationKey = "project:" + w.of("p1") + "x;host:192.0.2.9" }),
		"no key":                  finding(func(f *pipeline.Finding) { f.CorrelationKey = "host:192.0.2.9" }),
		"the far future":          finding(func(f *pipeline.Finding) { f.At = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"before there was a time": finding(func(f *pipeline.Finding) { f.At = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"an address that is none": finding(func(f *pipeline.Finding) { f.IP = "\xff\xfe" }),
		"a port beyond all": finding(func(f *pipeline.Finding) {
			f.Type, f.Key, f.Port, f.Protocol = pipeline.PortFinding, "PortFinding", 1<<62, pipeline.TCP
		}),
		"no parent to be found": finding(func(f *pipeline.Finding) {
			f.Type, f.Key, f.IP, f.Port, f.Protocol = pipeline.PortFinding, "PortFinding", "", 80, pipeline.TCP
		}),
	}
	w.host("p1", "192.0.2.1", 80)
	for _, v := range bad {
		w.put(bus.TopicFindings, v, nil)
		w.host("p1", "192.0.2.1", 80+len(w.recs))
	}
	s, reg := clickhousetest.Open(t), prometheus.NewRegistry()
	var dead letters
	if err := projector.New(deps(s, &dead, reg)).Handle(t.Context(), w.recs); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, l := range dead.got {
		if l.Code != string(pipeline.CodeInvalid) || l.Reason == "" || len(l.Reason) > 2000 {
			t.Errorf("%.100q is dead of %s, %q", l.Record.Value, l.Code, l.Reason)
		}
		reasons[string(l.Record.Value)] = l.Reason
	}
	for name, v := range bad {
		if reasons[string(v)] == "" {
			t.Errorf("%s is not among the dead letters", name)
		}
	}
	if len(dead.got) != len(bad) {
		t.Errorf("%d dead letters of %d", len(dead.got), len(bad))
	}
	if n, err := testutil.GatherAndCount(reg, "stalker_projector_rejected_total"); err != nil || n != len(projector.Topics()) {
		t.Errorf("%d series, %v", n, err)
	}
	page := must[pipeline.Page[pipeline.Port]](t)(s.Ports(t.Context(), pipeline.Query{ProjectID: w.of("p1"), Limit: 1000}))
	if len(page.Items) != len(bad)+1 {
		t.Errorf("%d ports of %d", len(page.Items), len(bad)+1)
	}
	for _, project := range []string{"p1", "p2"} {
		hosts := must[pipeline.Page[pipeline.Host]](t)(s.Hosts(t.Context(), pipeline.Query{ProjectID: w.of(project), Limit: 10}))
		for i := range hosts.Items {
			if hosts.Items[i].IP != "192.0.2.1" {
				t.Errorf("%s has the host %s", project, hosts.Items[i].IP)
			}
		}
	}
}
