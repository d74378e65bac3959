package chdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/stalker-asm/stalker/pipeline"
)

// The pinned engine. .ci/chdb.sh installs exactly this one.
const (
	LibraryVersion = "26.7.3-stable.1"
	LibrarySHA256  = "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5"
	libraryName    = "libchdb.so"
)

// EnvLibrary names the environment variable that holds the library's path.
const EnvLibrary = "CHDB_LIB_PATH"

// FindLibrary returns the path of libchdb.so: explicit when it is not empty, else
// the environment's, else the first that exists of the data directory's, the one
// beside the executable, and the cache that `make chdb` fills. Naming a file that
// does not exist is an error, not a reason to look further.
func FindLibrary(explicit, dataDir string) (string, error) {
	for _, named := range []struct{ from, path string }{{"the configuration", explicit}, {EnvLibrary, os.Getenv(EnvLibrary)}} {
		if named.path == "" {
			continue
		}
		if !isFile(named.path) {
			return "", pipeline.Errorf(pipeline.CodeUnavailable, "the embedded ClickHouse engine is not at %s, where %s says it is", named.path, named.from)
		}
		return named.path, nil
	}
	places := searchPath(dataDir)
	for _, p := range places {
		if isFile(p) {
			return p, nil
		}
	}
	return "", pipeline.Errorf(pipeline.CodeUnavailable,
		"the embedded ClickHouse engine (%s %s) is missing; looked for %s; run `make chdb`, set %s to its path, or configure a ClickHouse server",
		libraryName, LibraryVersion, strings.Join(places, ", "), EnvLibrary)
}

func searchPath(dataDir string) []string {
	var places []string
	if dataDir != "" {
		places = append(places, filepath.Join(dataDir, "lib", libraryName))
	}
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), "lib", libraryName))
	}
	cache := os.Getenv("STALKER_CACHE")
	if cache == "" {
		if home, err := os.UserHomeDir(); err == nil {
			cache = filepath.Join(home, ".cache", "stalker")
		}
	}
	if cache != "" {
		places = append(places, filepath.Join(cache, "chdb", LibraryVersion, libraryName))
	}
	return places
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

// Supported refuses a processor the library would kill the process on: it is
// compiled for x86-64-v3.
func Supported() error {
	var missing []string
	for _, f := range []struct {
		name string
		has  bool
	}{{"AVX2", cpu.X86.HasAVX2}, {"BMI1", cpu.X86.HasBMI1}, {"BMI2", cpu.X86.HasBMI2}, {"FMA", cpu.X86.HasFMA}} {
		if !f.has {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return pipeline.Errorf(pipeline.CodeUnavailable,
			"this processor lacks %s, which the embedded ClickHouse engine needs; configure a ClickHouse server instead", strings.Join(missing, ", "))
	}
	return nil
}

// errLoad says what to do when the dynamic linker refuses the library.
func errLoad(path string, err error) error {
	return fmt.Errorf("loading %s (it needs Linux on x86-64 with glibc): %w", path, err)
}
