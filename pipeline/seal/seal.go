// Package seal closes secrets so that only who holds a key can open them. Each
// value is encrypted with a key of its own, which is encrypted for the newest of
// our keys (the age format, X25519 and ChaCha20-Poly1305). Closing takes the public
// half alone: a process that only stores secrets needs no more.
//
// What is closed is bound to its name and its project: a sealed value that somebody
// puts under another name, or into another project, does not open.
package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"filippo.io/age"

	"github.com/stalker-asm/stalker/pipeline"
)

// Keys close and open secrets.
type Keys struct {
	file string // where they are kept; "" when they are somebody else's to keep

	mu         sync.RWMutex
	identities []*age.X25519Identity // the newest first; none when there is only the public half
	recipient  *age.X25519Recipient
}

// Generate returns a new key as text.
func Generate() (string, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("making a key: %w", err)
	}
	return id.String(), nil
}

// Parse reads keys, one on a line, the newest first. Spaces and lines with # at
// their beginning mean nothing.
func Parse(text string) (*Keys, error) {
	k := &Keys{}
	for n, line := range strings.Split(strings.ReplaceAll(text, ",", "\n"), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := identity(line)
		if err != nil {
			return nil, fmt.Errorf("line %d is no key, such as AGE-SECRET-KEY-1…: stalker secrets key makes one", n+1) // the error would repeat the key
		}
		k.identities = append(k.identities, id)
	}
	if len(k.identities) == 0 {
		return nil, errors.New("there is no key: stalker secrets key makes one")
	}
	k.recipient = k.identities[0].Recipient()
	return k, nil
}

// Public returns keys that only close, for the public half age1… of a key.
func Public(text string) (*Keys, error) {
	r, err := age.ParseX25519Recipient(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("%q is no public half of a key, such as age1…", text)
	}
	return &Keys{recipient: r}, nil
}

// Load reads keys from a file.
func Load(file string) (*Keys, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of secrets: %w", err)
	}
	k, err := Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

// LoadOrCreate reads keys from a file that is ours, making it when there is none.
// Only its owner can read it.
func LoadOrCreate(file string) (*Keys, error) {
	k, err := Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err := Generate()
		if err != nil {
			return nil, err
		}
		if k, err = Parse(text); err != nil {
			return nil, err
		}
		if err := write(file, k.identities); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	k.file = file
	return k, nil
}

func write(file string, ids []*age.X25519Identity) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("making key directory: %w", err)
	}
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(id.String() + "\n")
	}
	tmp := file + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the keys of secrets: %w", err)
	}
	_, err = f.WriteString(b.String())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, file)
	}
	if err != nil {
		return fmt.Errorf("writing the keys of secrets: %w", err)
	}
	return nil
}

// Recipient is the public half of the newest key.
func (k *Keys) Recipient() string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.recipient.String()
}

// Opens reports whether these keys can open anything.
func (k *Keys) Opens() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return len(k.identities) > 0
}

// inside is what is closed: the value, and what it belongs to.
type inside struct {
	ProjectID string `json:"projectId"`
	Name      string `json:"name"`
	Value     string `json:"value"`
}

// Seal closes a value for a secret.
func (k *Keys) Seal(s pipeline.Secret, value string) ([]byte, error) {
	k.mu.RLock()
	recipient := k.recipient
	k.mu.RUnlock()
	plain, err := json.Marshal(inside{s.ProjectID, s.Name, value})
	if err != nil {
		return nil, fmt.Errorf("closing a secret: %w", err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("closing a secret: %w", err)
	}
	return out.Bytes(), nil
}

// Open returns the value of a secret.
func (k *Keys) Open(s pipeline.Secret) (string, error) {
	k.mu.RLock()
	ids := make([]age.Identity, len(k.identities))
	for i, id := range k.identities {
		ids[i] = id
	}
	k.mu.RUnlock()
	if len(ids) == 0 {
		return "", errors.New("this process has only the public half of the key")
	}
	r, err := age.Decrypt(bytes.NewReader(s.Sealed), ids...)
	if _, none := errors.AsType[*age.NoIdentityMatchError](err); none {
		return "", errors.New("it was closed for a key that is not here: add the old key below the new one")
	}
	if err != nil {
		return "", errors.New("it is damaged")
	}
	plain, err := io.ReadAll(io.LimitReader(r, 2*pipeline.MaxSecret+1<<12))
	var in inside
	if err != nil || json.Unmarshal(plain, &in) != nil {
		return "", errors.New("it is damaged")
	}
	if in.ProjectID != s.ProjectID || in.Name != s.Name {
		return "", errors.New("it was closed for another name or project")
	}
	return in.Value, nil
}

// Renew puts a new key in front, when the keys are ours to keep; Retire removes the
// old ones once nothing is closed for them any more. Between the two, what is closed
// for either opens, also after a crash.
func (k *Keys) Renew() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == "" {
		return nil
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	ids := append([]*age.X25519Identity{id}, k.identities...)
	if err := write(k.file, ids); err != nil {
		return err
	}
	k.identities, k.recipient = ids, id.Recipient()
	return nil
}

// Retire takes the old keys out of the file. This process keeps them until it ends:
// something it was given before may still be closed for them.
func (k *Keys) Retire() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == "" {
		return nil
	}
	return write(k.file, k.identities[:1])
}
