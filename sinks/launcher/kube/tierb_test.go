package kube_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/kubernetes"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// pythonImage is what .ci/k8s/node.sh gives the node: Debian's Python.
const pythonImage = "docker.io/library/stalker-job-python:latest"

// onANode is a runner whose pods really run, with the SDK as it is.
func (c *cluster) onANode() *kube.Runner {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(c.launcherRights())
	if err != nil {
		c.t.Fatal(err)
	}
	cfg := kube.DefaultConfig()
	cfg.Namespace, cfg.Image, cfg.Grace, cfg.ImageTimeout = c.ns, pythonImage, 2*time.Second, 5*time.Second
	r, err := kube.New(cfg, kube.Deps{
		Client: client, Gateway: "http://10.244.0.1:1/gateway/v1", SDK: os.DirFS("../../../deploy/sdk"),
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	bustest.Run(c.t, "runner", r.Watch)
	return r
}

// inside is what a job sees of its pod, each line a promise of the runner.
const inside = `import json, os
def writable(path):
    try:
        open(path + "/x", "w").close()
        return True
    except OSError:
        return False
print("uid", os.getuid(), "gid", os.getgid())
print("root writable", writable("/"), "work writable", writable("/stalker/work"), "tmp writable", writable("/tmp"))
print("token of the cluster", os.path.exists("/var/run/secrets/kubernetes.io"))
print("capabilities", [l.split()[1] for l in open("/proc/self/status") if l.startswith(("CapEff", "CapBnd"))])
print("no new privileges", [l.split()[1] for l in open("/proc/self/status") if l.startswith(("NoNewPrivs", "Seccomp:"))])
print("params", sorted(json.load(open(os.environ["STALKER_PARAMS_FILE"]))), os.environ["targetIp"], len(os.environ["STALKER_TOKEN"]))
`

type podCase struct {
	job      pipeline.Job
	deadline time.Duration
	stop     bool
	want     string   // state, reason and the beginning of the detail
	lines    []string // that its log must have, in this order
}

func python(code string) pipeline.Job {
	return pipeline.Job{Type: pipeline.JobContainer, Image: pythonImage, Command: []string{"python3", "-u", "-c", code}, PodSize: "XS"}
}

func podCases() map[string]podCase {
	return map[string]podCase{
		"inside": {job: python(inside), want: "succeeded", lines: []string{
			"uid 65532 gid 65532", "root writable False work writable True tmp writable True", "token of the cluster False",
			"capabilities ['0000000000000000', '0000000000000000']", "no new privileges ['1', '2']", "params ['key', 'targetIp'] 127.0.0.1 5",
		}},
		"exit code": {job: python("import sys; print('bye'); sys.exit(3)"), want: "failed exit_code exit code 3", lines: []string{"bye"}},
		"reported": {
			job:  python(`open("/dev/termination-log", "w").write('{"status": "failed", "message": "no such host"}'); raise SystemExit(1)`),
			want: "failed reported no such host",
		},
		"memory":     {job: python("b = []\nwhile True: b.append(bytearray(1 << 20))"), want: "failed out_of_memory it used more than 50Mi of memory"},
		"deadline":   {job: python("import time\nprint('waiting')\ntime.sleep(600)"), deadline: 8 * time.Second, want: "timed_out deadline", lines: []string{"waiting"}},
		"stopped":    {job: python("import time\nprint('waiting')\ntime.sleep(600)"), stop: true, want: "stopped person"},
		"image":      {job: pipeline.Job{Type: pipeline.JobContainer, Image: "127.0.0.1:1/no/such:1", PodSize: "XS"}, want: "failed image_pull"},
		"command":    {job: pipeline.Job{Type: pipeline.JobContainer, Image: pythonImage, Command: []string{"/no/such"}, PodSize: "XS"}, want: "failed start_failed"},
		"many lines": {job: python("for i in range(20000): print('line', i)"), want: "succeeded", lines: []string{"line 0", "line 9999", "line 19999"}},
	}
}

func TestClusterNodeEveryEndHasItsReason(t *testing.T) {
	c := onCluster(t, tier(t, "B"))
	r := c.onANode()
	var all sync.WaitGroup
	i := 0
	for name, tc := range podCases() {
		i++
		s := spec(id(i))
		s.Job, s.StartTimeout, s.Deadline = tc.job, 3*time.Minute, 5*time.Minute
		s.Job.Name = name
		if tc.deadline > 0 {
			s.Deadline = tc.deadline
		}
		all.Go(func() { c.play(r, s, tc) })
	}
	all.Wait()
}

func (c *cluster) play(r *kube.Runner, s launcher.Spec, tc podCase) {
	ctx, cancel := context.WithCancelCause(c.t.Context())
	defer cancel(nil)
	var mu sync.Mutex
	var lines []string
	if tc.stop {
		s.Started = onceDo(func() { cancel(launcher.ErrStopped) })
	}
	res := r.Run(ctx, s, func(_ pipeline.Stream, text string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, text)
	})
	r.Release(c.t.Context(), s.Request.ID)
	if got := fmt.Sprintf("%s %s %s", res.State, res.Reason, res.Detail); !strings.HasPrefix(got, tc.want) {
		c.t.Errorf("%s: %q, want %q", s.Job.Name, got, tc.want)
	}
	at := 0
	for _, want := range tc.lines {
		for at < len(lines) && lines[at] != want {
			at++
		}
		if at == len(lines) {
			c.t.Errorf("%s: %q is not in the log, or not in its place: %.2000q", s.Job.Name, want, lines)
			return
		}
	}
}
