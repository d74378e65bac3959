package gitsource

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/stalker-asm/stalker/pipeline"
)

// Login is who we are over ssh, and whom we believe. What is empty is that of the
// user who runs this process.
type Login struct {
	Key        string // private, in PEM or OpenSSH's form, without a passphrase
	KnownHosts string // lines as in known_hosts
}

// MaxKnownHosts is how long the known hosts of a source may be, in bytes.
const MaxKnownHosts = 64 << 10

// PublicKey returns the public half of a private key, as in authorized_keys, or what
// is wrong with the key.
func PublicKey(private string) (string, error) {
	s, err := ssh.ParsePrivateKey([]byte(private))
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return "", pipeline.Errorf(pipeline.CodeInvalid, "deployKey: has a passphrase, which nobody would be there to type: make a key without one (ssh-keygen -t ed25519 -N '' -f FILE)")
	}
	if err != nil { // which may quote the key
		return "", pipeline.Errorf(pipeline.CodeInvalid, "deployKey: is no private key such as ssh-keygen -t ed25519 -N '' -f FILE writes into FILE")
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))), nil
}

// CheckKnownHosts reports the first line that is none of known_hosts.
func CheckKnownHosts(text string) error {
	if len(text) > MaxKnownHosts {
		return pipeline.Errorf(pipeline.CodeInvalid, "knownHosts: has %d bytes, at most %d may be", len(text), MaxKnownHosts)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if _, _, _, _, _, err := ssh.ParseKnownHosts([]byte(line)); err != nil {
			return pipeline.Errorf(pipeline.CodeInvalid, "knownHosts: line %d is not understood; a line is HOST TYPE KEY, as ssh-keyscan HOST writes it", n)
		}
	}
	return nil
}

// knownAs is what known_hosts calls a server.
func knownAs(u *url.URL) string {
	if p := u.Port(); p != "" && p != "22" {
		return "[" + u.Hostname() + "]:" + p
	}
	return u.Hostname()
}

// trust tells git how to call ssh: no configuration of anybody's, the address that was
// checked, a host key that is known. The key is held by an agent of ours in memory,
// and never on a disk. stop ends the agent.
func (r *remote) trust(ctx context.Context, dir string, l Login) (stop func(), err error) {
	options := []string{
		"BatchMode=yes", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "VerifyHostKeyDNS=no", "CheckHostIP=no", "ConnectTimeout=15", "ServerAliveInterval=15", "ForwardAgent=no",
		"ClearAllForwardings=yes", "PermitLocalCommand=no", "PreferredAuthentications=publickey", "HostKeyAlias=" + r.host, "HostName=" + r.at,
	}
	if l.KnownHosts != "" {
		file := filepath.Join(dir, "known_hosts")
		if err := os.WriteFile(file, []byte(strings.TrimRight(l.KnownHosts, "\n")+"\n"), 0o600); err != nil {
			return nil, pipeline.Errorf(pipeline.CodeInternal, "writing known hosts: %w", err)
		}
		options = append(options, "GlobalKnownHostsFile=/dev/null", "UserKnownHostsFile="+file)
	}
	stop = func() {}
	if l.Key != "" {
		socket := filepath.Join(dir, "agent")
		if stop, err = serveKey(ctx, socket, l.Key); err != nil {
			return nil, err
		}
		options = append(options, "IdentityFile=none", "IdentityAgent="+socket)
	}
	for i, o := range options {
		options[i] = "-o '" + strings.ReplaceAll(o, "'", `'\''`) + "'"
	}
	r.env = []string{"GIT_SSH_COMMAND=ssh -F none " + strings.Join(options, " ")}
	return stop, nil
}

// serveKey answers as an ssh agent that has one key, until stop returns.
func serveKey(ctx context.Context, socket, key string) (stop func(), err error) {
	private, err := ssh.ParseRawPrivateKey([]byte(key))
	if err != nil { // which may quote the key
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the deploy key is not understood any more: set it again")
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "the deploy key is of a kind that is not understood: set another one")
	}
	ctx, cancel := context.WithCancel(ctx)
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		cancel()
		return nil, pipeline.Errorf(pipeline.CodeInternal, "offering the deploy key to ssh: %w", err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = c.Close() })()
				defer c.Close()
				_ = agent.ServeAgent(ring, c) // it ends with the connection
			})
		}
	})
	return func() {
		cancel()
		_ = l.Close()
		all.Wait()
	}, nil
}

// refusal says what ssh's words about trust mean here, "" when they are about
// something else.
func (r *remote) refusal(said string) string {
	switch {
	case r.protocol != "ssh":
		return ""
	case strings.Contains(said, "REMOTE HOST IDENTIFICATION HAS CHANGED"):
		return "the host key of " + r.host + " is another one than the known hosts say: somebody may be in between, or the server has a new key; ask its operator, then change the known hosts"
	case strings.Contains(said, "REVOKED HOST KEY"):
		return "the known hosts say that the host key of " + r.host + " is revoked"
	case strings.Contains(said, "Host key verification failed"):
		return "the host key of " + r.host + " is not known: set the source's known hosts to what ssh-keyscan writes for it, after comparing the key with what its operator says"
	case strings.Contains(said, "Permission denied (") || strings.Contains(said, "Too many authentication failures"):
		return r.host + " does not take the key: its operator must add the public key of this source for reading"
	default:
		return ""
	}
}
