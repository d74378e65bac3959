package crash

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// session is how long a member may be away before its group goes on without it, and
// a little.
const session = 35 * time.Second

// TestManyNodes runs two of every role, each on a machine of its own, on a real Kafka,
// a real PostgreSQL and an engine at an address. While everything is said, members are
// killed, and others have their cable pulled: briefly, and for longer than their group
// waits for them, so that another takes over what they believe is theirs. In the end
// nothing is lost, every trigger fired once, and what ran is what had to.
func TestManyNodes(t *testing.T) {
	if os.Getenv("STALKER_TEST_KAFKA_SERVE") == "" || sqlstoretest.Postgres() == "" {
		t.Skip("needs a real Kafka and a real PostgreSQL: make test-multinode")
	}
	hosts := number(t, "STALKER_CRASH_FINDINGS", 12_000) / perHost
	seed := number(t, "STALKER_CRASH_SEED", 1)
	t.Logf("STALKER_CRASH_SEED=%d repeats this run", seed)
	f := newFleet(t, directory(t))
	var project struct{ ID string }
	call(t, f.front(), http.MethodPost, "/projects", map[string]any{"name": "fleet", "internal": []string{"10.0.0.0/8"}}, &project)
	feed := f.feed(t, project.ID, hosts)
	fed := make(chan error, 1)
	began := time.Now()
	go func() { fed <- feed.run(t.Context()) }()

	random := rand.New(rand.NewPCG(uint64(seed), 0))
	trouble := f.trouble(t, random)
	for i, does := range trouble {
		feed.allow(i+1, len(trouble)+1)
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond) // the moment is what is random here
		f.revive(t)
		does()
	}
	feed.allow(1, 1)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	settleWith(t, f.front(), project.ID, func() { f.revive(t) })
	t.Logf("%d findings said, settled after %s, %d members in trouble", hosts*perHost, time.Since(began).Round(time.Millisecond), len(trouble))
	f.stop(t)
	b := bustest.Connect(t, f.bus)
	checkTriggers(t, b, jobsOf(hosts))
	checkAsked(t, b, project.ID, hosts)
	checkRows(t, b, f.engine, hosts)
}

// checkAsked holds what was asked for against what the feed has to lead to.
func checkAsked(t *testing.T, b *bus.Bus, project string, hosts int) {
	t.Helper()
	want := map[string]bool{}
	for i := range hosts {
		host := fmt.Sprintf("project:%s;host:10.%d.%d.%d", project, i>>16, i>>8&255, i&255)
		if i%10 == 7 {
			want["Grab "+host+";port:21;protocol:tcp"] = true
		}
		for _, port := range []int{80, 443} {
			if i%20 == 3 {
				want[fmt.Sprintf("Look %s;port:%d;protocol:tcp;domain:h%d.look.test;path:/", host, port, i)] = true
			}
		}
	}
	for _, r := range bustest.Read(t, b, bus.TopicJobs) {
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		trigger := q.Cause.SubscriptionName + " " + q.Target
		if !want[trigger] {
			t.Errorf("nobody had to ask for %s, or not twice", trigger)
		}
		delete(want, trigger)
	}
	for trigger := range want {
		t.Errorf("%s never fired", trigger)
	}
}

// fleet is two of every role.
type fleet struct {
	dir     string
	net     *network
	broker  *process
	engine  *chdb.Engine
	bus     bus.Config
	members []*member
}

type member struct {
	*process
	*machine
	role string
	data string
}

// replicas of each role.
const replicas = 2

func newFleet(t *testing.T, dir string) *fleet {
	t.Helper()
	f := &fleet{dir: dir, net: newNetwork(t)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	base := f.servers(t, f.net.address(1))
	for _, role := range []string{app.RoleAPI, app.RoleGateway, app.RoleProjector, app.RoleMatcher, app.RoleScheduler, app.RoleLauncher} {
		for i := range replicas {
			m := &member{role: role, machine: f.net.machine(t), data: filepath.Join(dir, fmt.Sprintf("%s%d", role, i))}
			o := base
			o.Data, o.Roles, o.Worker, o.Listen = m.data, []string{role}, fmt.Sprintf("%s%d", role, i), m.address+":8080"
			if role == app.RoleLauncher { // its jobs speak to the gateway of the same number
				o.Gateway = f.of(app.RoleGateway)[i].url() + "/gateway/v1"
			}
			m.process = m.on(server(t, o.Worker, o))
			m.up(t)
			f.members = append(f.members, m)
		}
	}
	return f
}

// servers starts what the roles need, at an address that all of them reach.
func (f *fleet) servers(t *testing.T, home string) order {
	t.Helper()
	kafka := freePair(t)
	f.broker = &process{name: "kafka", ready: "Kafka Server started", log: filepath.Join(f.dir, "kafka.log"), start: func() *exec.Cmd {
		cmd := exec.Command(os.Getenv("STALKER_TEST_KAFKA_SERVE"), "serve", filepath.Join(f.dir, "kafka"), strconv.Itoa(kafka))
		cmd.Env = append(os.Environ(), "STALKER_KAFKA_HOST="+home)
		return cmd
	}}
	f.broker.up(t)
	cfg := chdb.DefaultConfig()
	cfg.Dir = filepath.Join(f.dir, "clickhouse")
	var err error
	if f.engine, err = chdb.Open(cfg, chdb.Deps{Log: quiet, Metrics: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.engine.Close() })
	l, err := net.Listen("tcp", home+":0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: f.engine, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	dsn, err := url.Parse(string(sqlstoretest.New(t).Config.DSN))
	if err != nil {
		t.Fatal(err)
	}
	dsn.Host = relay(t, home, dsn.Host)
	f.bus = bus.DefaultConfig()
	f.bus.Brokers = []string{fmt.Sprintf("%s:%d", home, kafka)}
	return order{
		Brokers: f.bus.Brokers, ClickHouse: l.Addr().String(), Postgres: dsn.String(), Key: base64.StdEncoding.EncodeToString(tokenKey),
	}
}

func (f *fleet) of(role string) (out []*member) {
	for _, m := range f.members {
		if m.role == role {
			out = append(out, m)
		}
	}
	return out
}

// front is where the API is asked.
func (f *fleet) front() string { return f.of(app.RoleAPI)[0].data }

// feed speaks to every gateway.
func (f *fleet) feed(t *testing.T, project string, hosts int) *feed {
	t.Helper()
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, tokenKey, 0o600); err != nil {
		t.Fatal(err)
	}
	fd := newFeed(t, "", project, keyFile, hosts)
	for _, m := range f.of(app.RoleGateway) {
		fd.urls = append(fd.urls, m.url())
	}
	return fd
}

// trouble is what happens to members, in random order: one of each role is killed and
// comes back, the other is cut off for a moment; and one that decides and one that
// writes are cut off for longer than their groups wait.
func (f *fleet) trouble(t *testing.T, random *rand.Rand) (out []func()) {
	t.Helper()
	add := func(what string, m *member, do func()) {
		out = append(out, func() {
			t.Logf("%s %s", m.name, what)
			do()
		})
	}
	for _, role := range []string{app.RoleAPI, app.RoleGateway, app.RoleProjector, app.RoleMatcher, app.RoleScheduler, app.RoleLauncher} {
		two := f.of(role)
		random.Shuffle(len(two), func(i, j int) { two[i], two[j] = two[j], two[i] })
		add("is killed", two[0], func() { two[0].kill(t); two[0].up(t) })
		brief := time.Duration(500+random.IntN(2500)) * time.Millisecond
		add("is cut off for a moment", two[1], func() { f.away(t, brief, two[1]) })
	}
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	matcher, projector := f.of(app.RoleMatcher)[random.IntN(replicas)], f.of(app.RoleProjector)[random.IntN(replicas)]
	add("and "+projector.name+" are cut off for longer than their groups wait", matcher, func() { f.away(t, session, matcher, projector) })
	last := len(out) - 1
	middle := last / 2
	out[middle], out[last] = out[last], out[middle]
	return out
}

// away pulls the cables of members for a while.
func (f *fleet) away(t *testing.T, d time.Duration, ms ...*member) {
	t.Helper()
	for _, m := range ms {
		m.cut(t)
	}
	time.Sleep(d) // how long they are away is what is tested
	for _, m := range ms {
		m.mend(t)
	}
}

// revive starts members again that ended by themselves, as an orchestrator would.
func (f *fleet) revive(t *testing.T) {
	t.Helper()
	for _, m := range f.members {
		if m.over() {
			t.Logf("%s ended by itself and is started again:\n%.1500s", m.name, m.tail())
			m.up(t)
		}
	}
}

func (f *fleet) stop(t *testing.T) {
	t.Helper()
	for i := range f.members {
		f.members[len(f.members)-1-i].stop(t)
	}
	t.Cleanup(func() { f.broker.end(t) })
}
