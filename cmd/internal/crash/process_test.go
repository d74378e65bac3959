package crash

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a child that can be killed and started again.
type process struct {
	name  string
	start func() *exec.Cmd
	ready string // the line of its output that says it is ready begins or ends so
	log   string // a file that its errors are appended to

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	line  string // the line that said it was ready
}

// up starts the process and waits until it is ready.
func (p *process) up(t *testing.T) {
	t.Helper()
	errs, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	cmd := p.start()
	cmd.Stderr = errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // nothing outlives the test
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(errs, s.Text())
			if strings.Contains(s.Text(), p.ready) {
				select {
				case ready <- s.Text():
				default:
				}
			}
		}
		_ = cmd.Wait()
	}()
	p.mu.Lock()
	p.cmd, p.ended = cmd, ended
	p.mu.Unlock()
	select {
	case p.line = <-ready:
	case <-ended:
		t.Fatalf("%s ended before it was ready:\n%s", p.name, p.tail())
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s is not ready after two minutes:\n%s", p.name, p.tail())
	}
}

// kill ends the process the hard way. It must have been alive until now.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.over() {
		t.Fatalf("%s ended by itself:\n%s", p.name, p.tail())
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends the process in order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.end(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("%s ended with %d:\n%s", p.name, code, p.tail())
	}
}

// end asks the process to end, and waits.
func (p *process) end(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Minute):
		t.Errorf("%s does not stop:\n%s", p.name, p.tail())
		p.kill(t)
	}
}

// over says whether it has ended.
func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) tail() string {
	b, _ := os.ReadFile(p.log)
	if len(b) > 6000 {
		b = b[len(b)-6000:]
	}
	return string(b)
}

// server is this binary as a server, see child.
func server(t *testing.T, name string, o order) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	return &process{name: name, ready: "ready http", log: filepath.Join(o.Data, "child.log"), start: func() *exec.Cmd {
		cmd := exec.Command(self) // not of a context: it is ended by the test, one way or the other
		cmd.Env = append(os.Environ(), childEnv+"="+string(text))
		return cmd
	}}
}

func (p *process) url() string { return strings.TrimPrefix(p.line, "ready ") }

// address returns one that is free on loopback, and stays the same over restarts. It is
// below the ports that outgoing connections get: one of those could have it while the
// process is away.
func address(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no free port")
	return ""
}
