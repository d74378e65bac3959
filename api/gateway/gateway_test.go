package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
)

const project = "aaaaaaaaaaaaaaaaaaaaaaaa"

// hidden is a secret that the execution was given.
const hidden = "hunter22-hunter22"

type fakeProducer struct {
	mu      sync.Mutex
	recs    []bus.Record
	produce func(ctx context.Context) error
}

func (p *fakeProducer) Produce(ctx context.Context, recs []bus.Record) error {
	if p.produce != nil {
		if err := p.produce(ctx); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recs = append(p.recs, recs...)
	return nil
}

type fixture struct {
	server  *httptest.Server
	token   string
	metrics *prometheus.Registry
}

func serve(t testing.TB, cfg gateway.Config, p interface {
	Produce(ctx context.Context, recs []bus.Record) error
},
) fixture {
	t.Helper()
	key := bytes.Repeat([]byte{1}, jobtoken.KeyLen)
	minter, err := jobtoken.NewMinter(key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jobtoken.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := minter.Mint(jobtoken.Claims{ExecutionID: "e1", ProjectID: project, Job: "J", Attempt: 2, RootID: "r", Depth: 1, Secrets: []string{hidden}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	g, err := gateway.New(cfg, gateway.Deps{
		Producer: p, Tokens: verifier, Position: func() int64 { return 9 }, Log: slog.New(slog.DiscardHandler), Metrics: reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g.Handler())
	t.Cleanup(s.Close)
	return fixture{server: s, token: token, metrics: reg}
}

type reply struct {
	Status   int
	Retry    string
	Accepted int
	Rejected []struct {
		Index  int
		Seq    uint64
		Code   string
		Reason string
	}
	Code, Message string
}

func (f fixture) post(t *testing.T, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.server.URL+gateway.Path+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := reply{Status: resp.StatusCode, Retry: resp.Header.Get("Retry-After")}
	text, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("answer %d %q: %v", resp.StatusCode, text, err)
	}
	return r
}

const host = `{"type":"IpFinding","ip":"192.0.2.%d","seq":%d}`

func TestFindingsReachTheBusInEveryForm(t *testing.T) {
	one, two := fmt.Sprintf(host, 1, 1), fmt.Sprintf(host, 2, 2)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprintf(z, `{"findings":[%s,%s]}`, one, two)
	z.Close()
	for _, tc := range []struct {
		name, body string
		headers    []string
	}{
		{"object", fmt.Sprintf(`{"findings":[%s,%s]}`, one, two), nil},
		{"array", fmt.Sprintf(` [%s,%s]`, one, two), nil},
		{"lines", one + "\n\n" + two + "\n", []string{"Content-Type", "application/x-ndjson; charset=utf-8"}},
		{"gzip", zipped.String(), []string{"Content-Encoding", "gzip"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := bustest.New(t)
			p, err := b.Producer()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			f := serve(t, gateway.DefaultConfig(), p)
			if r := f.post(t, "/findings", tc.body, tc.headers...); r.Status != 200 || r.Accepted != 2 || len(r.Rejected) != 0 {
				t.Fatalf("answer %+v", r)
			}
			for _, r := range bustest.Read(t, b, bus.TopicFindings) {
				got, err := record.DecodeFinding(r.Value)
				if err != nil {
					t.Fatal(err)
				}
				want := pipeline.Finding{
					ProjectID: project, Source: pipeline.SourceJob, ExecutionID: "e1", JobName: "J", RootID: "r", Depth: 2, Control: 9,
					Type: pipeline.IPFinding, Key: "IpFinding", Seq: got.Seq, Locators: pipeline.Locators{IP: fmt.Sprintf("192.0.2.%d", got.Seq)},
					CorrelationKey: fmt.Sprintf("project:%s;host:192.0.2.%d", project, got.Seq),
				}
				if d := cmp.Diff(got, want, cmpopts.IgnoreFields(pipeline.Finding{}, "ID", "At")); d != "" {
					t.Errorf("finding (-got +want):\n%s", d)
				}
				if string(r.Key) != got.PartitionKey() || time.Since(got.At) > time.Minute || len(got.ID) != pipeline.FindingIDLen {
					t.Errorf("key %q, at %s, id %q", r.Key, got.At, got.ID)
				}
			}
		})
	}
}

func TestInvalidFindingsDoNotHarmTheirNeighbours(t *testing.T) {
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	r := f.post(t, "/findings", `{"findings":[`+fmt.Sprintf(host, 1, 1)+`,{"type":"IpFinding","ip":"x","seq":2},7,`+fmt.Sprintf(host, 4, 4)+`]}`)
	if r.Status != 200 || r.Accepted != 2 || len(r.Rejected) != 2 || len(p.recs) != 2 {
		t.Fatalf("answer %+v, %d records", r, len(p.recs))
	}
	if x := r.Rejected[0]; x.Index != 1 || x.Seq != 2 || x.Code != "invalid" || !strings.Contains(x.Reason, "no IP address") {
		t.Errorf("rejection %+v", x)
	}
	if n, err := testutil.GatherAndCount(f.metrics, "stalker_gateway_rejected_items_total"); err != nil || n != 3 {
		t.Errorf("series %d, %v", n, err)
	}
}

func TestTheSameBatchTwiceHasTheSameIDs(t *testing.T) {
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	for range 2 {
		f.post(t, "/findings", "["+fmt.Sprintf(host, 1, 1)+"]")
	}
	a, _ := record.DecodeFinding(p.recs[0].Value)
	b, _ := record.DecodeFinding(p.recs[1].Value)
	if a.ID != b.ID {
		t.Errorf("ids %s and %s", a.ID, b.ID)
	}
}

func TestRefusals(t *testing.T) {
	small := gateway.DefaultConfig()
	small.MaxBody, small.MaxItems = 4096, 2
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte(" "), 1<<20))
	z.Close()
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		status           int
		message          string
	}{
		{"no token", "/findings", "[]", []string{"Authorization", ""}, 401, "Authorization"},
		{"bad token", "/findings", "[]", []string{"Authorization", "Bearer x"}, 401, "not valid"},
		{"garbage", "/findings", "hello", nil, 400, "JSON"},
		{"foreign key", "/findings", `{"findings":[],"projectId":"x"}`, nil, 400, `"projectId"`},
		{"wrong kind", "/logs", `{"findings":[]}`, nil, 400, `only "lines"`},
		{"too many", "/findings", "[1,2,3]", nil, 413, "at most 2"},
		{"too large", "/findings", "[" + strings.Repeat(" ", 5000) + "]", nil, 413, "4096 bytes"},
		{"bomb", "/findings", bomb.String(), []string{"Content-Encoding", "gzip"}, 413, "4096 bytes"},
		{"encoding", "/findings", "x", []string{"Content-Encoding", "br"}, 400, `"br"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var p fakeProducer
			r := serve(t, small, &p).post(t, tc.path, tc.body, tc.headers...)
			if r.Status != tc.status || !strings.Contains(r.Message, tc.message) || len(p.recs) != 0 {
				t.Errorf("answer %+v, want %d with %q", r, tc.status, tc.message)
			}
		})
	}
}

func TestBackPressure(t *testing.T) {
	cfg := gateway.DefaultConfig()
	cfg.MaxInFlight = cfg.MaxBody
	entered, release := make(chan struct{}), make(chan struct{})
	p := fakeProducer{produce: func(context.Context) error { entered <- struct{}{}; <-release; return nil }}
	f := serve(t, cfg, &p)
	big := "[" + fmt.Sprintf(host, 1, 1) + strings.Repeat(" ", int(cfg.MaxBody)-100) + "]"
	first := make(chan reply)
	go func() { first <- f.post(t, "/findings", big) }()
	<-entered
	if r := f.post(t, "/findings", big); r.Status != 429 || r.Retry != "1" || r.Code != "busy" {
		t.Errorf("second request: %+v", r)
	}
	close(release)
	if r := <-first; r.Status != 200 {
		t.Errorf("first request: %+v", r)
	}
}

func TestBusAway(t *testing.T) {
	p := fakeProducer{produce: func(context.Context) error { return pipeline.Errorf(pipeline.CodeUnavailable, "broker secret detail") }}
	r := serve(t, gateway.DefaultConfig(), &p).post(t, "/findings", "["+fmt.Sprintf(host, 1, 1)+"]")
	if r.Status != 503 || r.Retry == "" || strings.Contains(r.Message, "secret") {
		t.Errorf("answer %+v", r)
	}
}

func TestLogs(t *testing.T) {
	var p fakeProducer
	f := serve(t, gateway.DefaultConfig(), &p)
	now := time.Now().Truncate(time.Millisecond).UTC()
	long := strings.Repeat("é", gateway.MaxLine)
	r := f.post(t, "/logs", fmt.Sprintf(`{"lines":[{"seq":1,"level":"error","text":"x","at":%d},{"seq":2,"level":"loud","text":"y"},{"seq":3,"level":"info","text":%q,"at":5}]}`, now.UnixMilli(), long))
	if r.Status != 200 || r.Accepted != 2 || len(r.Rejected) != 1 || !strings.Contains(r.Rejected[0].Reason, `"loud"`) {
		t.Fatalf("answer %+v", r)
	}
	got, err := record.Decode[pipeline.LogLine](p.recs[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	want := pipeline.LogLine{ExecutionID: "e1", ProjectID: project, Attempt: 2, Stream: pipeline.StreamSDK, Seq: 1, Level: "error", Text: "x", At: now}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("line (-got +want):\n%s", d)
	}
	cutLine, _ := record.Decode[pipeline.LogLine](p.recs[1].Value)
	if !strings.HasSuffix(cutLine.Text, "(line cut)") || len(cutLine.Text) > gateway.MaxLine+20 || time.Since(cutLine.At) > time.Minute {
		t.Errorf("long line: %d bytes at %s", len(cutLine.Text), cutLine.At)
	}
}

func TestSecretsDoNotGetThrough(t *testing.T) {
	p := &fakeProducer{}
	f := serve(t, gateway.DefaultConfig(), p)
	for path, body := range map[string]string{
		"/findings": `[{"type":"CustomFinding","key":"K","ip":"192.0.2.1","fields":[{"key":"sent","type":"text","data":"Authorization: Basic YWRtaW46aHVudGVyMjItaHVudGVyMjI="},{"key":"url","type":"text","data":"https://x.test/?k=hunter22-hunter22"}]}]`,
		"/logs":     `{"lines":[{"seq":1,"level":"info","text":"using hunter22\u002dhunter22","at":0}]}`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.server.URL+gateway.Path+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.recs) != 2 {
		t.Fatalf("%d records", len(p.recs))
	}
	for _, r := range p.recs {
		if s := string(r.Value); strings.Contains(s, "hunter") || strings.Contains(s, "aHVudGVy") || !strings.Contains(s, "••••••") {
			t.Errorf("%s got %s", r.Topic, s)
		}
	}
}
