package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stalker-asm/stalker/api/gateway"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
	"github.com/stalker-asm/stalker/pipeline/sample"
)

// bodies are what jobs post, a hundred findings each.
func bodies(tb testing.TB, n int) (out [][]byte) {
	tb.Helper()
	s := sample.New(1)
	var items []json.RawMessage
	for host := 0; len(out) < n; host++ {
		items = append(items, s.Host(host)...)
		for len(items) >= 100 && len(out) < n {
			b, err := json.Marshal(map[string]any{"findings": items[:100]})
			if err != nil {
				tb.Fatal(err)
			}
			out, items = append(out, b), items[100:]
		}
	}
	return out
}

type nowhere struct{}

func (nowhere) Produce(context.Context, []bus.Record) error { return nil }

// BenchmarkFindings posts batches of 100 over HTTP, eight at once: to nowhere, which
// is the gateway alone (and its clients, in the same process), and to a broker in the
// process, which is ours. The naive one is a finding in each request.
func BenchmarkFindings(b *testing.B) {
	batches := bodies(b, 500)
	var single [][]byte
	for _, raw := range sample.New(1).Host(0) {
		single = append(single, []byte(`{"findings":[`+string(raw)+`]}`))
	}
	b.Run("nowhere", func(b *testing.B) { post(b, nowhere{}, batches, 500, 100) })
	b.Run("ours", func(b *testing.B) {
		p, err := bustest.New(b).Producer()
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		post(b, p, batches, 500, 100)
	})
	b.Run("naive", func(b *testing.B) {
		p, err := bustest.New(b).Producer()
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		post(b, p, single, 2000, 1)
	})
}

func post(b *testing.B, p interface {
	Produce(ctx context.Context, recs []bus.Record) error
}, all [][]byte, requests, each int,
) {
	b.Helper()
	f := serve(b, gateway.DefaultConfig(), p)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	m, done := recordtest.Start(b), 0
	for b.Loop() {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= requests {
						return
					}
					send(b, client, f, all[i%len(all)])
				}
			})
		}
		wg.Wait()
		done += requests * each
	}
	m.Stop(done)
}

func send(b *testing.B, client *http.Client, f fixture, body []byte) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, f.server.URL+gateway.Path+"/findings", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+f.token)
	resp, err := client.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	var a struct{ Accepted int }
	err = json.NewDecoder(resp.Body).Decode(&a)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || a.Accepted == 0 {
		b.Errorf("answer %d, %d accepted, %v", resp.StatusCode, a.Accepted, err)
	}
}
