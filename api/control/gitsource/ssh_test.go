package gitsource

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keyPair makes a private key, as ssh-keygen writes it, and what signs with it.
func keyPair(t *testing.T) (string, ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), s
}

// sshServer serves repositories over ssh to who has a key, and returns its address and
// its line of known_hosts.
func sshServer(t *testing.T, allowed ssh.PublicKey) (address, line string) {
	t.Helper()
	_, host := keyPair(t)
	cfg := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) != string(allowed.Marshal()) {
			return nil, errors.New("another key")
		}
		return nil, nil //nolint:nilnil // no restrictions
	}}
	cfg.AddHostKey(host)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				serveSSH(t, c, cfg)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String(), knownhosts.Line([]string{l.Addr().String()}, host.PublicKey())
}

func serveSSH(t *testing.T, c net.Conn, cfg *ssh.ServerConfig) {
	t.Helper()
	_, channels, requests, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return // who was refused
	}
	go ssh.DiscardRequests(requests)
	for next := range channels {
		ch, in, err := next.Accept()
		if err != nil {
			return
		}
		for r := range in {
			var command struct{ Text string }
			if r.Type != "exec" || ssh.Unmarshal(r.Payload, &command) != nil {
				_ = r.Reply(r.Type == "env", nil)
				continue
			}
			_ = r.Reply(true, nil)
			name, path, _ := strings.Cut(command.Text, " ")
			cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", strings.TrimPrefix(name, "git-"), strings.Trim(path, "'"))
			cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
			stdin, _ := cmd.StdinPipe()
			go copyAndClose(stdin, ch)
			status := struct{ Code uint32 }{}
			if err := cmd.Run(); err != nil {
				status.Code = 1
			}
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(status))
			_ = ch.Close()
		}
	}
}

// A repository is cloned by ssh itself, with a key of the source's own, from a server
// whose key must be known.
func TestFetchOverSSHWithADeployKey(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("ssh is not installed")
	}
	dir := repository(t, map[string]string{"subscriptions/a.yaml": "a"})
	key, signer := keyPair(t)
	wrong, _ := keyPair(t)
	address, line := sshServer(t, signer.PublicKey())
	_, other := keyPair(t)
	url := "ssh://git@" + address + filepath.Join(dir, ".git")
	elsewhere := knownhosts.Line([]string{"git.example.com"}, other.PublicKey())
	for _, tc := range []struct {
		name, want string
		login      Login
		change     func(*Config)
	}{
		{"with the key", "", Login{key, line}, private},
		{"among others and comments", "", Login{key, "# ours\n\n" + elsewhere + "\n" + line + "\n"}, private},
		{"by a hash of the name", "", Login{key, strings.Replace(line, knownhosts.Normalize(address), knownhosts.HashHostname(knownhosts.Normalize(address)), 1)}, private},
		{"a host nobody knows", "is not known: set the source's known hosts", Login{key, elsewhere}, private},
		{"another host key", "is another one than the known hosts say", Login{key, knownhosts.Line([]string{address}, other.PublicKey())}, private},
		{"a revoked host key", "is revoked", Login{key, "@revoked " + line}, private},
		{"with another key", "does not take the key", Login{wrong, line}, private},
		{"an address that is not public", "no public address", Login{key, line}, func(*Config) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := fetcher(t, tc.change).Fetch(t.Context(), url, "main", tc.login, "subscriptions")
			switch {
			case tc.want == "" && (err != nil || len(got.Commit) != 40):
				t.Errorf("%v, %v", got, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

func TestKeysAndKnownHostsAreChecked(t *testing.T) {
	key, s := keyPair(t)
	if got, err := PublicKey(key); err != nil || got != strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))) {
		t.Errorf("%q, %v", got, err)
	}
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("open"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PublicKey(string(pem.EncodeToMemory(locked))); err == nil || !strings.Contains(err.Error(), "passphrase") {
		t.Errorf("%v", err)
	}
	if _, err := PublicKey("s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	line := knownhosts.Line([]string{"git.example.com"}, s.PublicKey())
	for text, want := range map[string]string{
		"": "", "# a comment\n\n" + line + "\n": "", "@revoked " + line: "", line + "\ngit.example.com\n": "line 2", "git.example.com ssh-ed25519 AAAA": "line 1",
		strings.Repeat("#", MaxKnownHosts+1): "at most",
	} {
		if err := CheckKnownHosts(text); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

// What is put into the command that git gives a shell cannot be one.
func TestAHostIsNoCommand(t *testing.T) {
	for _, url := range []string{"ssh://a;id/x", "ssh://$(id)/x", "ssh://a'b/x", "ssh://a&b/x", "https://a*b/x"} {
		if err := fetcher(t, private).Check(url); err == nil {
			t.Errorf("%s is taken", url)
		}
	}
}

func copyAndClose(to io.WriteCloser, from io.Reader) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}
