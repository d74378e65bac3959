package crash

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
)

// TestRollingUpgrade runs two of every role of the previous version, as production
// does, and replaces one after the other by this version while work goes on: for a
// while each decides and writes half of what there is. Then all are restarted one
// after the other once more. Nobody is killed: what is asked to end ends in order. In
// the end nothing is lost, every trigger fired once, and what ran is what had to.
func TestRollingUpgrade(t *testing.T) {
	r := &rollout{was: os.Getenv("STALKER_PREVIOUS"), is: os.Getenv("STALKER_CURRENT"), dir: directory(t)}
	if r.was == "" || r.is == "" || os.Getenv("STALKER_TEST_KAFKA_SERVE") == "" || sqlstoretest.Postgres() == "" {
		t.Skip("needs two versions, a real Kafka and a real PostgreSQL: make test-rolling")
	}
	hosts := number(t, "STALKER_CRASH_FINDINGS", 9600) / perHost
	r.start(t)
	project := r.prepare(t)

	r.migrate(t)
	for _, n := range r.nodes { // the previous version starts on what it has not made
		if strings.HasSuffix(n.role, "0") {
			n.replace(t, r.was)
		}
	}
	r.migrate(t)
	r.quiet(t) // what is built in and new came with it

	feed := r.feed(t, project, hosts)
	fed := make(chan error, 1)
	began := time.Now()
	go func() { fed <- feed.run(t.Context()) }()
	steps := 2 * len(r.nodes)
	for i := range steps {
		feed.allow(i+1, steps)
		r.working(t, feed, int64(hosts*(i+1)/steps))
		r.nodes[i%len(r.nodes)].replace(t, r.is)
		if i == len(r.nodes)-1 {
			t.Logf("%d processes are of this version after %s", len(r.nodes), time.Since(began).Round(time.Millisecond))
			r.migrate(t, "--again")
		}
	}
	feed.allow(1, 1)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	settle(t, r.nodes[0].data, project)
	t.Logf("%d findings said, settled after %s, %d processes replaced", hosts*perHost, time.Since(began).Round(time.Millisecond), steps)
	for _, n := range slices.Backward(r.nodes) {
		n.stop(t)
	}
	b := bustest.Connect(t, r.bus)
	checkTriggers(t, b, jobsOf(hosts))
	checkAsked(t, b, project, hosts)
	checkRows(t, b, r.engine, hosts)
}

// rollout is two of every role, each a process of one version or the other.
type rollout struct {
	fleet
	was, is string // the programs
	dir     string
	base    order
	nodes   []*node
}

// node is one process. One that is asked at its address is replaced in its place; of
// the others the next is there before the one before goes, as a Deployment does it.
type node struct {
	*process
	r       *rollout
	role    string
	lives   int
	data    string
	address string
	gateway string // for its jobs
}

// start has the previous version run.
func (r *rollout) start(t *testing.T) {
	t.Helper()
	r.fleet.dir = r.dir
	r.base = r.servers(t, "127.0.0.1")
	t.Cleanup(func() { r.broker.end(t) })
	var gateways []string
	for _, role := range []string{app.RoleAPI, app.RoleGateway, app.RoleProjector, app.RoleMatcher, app.RoleScheduler, app.RoleLauncher} {
		for i := range replicas {
			n := &node{r: r, role: fmt.Sprintf("%s%d", role, i), address: "127.0.0.1:0"}
			switch role {
			case app.RoleAPI, app.RoleGateway:
				n.address = address(t)
			case app.RoleLauncher:
				n.gateway = gateways[i]
			}
			if role == app.RoleGateway {
				gateways = append(gateways, "http://"+n.address+"/gateway/v1")
			}
			n.process = n.program(t, r.was)
			n.up(t)
			r.nodes = append(r.nodes, n)
		}
	}
}

// program is the node's process of a version, with a name and data of its own.
func (n *node) program(t *testing.T, path string) *process {
	t.Helper()
	n.lives++
	name := fmt.Sprintf("%s-%d", n.role, n.lives)
	n.data = filepath.Join(n.r.dir, name)
	if err := os.MkdirAll(n.data, 0o700); err != nil {
		t.Fatal(err)
	}
	role := strings.TrimRight(n.role, "0123456789")
	env := n.r.settings(n.data, "BUS__WORKER="+name, "GATEWAYURL="+n.gateway, "HTTP__LISTEN="+n.address, "ROLES=["+role+"]")
	return &process{name: name, ready: "is running at", log: filepath.Join(n.data, "log"), start: func() *exec.Cmd {
		cmd := exec.Command(path, "serve")
		cmd.Env = env
		return cmd
	}}
}

// settings is the environment of a process: the configuration of all, and its own.
func (r *rollout) settings(data string, own ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "STALKER_CFG_") })
	for _, kv := range append([]string{
		"DATA=" + data, "LOG__LEVEL=warn", "JOBTOKENKEY=" + base64.StdEncoding.EncodeToString(tokenKey), "CONTROL__DSN=" + r.base.Postgres,
		"BUS__BROKERS=[" + r.base.Brokers[0] + "]", "BUS__PARTITIONS=4", "BUS__STABLETRANSACTIONS=true",
		"CLICKHOUSE__ADDRESSES=[" + r.base.ClickHouse + "]", "CLICKHOUSE__PROTOCOL=http", "CLICKHOUSE__COMPRESSION=none",
	}, own...) {
		if _, value, _ := strings.Cut(kv, "="); value != "" {
			env = append(env, "STALKER_CFG_"+kv)
		}
	}
	return env
}

// replace puts a process of a version in the node's place.
func (n *node) replace(t *testing.T, path string) {
	t.Helper()
	before := n.process
	next := n.program(t, path)
	if n.address == "127.0.0.1:0" {
		next.up(t)
		before.stop(t)
	} else {
		before.stop(t)
		next.up(t)
	}
	n.process = next
}

// migrate does what is done before an upgrade, with the previous version at work, and
// after it.
func (r *rollout) migrate(t *testing.T, flags ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.is, append([]string{"migrate"}, flags...)...)
	cmd.Env = r.settings(filepath.Join(r.dir, "migrate"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
}

// prepare makes a project with the automation of the other tests of this package, as
// jobs that are programs, and returns the project.
func (r *rollout) prepare(t *testing.T) string {
	t.Helper()
	r.quiet(t)
	front := r.nodes[0].data
	for _, job := range programs {
		var made struct{ ID string }
		call(t, front, http.MethodPost, "/jobs", job, &made)
	}
	for _, file := range []string{"subscriptions/grab.yaml", "subscriptions/look.yaml"} {
		var made struct{ ID string }
		call(t, front, http.MethodPost, "/subscriptions", map[string]any{"document": string(catalogue[file].Data)}, &made)
	}
	var project struct{ ID string }
	call(t, front, http.MethodPost, "/projects", map[string]any{"name": "rolling", "internal": []string{"10.0.0.0/8"}}, &project)
	return project.ID
}

// quiet turns off what is built in: it would scan the hosts of this test, which are
// nobody's.
func (r *rollout) quiet(t *testing.T) {
	t.Helper()
	front := r.nodes[0].data
	var list struct {
		Items []struct {
			ID               string
			BuiltIn, Enabled bool
		}
	}
	call(t, front, http.MethodGet, "/subscriptions", nil, &list)
	for _, s := range list.Items {
		if s.BuiltIn && s.Enabled {
			var is struct{ Enabled bool }
			if call(t, front, http.MethodPatch, "/subscriptions/"+s.ID, map[string]any{"enabled": false}, &is); is.Enabled {
				t.Fatalf("subscription %s is still enabled", s.ID)
			}
		}
	}
}

func (r *rollout) feed(t *testing.T, project string, hosts int) *feed {
	t.Helper()
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, tokenKey, 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFeed(t, "", project, keyFile, hosts)
	f.atOnce = 10 // there is something to say in every step
	for _, n := range r.nodes {
		if strings.HasPrefix(n.role, app.RoleGateway) {
			f.urls = append(f.urls, "http://"+n.address)
		}
	}
	return f
}

// working waits until half of what may be said has been: then there is work under
// way, and more to come.
func (r *rollout) working(t *testing.T, f *feed, allowed int64) {
	t.Helper()
	from := f.done.Load()
	for end := time.Now().Add(5 * time.Minute); f.done.Load() < (from+allowed)/2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the feed stands still at %d hosts of %d", f.done.Load(), allowed)
		}
	}
}

// programs are jobs that say what the functions of runner say. They take a moment, so
// that some are at work whenever a process is replaced.
var programs = []map[string]any{
	{
		"name": "Grab", "type": "code", "language": "python",
		"parameters": []map[string]string{{"name": "targetIp", "type": "string"}, {"name": "port", "type": "number"}},
		"code": `import time
from stalker_sdk import PortFinding, TextField, log_finding, params
ip, port = params.ip("targetIp"), params.integer("port")
log_finding(PortFinding("PortServiceFinding", ip, port, "tcp", fields=[TextField("serviceName", data="ftp"), TextField("serviceProduct", data="vsftpd")]))
time.sleep(1)
log_finding(PortFinding("PortFinding", ip, 8080, "tcp", type="PortFinding"))
log_finding(PortFinding("PortServiceFinding", ip, 8080, "tcp", fields=[TextField("serviceName", data="http")]))
`,
	},
	{
		"name": "Look", "type": "code", "language": "python",
		"parameters": []map[string]string{{"name": "domainName", "type": "string"}, {"name": "targetIp", "type": "string"}, {"name": "port", "type": "number"}},
		"code": `import time
from stalker_sdk import TextField, WebsiteFinding, log_finding, params
ip, port, name = params.ip("targetIp"), params.integer("port"), params.string("domainName")
log_finding(WebsiteFinding("WebsiteResponseFinding", ip, port, name, "/", fields=[TextField("title", data="Hello"), TextField("statusCode", data=200)]))
time.sleep(1)
log_finding(WebsiteFinding("WebsiteTechnologyFinding", ip, port, name, "/", fields=[TextField("technology", data="PHP")]))
`,
	},
}
