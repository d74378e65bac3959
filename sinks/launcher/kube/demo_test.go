package kube_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// labNetwork is where pods find the lab: its addresses are the node's own. nodeIP is
// where they find the gateway.
const labNetwork, nodeIP = "10.99.7.0/24", "10.244.0.1"

// first is how the lab and the server come before whatever else this machine does:
// scanners take who is slow for absent. node.sh does the same for the pods.
const first = "-15"

// TestClusterNodeDiscoversTheLab lets the program discover the demo lab through pods
// alone: every built-in job of the chain really runs in one, under a quota that holds
// a few of them, with the launcher's rights; what was found must be what is there.
func TestClusterNodeDiscoversTheLab(t *testing.T) {
	c := onCluster(t, tier(t, "B"))
	program := os.Getenv("STALKER_TEST_BIN")
	if program == "" {
		t.Fatal("STALKER_TEST_BIN does not name the program")
	}
	c.quota(corev1.ResourceList{corev1.ResourceLimitsCPU: resource.MustParse("1800m"), corev1.ResourcePods: resource.MustParse("8")})
	run(t, "ip", "route", "add", "local", labNetwork, "dev", "lo")
	t.Cleanup(func() { _ = exec.CommandContext(c.after, "ip", "route", "del", "local", labNetwork, "dev", "lo").Run() })

	data := t.TempDir()
	c.serve(program, data, freePort(t))
	// A scanner whose pod gets no processor for seconds takes a service for silent, which
	// says nothing about pods: whoever finds all once could.
	for attempt := 1; ; attempt++ {
		whole, out := discover(t, program, data, fmt.Sprintf("Lab %d", attempt))
		if whole {
			break
		}
		if attempt == attempts {
			t.Errorf("the lab was never discovered whole: %s", out)
			break
		}
		t.Logf("attempt %d: %s", attempt, out)
	}
	pods, jobs := c.left()
	if pods+jobs > 0 {
		t.Errorf("%d pods and %d Jobs are left", pods, jobs)
	}
}

// attempts is how many discoveries may be disturbed by what else the machine does.
const attempts = 3

// discover lets the server discover the lab, and reports whether that was found whole.
func discover(t *testing.T, program, data, project string) (whole bool, out string) {
	t.Helper()
	demo := exec.CommandContext(t.Context(), "nice", "-n", first, program, "demo", "--data", data, "--project", project, "--lab", labNetwork, "--timeout", "15m")
	b, err := demo.CombinedOutput()
	return err == nil && bytes.Contains(b, []byte("nothing is missing, nothing is extra")) && bytes.Contains(b, []byte("jobs succeeded, 0 did not")), fmt.Sprintf("%v\n%s", err, b)
}

// serve starts the program as an installation on a cluster has it, all roles in one,
// until the test ends.
func (c *cluster) serve(program, data, port string) {
	c.t.Helper()
	settings := filepath.Join(data, "settings.yaml")
	text := fmt.Sprintf(`data: %s
log: {level: warn}
http: {listen: "%[2]s:%[3]s"}
gatewayUrl: http://%[2]s:%[3]s/gateway/v1
launcher: {runner: kubernetes}
kubernetes: {kubeconfig: %[4]s, namespace: %[5]s, image: %[6]s, sizes: {XS: {cpu: 300m, memory: 64Mi}, S: {cpu: 300m, memory: 75Mi}, M: {cpu: 450m, memory: 150Mi}, XL: {cpu: 600m, memory: 512Mi}}}
`, data, nodeIP, port, kubeconfig(c.t, c.launcherRights()), c.ns, pythonImage)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	var said buffer
	server := exec.CommandContext(context.WithoutCancel(c.t.Context()), "nice", "-n", first, program, "serve", "--config", settings)
	server.Stdout, server.Stderr = &said, &said
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		c.t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- server.Wait() }()
	c.t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(2 * time.Minute):
			_ = server.Process.Kill()
			<-gone
		}
		if c.t.Failed() {
			c.t.Logf("what the server said:\n%s", said.String())
		}
	})
	eventually(c.t, "the server is up", func() bool {
		if len(gone) > 0 {
			c.t.Fatalf("the server ended:\n%s", said.String())
		}
		return strings.Contains(said.String(), "is running at")
	})
}

// left counts what executions have left in the namespace, once it is swept.
func (c *cluster) left() (pods, jobs int) {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		p, err := c.client.CoreV1().Pods(c.ns).List(c.t.Context(), metav1.ListOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
		j, err := c.client.BatchV1().Jobs(c.ns).List(c.t.Context(), metav1.ListOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
		if pods, jobs = len(p.Items), len(j.Items); pods+jobs == 0 || time.Now().After(end) {
			return pods, jobs
		}
	}
}

func (c *cluster) quota(hard corev1.ResourceList) {
	c.t.Helper()
	_, err := c.client.CoreV1().ResourceQuotas(c.ns).Create(c.t.Context(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.ResourceQuotaSpec{Hard: hard},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", nodeIP+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// buffer is what a process prints, read while it does.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
