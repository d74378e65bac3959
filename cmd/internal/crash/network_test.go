package crash

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// network is a bridge with machines on it: network namespaces with a cable each, which
// can be pulled. The test is on the bridge too, and so is what it serves.
type network struct {
	name     string
	prefix   string // of its addresses, which are nobody's: 198.18.0.0/15 is for tests of networks
	machines int
}

// newNetwork makes the bridge. Without root there is none; with root it is a fault
// when it cannot be made, since the test would never run then.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatalf("iproute2 is missing: %v", err)
	}
	n := &network{name: fmt.Sprintf("stk%04x", os.Getpid()&0xffff), prefix: fmt.Sprintf("198.18.%d", os.Getpid()%256)}
	n.ip(t, "link", "add", n.name, "type", "bridge")
	t.Cleanup(func() { n.undo("link", "del", n.name) })
	n.ip(t, "addr", "add", n.address(1)+"/24", "dev", n.name)
	n.ip(t, "link", "set", n.name, "up")
	return n
}

func (n *network) address(host int) string { return fmt.Sprintf("%s.%d", n.prefix, host) }

func (n *network) ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// undo does what may be done already.
func (*network) undo(args ...string) { _ = exec.Command("ip", args...).Run() }

// machine is a namespace on the network.
type machine struct {
	net     *network
	ns      string
	cable   string // its end at the bridge
	address string
}

func (n *network) machine(t *testing.T) *machine {
	t.Helper()
	n.machines++
	i := n.machines
	m := &machine{net: n, ns: fmt.Sprintf("%sn%d", n.name, i), cable: fmt.Sprintf("%sv%d", n.name, i), address: n.address(10 + i)}
	inside := fmt.Sprintf("%se%d", n.name, i)
	n.ip(t, "netns", "add", m.ns)
	t.Cleanup(func() { n.undo("netns", "del", m.ns); n.undo("link", "del", m.cable) })
	n.ip(t, "link", "add", m.cable, "type", "veth", "peer", "name", inside)
	n.ip(t, "link", "set", m.cable, "master", n.name, "up")
	n.ip(t, "link", "set", inside, "netns", m.ns)
	n.ip(t, "-n", m.ns, "addr", "add", m.address+"/24", "dev", inside)
	n.ip(t, "-n", m.ns, "link", "set", inside, "up")
	n.ip(t, "-n", m.ns, "link", "set", "lo", "up")
	return m
}

// cut pulls the cable: packets are lost both ways, and no connection is told.
func (m *machine) cut(t *testing.T) {
	t.Helper()
	m.net.ip(t, "link", "set", m.cable, "down")
}

// mend plugs it in again.
func (m *machine) mend(t *testing.T) {
	t.Helper()
	m.net.ip(t, "link", "set", m.cable, "up")
}

// on has a process run on the machine.
func (m *machine) on(p *process) *process {
	start := p.start
	p.start = func() *exec.Cmd {
		cmd := start()
		moved := exec.Command("ip", append([]string{"netns", "exec", m.ns}, cmd.Args...)...)
		moved.Env = cmd.Env
		return moved
	}
	return p
}

// relay serves an address of the bridge by one of loopback, for a server that listens
// there only.
func relay(t *testing.T, on, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", on+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				d, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer d.Close()
				go func() { _, _ = io.Copy(d, c); d.Close() }()
				_, _ = io.Copy(c, d)
			}()
		}
	}()
	return l.Addr().String()
}
