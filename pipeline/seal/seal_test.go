package seal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/seal"
)

const value = "correct horse \n battery staple"

func closed(t *testing.T, k *seal.Keys, project, name string) pipeline.Secret {
	t.Helper()
	s := pipeline.Secret{ProjectID: project, Name: name}
	var err error
	if s.Sealed, err = k.Seal(s, value); err != nil {
		t.Fatal(err)
	}
	return s
}

func generate(t *testing.T) string {
	t.Helper()
	text, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t *testing.T, text string) *seal.Keys {
	t.Helper()
	k, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestASealedValueOpensOnlyUnderItsOwnNameAndProject(t *testing.T) {
	k := parse(t, generate(t))
	s, again := closed(t, k, "p1", "api"), closed(t, k, "p1", "api")
	if got, err := k.Open(s); got != value || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	if string(s.Sealed) == string(again.Sealed) || strings.Contains(string(s.Sealed), "horse") {
		t.Error("the same value looks the same, or like itself")
	}
	for _, other := range []pipeline.Secret{{ProjectID: "p2", Name: "api"}, {ProjectID: "p1", Name: "key"}, {Name: "api"}} {
		other.Sealed = s.Sealed
		if got, err := k.Open(other); err == nil || got != "" {
			t.Errorf("opened as %+v: %q", other, got)
		}
	}
	for i := range s.Sealed {
		bad := pipeline.Secret{ProjectID: "p1", Name: "api", Sealed: append([]byte(nil), s.Sealed...)}
		bad.Sealed[i] ^= 1
		if got, err := k.Open(bad); err == nil {
			t.Fatalf("with byte %d changed it opens: %q", i, got)
		} else if strings.Contains(err.Error(), "horse") {
			t.Error("the error says the value")
		}
	}
}

func TestThePublicHalfClosesAndDoesNotOpen(t *testing.T) {
	k := parse(t, generate(t))
	public, err := seal.Public(k.Recipient())
	if err != nil || public.Opens() || !k.Opens() {
		t.Fatal(err)
	}
	s := closed(t, public, "", "global")
	if _, err := public.Open(s); err == nil {
		t.Error("the public half opens")
	}
	if got, err := k.Open(s); got != value || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
}

func TestAnOldKeyBelowTheNewOneStillOpens(t *testing.T) {
	old, fresh := generate(t), generate(t)
	was := closed(t, parse(t, old), "p", "n")
	k := parse(t, "# keys\n"+fresh+"\n\n  "+old+"\n")
	if got, err := k.Open(was); got != value || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := parse(t, old).Open(closed(t, k, "p", "n")); err == nil || !strings.Contains(err.Error(), "old key") {
		t.Errorf("the old key opens what is new, or is told wrongly: %v", err)
	}
	for _, bad := range []string{"", "# only this", old[:40], "age1" + old} {
		if _, err := seal.Parse(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("Parse(%q) = %v", bad, err)
		}
	}
}

func TestOurOwnKeysAreRenewedAndRetired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys", "secrets")
	k, err := seal.LoadOrCreate(file)
	if err != nil {
		t.Fatal(err)
	}
	was := closed(t, k, "p", "n")
	if err := k.Renew(); err != nil {
		t.Fatal(err)
	}
	between, err := seal.LoadOrCreate(file) // after a crash
	if err != nil {
		t.Fatal(err)
	}
	now := closed(t, between, "p", "n")
	for _, s := range []pipeline.Secret{was, now} {
		if got, err := k.Open(s); got != value || err != nil {
			t.Errorf("opened %q, %v", got, err)
		}
	}
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	after, err := seal.LoadOrCreate(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Open(was); err == nil {
		t.Error("the old key is still in the file")
	}
	if got, err := after.Open(now); got != value || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
}
