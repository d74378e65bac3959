package jobtoken_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
)

var (
	oldKey = bytes.Repeat([]byte{1}, jobtoken.KeyLen)
	newKey = bytes.Repeat([]byte{2}, jobtoken.KeyLen)
	claims = jobtoken.Claims{ExecutionID: "e", ProjectID: "p", Job: "J", Attempt: 1, RootID: "r", Depth: 3, Target: "t"}
)

func mint(t *testing.T, key []byte, ttl time.Duration) string {
	t.Helper()
	m, err := jobtoken.NewMinter(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Mint(claims, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerify(t *testing.T) {
	v, err := jobtoken.NewVerifier(newKey, oldKey)
	if err != nil {
		t.Fatal(err)
	}
	good := mint(t, newKey, time.Hour)
	head, rest, _ := strings.Cut(good, ".")
	for _, tc := range []struct {
		name, token string
		ok          bool
	}{
		{"current key", good, true},
		{"previous key", mint(t, oldKey, time.Hour), true},
		{"within the leeway", mint(t, newKey, -10*time.Second), true},
		{"expired", mint(t, newKey, -time.Minute), false},
		{"foreign key", mint(t, bytes.Repeat([]byte{3}, jobtoken.KeyLen), time.Hour), false},
		{"changed", good[:len(good)-2] + "xx", false},
		{"unsigned", "eyJhbGciOiJub25lIn0." + strings.Split(rest, ".")[0] + ".", false},
		{"half", head, false},
		{"empty", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := v.Verify(tc.token)
			if tc.ok {
				if since := time.Since(got.IssuedAt); since < -time.Minute || since > time.Minute {
					t.Errorf("issued at %s", got.IssuedAt)
				}
				got.IssuedAt = claims.IssuedAt
				if d := cmp.Diff(got, claims); d != "" || err != nil {
					t.Errorf("Verify() = %v (-got +want):\n%s", err, d)
				}
			} else if pipeline.CodeOf(err) != pipeline.CodeUnauthorized || got.ExecutionID != "" {
				t.Errorf("Verify() = %v, %v, want unauthorized", got, err)
			}
		})
	}
}

func TestKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys", "job-token")
	first, err := jobtoken.LoadOrCreateKey(file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := jobtoken.LoadOrCreateKey(file)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("second LoadOrCreateKey() = %v, %v", second, err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := jobtoken.LoadOrCreateKey(file); err == nil {
		t.Error("a damaged key was accepted")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	v, err := jobtoken.NewVerifier(newKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := v.Verify(s); err == nil {
			t.Errorf("accepted %q as %v", s, c)
		}
	})
}

func TestParseKey(t *testing.T) {
	for text, ok := range map[string]bool{
		"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=": true,
		"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5":     false, // too short
		"not base64": false,
		"":           false,
	} {
		if key, err := jobtoken.ParseKey(text); (err == nil) != ok || ok && len(key) != jobtoken.KeyLen {
			t.Errorf("ParseKey(%q) = %d bytes, %v", text, len(key), err)
		}
	}
}

func TestSecretsTravelUnreadable(t *testing.T) {
	m, err := jobtoken.NewMinter(oldKey)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", jobtoken.MaxSecrets)
	c := claims
	c.Secrets = []string{"hunter22", "p\u00e4ss", long}
	text, err := m.Mint(c, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(text, ".") {
		if b, err := base64.RawURLEncoding.DecodeString(part); err != nil || bytes.Contains(b, []byte("hunter")) {
			t.Errorf("a part of the token says it: %v", err)
		}
	}
	v, err := jobtoken.NewVerifier(newKey, oldKey)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(text)
	if err != nil || len(got.Secrets) != 3 || got.Secrets[0] != "hunter22" || got.Secrets[1] != "p\u00e4ss" || !strings.HasPrefix(long, got.Secrets[2]) || len(got.Secrets[2]) < 1000 {
		t.Errorf("verified %d secrets, %v", len(got.Secrets), err)
	}
	if len(text) > 60<<10 {
		t.Errorf("the token has %d bytes, more than a header may", len(text))
	}
}

func TestTheReferencesFormNamesTheSameExecution(t *testing.T) {
	v, err := jobtoken.NewVerifier(newKey)
	if err != nil {
		t.Fatal(err)
	}
	token := mint(t, newKey, time.Hour)
	for text, ok := range map[string]bool{
		jobtoken.ReferenceContext(claims.ExecutionID, claims.ProjectID, token):      true,
		jobtoken.ReferenceContext("other", claims.ProjectID, token):                 false,
		jobtoken.ReferenceContext(claims.ExecutionID, "other", token):               false,
		jobtoken.ReferenceContext(claims.ExecutionID, claims.ProjectID, token[:20]): false,
		token: false, "": false, "null": false, "[]": false,
	} {
		got, err := v.VerifyReference(text)
		if ok != (err == nil) || ok && got.ExecutionID != claims.ExecutionID || !ok && pipeline.CodeOf(err) != pipeline.CodeUnauthorized {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
