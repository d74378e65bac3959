package v1

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// deployKey makes a key as ssh-keygen does.
func deployKey(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(b))
}

// A deploy key is stored encrypted, never read again, kept when something else changes,
// and opens after the keys were rotated.
func TestADeployKeyIsKeptAndNeverShown(t *testing.T) {
	w := newWorld(t, shelf{})
	op, key := w.operator(), deployKey(t)
	const url = "ssh://git@127.0.0.1:1/x.git" // nobody is there
	var src sourceView
	a := op.must("POST", "/sources", map[string]any{"url": url, "interval": 0, "deployKey": key, "knownHosts": "# none yet\n"}, &src)
	if !strings.HasPrefix(src.PublicKey, "ssh-ed25519 ") || src.KnownHosts != "# none yet\n" || !strings.Contains(src.Error, "git says") {
		t.Fatalf("%+v", src)
	}
	stored := func() string {
		t.Helper()
		e, err := w.sql.Get(t.Context(), "source", src.ID)
		if err != nil {
			t.Fatal(err)
		}
		return string(e.Body)
	}
	first := stored()
	bodies := string(a.body) + string(op.must("GET", "/sources", nil, nil).body) + string(op.must("GET", "/sources/"+src.ID, nil, nil).body)
	if strings.Contains(bodies, "sealed") || strings.Contains(bodies+first, "PRIVATE KEY") || !strings.Contains(first, "sealed") {
		t.Errorf("%s\n%s", bodies, first)
	}
	was := src.PublicKey
	op.must("PATCH", "/sources/"+src.ID, map[string]any{"branch": "main"}, &src)
	op.must("POST", "/secrets/rotate", nil, nil)
	if again := stored(); again == first {
		t.Error("the key was not closed again")
	}
	op.must("POST", "/sources/"+src.ID+"/sync", nil, &src)
	if src.PublicKey != was || src.Branch != "main" || !strings.Contains(src.Error, "git says") {
		t.Errorf("after the rotation: %+v", src)
	}
	op.must("PATCH", "/sources/"+src.ID, map[string]any{"deployKey": "", "knownHosts": ""}, &src)
	if src.PublicKey != "" || strings.Contains(stored(), "sealed") {
		t.Errorf("taken away: %+v", src)
	}
	op.refused(400, "deployKey:", "PATCH", "/sources/"+src.ID, map[string]any{"deployKey": "s3cret"})
	op.refused(400, "knownHosts: line 2", "PATCH", "/sources/"+src.ID, map[string]any{"knownHosts": "\nhost"})
	op.refused(400, "are for ssh", "POST", "/sources", map[string]any{"url": "https://git.example.com/x.git", "deployKey": key})
}
