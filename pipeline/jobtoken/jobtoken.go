// Package jobtoken makes and checks the credential of one execution. A token is
// bound to its execution, project and job and dies with the execution's deadline,
// so a job can speak only for itself, and only while it runs. Tokens are JSON Web
// Tokens (RFC 7519) signed with HMAC-SHA-256.
package jobtoken

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

// KeyLen is the length of a signing key in bytes.
const KeyLen = 32

const audience = "stalker-gateway"

// Claims say for what a token speaks.
type Claims struct {
	ExecutionID string `json:"exe"`
	ProjectID   string `json:"prj"`
	Job         string `json:"job"`
	Attempt     int    `json:"att"`
	RootID      string `json:"root"`
	Depth       int    `json:"dep"` // of the execution; its findings are one deeper
	Target      string `json:"tgt,omitempty"`
	Trace       string `json:"tra,omitempty"` // the execution's span, see package trace

	// Secrets are what the execution was given and nobody gets to read: whoever
	// passes on what it says hides them. They travel encrypted, up to MaxSecrets.
	Secrets []string `json:"-"`

	IssuedAt time.Time `json:"-"` // when the attempt began, to the second; set by Verify
}

type token struct {
	Claims
	Veil []byte `json:"veil,omitempty"`
	jwt.RegisteredClaims
}

// Minter makes tokens.
type Minter struct {
	key []byte
	now func() time.Time
}

// NewMinter returns a minter for a key of KeyLen bytes.
func NewMinter(key []byte) (*Minter, error) {
	if len(key) != KeyLen {
		return nil, fmt.Errorf("job token key has %d bytes, want %d", len(key), KeyLen)
	}
	return &Minter{key: key, now: time.Now}, nil
}

// Mint returns a token that is valid for ttl.
func (m *Minter) Mint(c Claims, ttl time.Duration) (string, error) {
	now := m.now()
	hidden, err := hide(m.key, &c)
	if err != nil {
		return "", err
	}
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, token{Claims: c, Veil: hidden, RegisteredClaims: jwt.RegisteredClaims{
		Subject: c.ExecutionID, Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}}).SignedString(m.key)
	if err != nil {
		return "", fmt.Errorf("signing job token: %w", err)
	}
	return s, nil
}

// Verifier checks tokens.
type Verifier struct {
	keys   jwt.VerificationKeySet
	raw    [][]byte
	parser *jwt.Parser
}

// NewVerifier accepts tokens signed with any of the keys, so that a key can be
// replaced while executions run.
func NewVerifier(keys ...[]byte) (*Verifier, error) {
	if len(keys) == 0 {
		return nil, errors.New("no job token key")
	}
	v := &Verifier{parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithLeeway(30*time.Second))}
	for _, k := range keys {
		if len(k) != KeyLen {
			return nil, fmt.Errorf("job token key has %d bytes, want %d", len(k), KeyLen)
		}
		v.keys.Keys, v.raw = append(v.keys.Keys, k), append(v.raw, k)
	}
	return v, nil
}

// Verify returns what a token speaks for, or CodeUnauthorized.
func (v *Verifier) Verify(text string) (Claims, error) {
	var t token
	_, err := v.parser.ParseWithClaims(text, &t, func(*jwt.Token) (any, error) { return v.keys, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, pipeline.Errorf(pipeline.CodeUnauthorized, "the job token has expired: the execution's time is over")
	case err != nil || t.ExecutionID == "" || t.ProjectID == "":
		return Claims{}, pipeline.Errorf(pipeline.CodeUnauthorized, "the job token is not valid")
	}
	if t.RegisteredClaims.IssuedAt != nil {
		t.Claims.IssuedAt = t.RegisteredClaims.IssuedAt.UTC()
	}
	if t.Secrets, err = reveal(v.raw, &t); err != nil {
		return Claims{}, pipeline.Errorf(pipeline.CodeUnauthorized, "the job token is not valid")
	}
	return t.Claims, nil
}

// ParseKey reads a key written as standard base64, for installations in which
// several processes share one.
func ParseKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != KeyLen {
		return nil, fmt.Errorf("a job token key is %d random bytes in base64: head -c %d /dev/urandom | base64", KeyLen, KeyLen)
	}
	return key, nil
}

// LoadOrCreateKey reads the key from a file only its owner can read, making one
// when there is none.
func LoadOrCreateKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return createKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading job token key: %w", err)
	}
	if len(key) != KeyLen {
		return nil, fmt.Errorf("job token key %s has %d bytes, want %d: remove it to get a new one", file, len(key), KeyLen)
	}
	return key, nil
}

func createKey(file string) ([]byte, error) {
	key := make([]byte, KeyLen)
	_, _ = rand.Read(key) // never fails
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("making key directory: %w", err)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, key, 0o600); err != nil {
		return nil, fmt.Errorf("writing job token key: %w", err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return nil, fmt.Errorf("writing job token key: %w", err)
	}
	return key, nil
}
