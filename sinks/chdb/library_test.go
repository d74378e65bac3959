package chdb_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

func TestFindLibrary(t *testing.T) {
	home, data := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("STALKER_CACHE", "")
	t.Setenv(chdb.EnvLibrary, "")
	put := func(path string) string {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, err := chdb.FindLibrary("", data)
	if pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{data, home, "make chdb", chdb.EnvLibrary, chdb.LibraryVersion} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not mention %q", err, part)
		}
	}
	check := func(step, explicit, want string) {
		t.Helper()
		if got, err := chdb.FindLibrary(explicit, data); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", step, got, err, want)
		}
	}
	cache := put(filepath.Join(home, ".cache/stalker/chdb", chdb.LibraryVersion, "libchdb.so"))
	check("cache", "", cache)
	check("data directory", "", put(filepath.Join(data, "lib/libchdb.so")))
	env := put(filepath.Join(home, "env.so"))
	t.Setenv(chdb.EnvLibrary, env)
	check("environment", "", env)
	check("explicit", cache, cache)
	if _, err := chdb.FindLibrary(filepath.Join(home, "gone.so"), data); err == nil || !strings.Contains(err.Error(), "gone.so") {
		t.Errorf("a named library that is not there: %v", err)
	}
}

// The script that installs the library and the code that looks for it must mean
// the same one.
func TestScriptPinsTheSameLibrary(t *testing.T) {
	script, err := os.ReadFile("../../.ci/chdb.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"version": chdb.LibraryVersion, "sha256": chdb.LibrarySHA256} {
		m := regexp.MustCompile(`(?m)^` + name + `=(\S+)$`).FindSubmatch(script)
		if m == nil || string(m[1]) != want {
			t.Errorf("%s: the script says %s, the code %s", name, m, want)
		}
	}
}

func TestAProcessorWithoutAVX2IsRefusedBeforeTheLibraryIsLoaded(t *testing.T) {
	avx2 := cpu.X86.HasAVX2
	t.Cleanup(func() { cpu.X86.HasAVX2 = avx2 })
	cpu.X86.HasAVX2 = false
	cfg := chdb.DefaultConfig()
	cfg.Library, cfg.Dir = "/nonexistent/libchdb.so", t.TempDir()
	_, err := chdb.Open(cfg, chdb.Deps{})
	if pipeline.CodeOf(err) != pipeline.CodeUnavailable || !strings.Contains(err.Error(), "lacks AVX2") || !strings.Contains(err.Error(), "configure a ClickHouse server") {
		t.Errorf("Open() = %v", err)
	}
}
