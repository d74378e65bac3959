package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
	"github.com/stalker-asm/stalker/pipeline/sample"
)

// poster speaks to a gateway as an execution does.
type poster struct {
	url, token, execution string
	http                  *http.Client
}

func newPoster(tb testing.TB, url string, key []byte, project string) *poster {
	tb.Helper()
	m, err := jobtoken.NewMinter(key)
	if err != nil {
		tb.Fatal(err)
	}
	p := &poster{url: url + gateway.Path + "/findings", execution: pipeline.NewID(), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second}}
	if p.token, err = m.Mint(jobtoken.Claims{ExecutionID: p.execution, ProjectID: project, Job: "Ports", RootID: p.execution, Depth: 1}, time.Hour); err != nil {
		tb.Fatal(err)
	}
	return p
}

// post returns when the gateway has accepted all of the batch.
func (p *poster) post(ctx context.Context, items []json.RawMessage) error {
	body, err := json.Marshal(items)
	if err != nil {
		return err
	}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+p.token)
		resp, err := p.http.Do(r)
		if err != nil {
			return err
		}
		var a struct{ Accepted int }
		err = json.NewDecoder(resp.Body).Decode(&a)
		_ = resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			time.Sleep(100 * time.Millisecond) // as it is told to
		case err != nil || a.Accepted != len(items):
			return fmt.Errorf("answer %d, %d of %d accepted: %w", resp.StatusCode, a.Accepted, len(items), err)
		default:
			return nil
		}
	}
}

// timed are the times of things by finding.
type timed struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (t *timed) set(id string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.at[id]; !ok {
		t.at[id] = at
	}
}

// BenchmarkAcceptedToRequested is how long it takes from the answer that a finding
// was accepted until a reader of the jobs topic has the committed request that follows
// from it, at 10,000 mixed findings a second for ten seconds, with every role but the
// launcher in one process: what is found is written to the store at the same time.
func BenchmarkAcceptedToRequested(b *testing.B) {
	const rate, seconds, each = 10_000, 10, 100
	for b.Loop() {
		cfg := backends(b)
		a := start(b, cfg, app.RoleAPI, app.RoleGateway, app.RoleProjector, app.RoleMatcher, app.RoleScheduler)
		key, err := jobtoken.ParseKey(string(cfg.JobTokenKey))
		if err != nil {
			b.Fatal(err)
		}
		var project pipeline.Project
		connect(b, a.URL(), a.Token()).must(b, "POST", "/api/v1/projects", map[string]any{"name": "Load"}, &project)
		p := newPoster(b, a.URL(), key, project.ID)
		accepted, requested := &timed{at: map[string]time.Time{}}, &timed{at: map[string]time.Time{}}
		jobs := bustest.Connect(b, cfg.Bus).Tail(bus.TopicJobs, func(r bus.Record) error {
			q, err := record.Decode[pipeline.JobRequest](r.Value)
			requested.set(q.Cause.FindingID, time.Now())
			return err
		})
		bustest.Run(b, "jobs", jobs.Run)
		<-jobs.Ready()

		s := sample.New(1)
		var items []json.RawMessage
		for host := 0; len(items) < rate*seconds; host++ {
			items = append(items, s.Host(host)...)
		}
		var wg sync.WaitGroup
		begin := time.Now()
		for i := range rate * seconds / each {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second * each / rate)))
			batch := items[i*each : (i+1)*each]
			wg.Go(func() {
				if err := p.post(b.Context(), batch); err != nil {
					b.Error(err)
					return
				}
				now := time.Now()
				for _, raw := range batch {
					accepted.set(findingID(p.execution, raw), now)
				}
			})
		}
		wg.Wait()
		took := time.Since(begin)
		bustest.Eventually(b, "all requested", func() bool {
			lag, err := bustest.Connect(b, cfg.Bus).Lag(b.Context(), bus.GroupMatcher, bus.TopicFindings)
			return err == nil && lag[bus.TopicFindings] == 0
		})
		report(b, accepted, requested)
		b.ReportMetric(rate*seconds/took.Seconds(), "findings/s")
	}
}

func findingID(execution string, raw json.RawMessage) string {
	var n struct{ Seq uint64 }
	_ = json.Unmarshal(raw, &n) // we wrote it
	return pipeline.FindingID(execution, n.Seq, raw)
}

func report(b *testing.B, accepted, requested *timed) {
	b.Helper()
	requested.mu.Lock()
	defer requested.mu.Unlock()
	var took []float64
	for id, at := range requested.at {
		if from, ok := accepted.at[id]; ok { // those of derived findings are not
			took = append(took, max(0, at.Sub(from).Seconds()*1000))
		}
	}
	if len(took) < 1000 {
		b.Fatalf("only %d requests", len(took))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[len(took)*99/100], "p99-ms")
	b.ReportMetric(float64(len(took)), "requests")
}

// BenchmarkMillion is what the process with everything in it needs for a million
// resources: 250,000 hosts with three ports each. It takes minutes: STALKER_BENCH_LONG=1.
func BenchmarkMillion(b *testing.B) {
	if os.Getenv("STALKER_BENCH_LONG") == "" {
		b.Skip("takes minutes: set STALKER_BENCH_LONG=1")
	}
	for b.Loop() {
		dir := b.TempDir()
		c, _ := server(b, dir)
		key, err := jobtoken.LoadOrCreateKey(dir + "/keys/job-token")
		if err != nil {
			b.Fatal(err)
		}
		var project pipeline.Project
		c.must(b, "POST", "/api/v1/projects", map[string]any{"name": "Million", "scope": map[string]any{"in": []string{"203.0.113.1"}}}, &project)
		b.ReportMetric(float64(recordtest.Memory(b, "VmRSS"))/1e6, "idle-MB")
		p := newPoster(b, c.url, key, project.ID)
		var wg sync.WaitGroup
		next := make(chan int)
		for range 4 {
			wg.Go(func() {
				for host := range next {
					var items []json.RawMessage
					for i := range 300 {
						n := host + i/3
						items = append(items, fmt.Appendf(nil, `{"type":"PortFinding","key":"PortFinding","ip":"45.%d.%d.%d","port":%d,"protocol":"tcp","seq":%d}`, n>>16, n>>8&255, n&255, []int{22, 80, 443}[i%3], 3*host+i))
					}
					if err := p.post(b.Context(), items); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		for host := 0; host < 250_000; host += 100 {
			next <- host
		}
		close(next)
		wg.Wait()
		var counts pipeline.Counts
		for counts.Ports < 750_000 && b.Context().Err() == nil {
			time.Sleep(time.Second)
			c.must(b, "GET", "/api/v1/counts?project="+project.ID, nil, &counts)
		}
		time.Sleep(5 * time.Second) // merges
		b.ReportMetric(float64(recordtest.Memory(b, "VmRSS"))/1e6, "million-MB")
		b.ReportMetric(float64(recordtest.Memory(b, "VmHWM"))/1e6, "peak-MB")
	}
}
