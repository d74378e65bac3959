package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// number is a setting of the suite: make test-crash sets the full ones.
func number(t *testing.T, name string, def int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestKillingEverything kills the whole embedded process: broker, store, projector,
// matcher, launcher, gateway and control plane die at once, and are started again.
func TestKillingEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	hosts := number(t, "STALKER_CRASH_FINDINGS", 6000) / perHost
	kills := number(t, "STALKER_CRASH_KILLS", 4)
	seed := number(t, "STALKER_CRASH_SEED", 1)
	t.Logf("STALKER_CRASH_SEED=%d repeats this run", seed)
	dir := directory(t)
	project := prepare(t, filepath.Join(dir, "calm"))
	if err := os.CopyFS(filepath.Join(dir, "wild"), os.DirFS(filepath.Join(dir, "calm"))); err != nil {
		t.Fatal(err)
	}
	want := live(t, filepath.Join(dir, "calm"), project, hosts, 0, 0)
	got := live(t, filepath.Join(dir, "wild"), project, hosts, kills, uint64(seed))
	compare(t, got, want)
}

// directory is where a test keeps its data: STALKER_CRASH_DIR for who wants to look
// at it afterwards.
func directory(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("STALKER_CRASH_DIR"); dir != "" {
		dir = filepath.Join(dir, t.Name())
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return t.TempDir()
}

// prepare makes a data directory with a project, and returns the project. Runs that
// begin with copies of it have everything in common, ids too.
func prepare(t *testing.T, data string) string {
	t.Helper()
	p := server(t, "server", order{Data: data, Listen: "127.0.0.1:0"})
	p.up(t)
	defer p.stop(t)
	var project struct{ ID string }
	call(t, data, http.MethodPost, "/projects", map[string]any{"name": "crash", "internal": []string{"10.0.0.0/8"}}, &project)
	return project.ID
}

// live is one run: everything is said, while kills happen, and settles.
func live(t *testing.T, data, project string, hosts, kills int, seed uint64) snapshot {
	t.Helper()
	p := server(t, "server", order{Data: data, Listen: address(t)})
	p.up(t)
	f := newFeed(t, p.url(), project, filepath.Join(data, "keys", "job-token"), hosts)
	began := time.Now()
	fed := make(chan error, 1)
	go func() { fed <- f.run(t.Context()) }()
	random := rand.New(rand.NewPCG(seed, 0))
	for k := range kills {
		f.allow(k+1, kills+1)
		time.Sleep(time.Duration(random.IntN(2500)) * time.Millisecond) // the moment is what is random here
		p.kill(t)
		p.up(t)
	}
	f.allow(1, 1)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	said := time.Since(began)
	settle(t, data, project)
	t.Logf("%d findings said in %s, settled after %s, %d kills", hosts*perHost, said.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), kills)
	p.stop(t)
	cfg := chdb.DefaultConfig()
	cfg.Dir = filepath.Join(data, "clickhouse")
	e, err := chdb.Open(cfg, chdb.Deps{Log: quiet, Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	broker, err := embedded.OpenBroker(filepath.Join(data, "kafka"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("proof", func(t *testing.T) {
		b := bustest.Connect(t, broker.Bus(bus.DefaultConfig()))
		checkTriggers(t, b, jobsOf(hosts))
		checkRows(t, b, e, hosts)
	})
	if err := broker.Close(filepath.Join(data, "kafka")); err != nil {
		t.Error(err)
	}
	return takeSnapshot(t, e.Transport)
}

// jobsOf is how many executions the feed leads to.
func jobsOf(hosts int) int {
	n := 0
	for i := range hosts {
		if i%10 == 7 {
			n++ // Grab, once for the two findings about FTP
		}
		if i%20 == 3 {
			n += 2 // Look, for the websites on 80 and 443
		}
	}
	return n
}

func newFeed(t *testing.T, url, project, keyFile string, hosts int) *feed {
	t.Helper()
	key, err := jobtoken.LoadOrCreateKey(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	minter, err := jobtoken.NewMinter(key)
	if err != nil {
		t.Fatal(err)
	}
	return &feed{url: url, project: project, minter: minter, hosts: hosts, atOnce: hostsAtOnce}
}

// allow lets the feed go on up to a part of everything, so that every life has
// something to do.
func (f *feed) allow(part, of int) { f.allowed.Store(int64(f.hosts * part / of)) }

// settle waits until nothing runs, waits or can come any more.
func settle(t *testing.T, data, project string) {
	t.Helper()
	settleWith(t, data, project, func() {})
}

// settleWith looks after things meanwhile.
func settleWith(t *testing.T, data, project string, meanwhile func()) {
	t.Helper()
	var a struct {
		Settled    bool
		Findings   int
		Executions map[string]int
	}
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		meanwhile()
		call(t, data, http.MethodGet, "/projects/"+project+"/activity", nil, &a)
		if a.Settled {
			return
		}
	}
	t.Fatalf("never settled: %d findings, %v", a.Findings, a.Executions)
}

// call asks the API of the server on a data directory.
func call(t *testing.T, data, method, path string, in, out any) {
	t.Helper()
	var a app.Announcement
	var err error
	for range 200 { // it is announced a moment after it is ready
		var text []byte
		if text, err = os.ReadFile(filepath.Join(data, "server.json")); err == nil {
			if err = json.Unmarshal(text, &a); err == nil {
				if err = ask(t.Context(), a, method, path, in, out); err == nil {
					return
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s %s: %v", method, path, err)
}

func ask(ctx context.Context, a app.Announcement, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return fmt.Errorf("%d %s (%w)", resp.StatusCode, text, err)
	}
	return json.Unmarshal(text, out)
}
