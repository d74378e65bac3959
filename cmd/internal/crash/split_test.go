package crash

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// TestKillingEachRole runs the roles as processes of their own on a real Kafka, and
// kills them one at a time, the broker too. ClickHouse stays: it is the embedded
// engine, served by this process over HTTP.
func TestKillingEachRole(t *testing.T) {
	if os.Getenv("STALKER_TEST_KAFKA_SERVE") == "" {
		t.Skip("needs a real Kafka: make test-kafka")
	}
	hosts := number(t, "STALKER_CRASH_FINDINGS", 24_000) / perHost
	kills := number(t, "STALKER_CRASH_KILLS", 10)
	seed := number(t, "STALKER_CRASH_SEED", 1)
	t.Logf("STALKER_CRASH_SEED=%d repeats this run", seed)
	dir := directory(t)
	calm, wild := filepath.Join(dir, "calm"), filepath.Join(dir, "wild")
	port := freePair(t)
	c := newCluster(t, calm, port)
	c.up(t)
	var project struct{ ID string }
	call(t, c.front(), http.MethodPost, "/projects", map[string]any{"name": "crash", "internal": []string{"10.0.0.0/8"}}, &project)
	c.stop(t)
	if err := os.CopyFS(wild, os.DirFS(calm)); err != nil {
		t.Fatal(err)
	}
	c = newCluster(t, calm, port)
	want := c.live(t, project.ID, hosts, 0, 0)
	got := newCluster(t, wild, port).live(t, project.ID, hosts, kills, uint64(seed))
	compare(t, got, want)
}

// cluster is Stalker the way production runs it, on one machine.
type cluster struct {
	dir    string
	broker *process
	roles  []*process
	kafka  string
	engine *chdb.Engine
	http   *http.Server
}

func (c *cluster) front() string { return filepath.Join(c.dir, "api") }

// tokenKey is the key of job tokens that the processes share.
var tokenKey = []byte("0123456789abcdef0123456789abcdef")

func newCluster(t *testing.T, dir string, port int) *cluster {
	t.Helper()
	c := &cluster{dir: dir, kafka: fmt.Sprintf("127.0.0.1:%d", port)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c.broker = &process{name: "kafka", ready: "Kafka Server started", log: filepath.Join(dir, "kafka.log"), start: func() *exec.Cmd {
		return exec.Command(os.Getenv("STALKER_TEST_KAFKA_SERVE"), "serve", filepath.Join(dir, "kafka"), strconv.Itoa(port))
	}}
	return c
}

// up starts everything, in an order in which nothing waits.
func (c *cluster) up(t *testing.T) {
	t.Helper()
	cfg := chdb.DefaultConfig()
	cfg.Dir = filepath.Join(c.dir, "clickhouse")
	var err error
	if c.engine, err = chdb.Open(cfg, chdb.Deps{Log: quiet, Metrics: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.http = &http.Server{Handler: c.engine, ReadHeaderTimeout: time.Minute}
	go func() { _ = c.http.Serve(l) }()
	c.broker.up(t)
	listen := address(t)
	base := order{
		Gateway: "http://" + listen + "/gateway/v1", Brokers: []string{c.kafka}, ClickHouse: l.Addr().String(),
		Key: base64.StdEncoding.EncodeToString(tokenKey),
	}
	c.roles = nil
	for _, roles := range [][]string{{app.RoleAPI, app.RoleGateway}, {app.RoleProjector}, {app.RoleMatcher}, {app.RoleLauncher}} {
		o := base
		o.Data, o.Roles, o.Worker, o.Listen = filepath.Join(c.dir, roles[0]), roles, roles[0], "127.0.0.1:0"
		if roles[0] == app.RoleAPI {
			o.Listen = listen
		}
		p := server(t, roles[0], o)
		p.up(t)
		c.roles = append(c.roles, p)
	}
}

func (c *cluster) stop(t *testing.T) {
	t.Helper()
	for i := range c.roles {
		c.roles[len(c.roles)-1-i].stop(t)
	}
	c.stopStores(t)
}

// stopStores ends what the roles need. The broker's exit code says how it was
// signalled, which is no matter.
func (c *cluster) stopStores(t *testing.T) {
	t.Helper()
	c.broker.end(t)
	if err := c.http.Close(); err != nil {
		t.Error(err)
	}
	if err := c.engine.Close(); err != nil {
		t.Error(err)
	}
}

// live is one run, like that of TestKillingEverything.
func (c *cluster) live(t *testing.T, project string, hosts, kills int, seed uint64) snapshot {
	t.Helper()
	c.up(t)
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, tokenKey, 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFeed(t, c.roles[0].url(), project, keyFile, hosts)
	began := time.Now()
	fed := make(chan error, 1)
	go func() { fed <- f.run(t.Context()) }()
	victims := append([]*process{c.broker}, c.roles...)
	random := rand.New(rand.NewPCG(seed, 0))
	var turn []int
	for k := range kills {
		f.allow(k+1, kills+1)
		time.Sleep(time.Duration(random.IntN(2500)) * time.Millisecond) // the moment is what is random here
		c.revive(t)
		if len(turn) == 0 { // each has its turn, in random order
			turn = random.Perm(len(victims))
		}
		victims[turn[0]].kill(t)
		victims[turn[0]].up(t)
		turn = turn[1:]
	}
	f.allow(1, 1)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	said := time.Since(began)
	settleWith(t, c.front(), project, func() { c.revive(t) })
	t.Logf("%d findings said in %s, settled after %s, %d kills", hosts*perHost, said.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), kills)
	for i := range c.roles {
		c.roles[len(c.roles)-1-i].stop(t)
	}
	cfg := bus.DefaultConfig()
	cfg.Brokers = []string{c.kafka}
	t.Run("proof", func(t *testing.T) {
		b := bustest.Connect(t, cfg)
		checkTriggers(t, b, jobsOf(hosts))
		checkRows(t, b, c.engine, hosts)
	})
	snap := takeSnapshot(t, c.engine.Transport)
	c.stopStores(t)
	return snap
}

// revive starts roles again that ended by themselves, as an orchestrator would: a
// role may give up on a broker that is away, and must not lose anything by it.
func (c *cluster) revive(t *testing.T) {
	t.Helper()
	for _, p := range c.roles {
		if p.over() {
			t.Logf("%s ended by itself and is started again:\n%.1500s", p.name, p.tail())
			p.up(t)
		}
	}
}

// freePair returns a port that is free together with the next one.
func freePair(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		l.Close()
		if err == nil {
			next.Close()
			return port
		}
	}
	t.Fatal("no two free ports in a row")
	return 0
}
