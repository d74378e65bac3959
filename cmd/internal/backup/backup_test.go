package backup_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/stalker-asm/stalker/cmd/internal/backup"
	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline"
)

var made = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// tree is what a directory holds: files with what is in them, links with where
// they lead.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.Type()&os.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			out[name] = "-> " + to
			return err
		}
		b, err := os.ReadFile(path)
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fill makes a data directory of a server that has stopped.
func fill(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	for name, text := range map[string]string{
		"lock": "1\n", "server.json": "{}", "control.db": strings.Repeat("users", 1000), "keys/token": "secret",
		"clickhouse/store/7c4/a.bin": strings.Repeat("\x00\x01", 50_000), "kafka/log/empty": "",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "clickhouse", "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../store/7c4", filepath.Join(dir, "clickhouse", "data", "t")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatComesBackIsWhatWasPacked(t *testing.T) {
	dir, file := fill(t), filepath.Join(t.TempDir(), "b.tar.zst")
	m, err := backup.Create(dir, file, "v1", made)
	if err != nil || m.Files != 4 || m.Version != "v1" || !m.At.Equal(made) {
		t.Fatalf("Create() = %+v, %v", m, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others may read it", info.Mode(), err)
	}
	if _, err := backup.Check(file); err != nil {
		t.Error(err)
	}
	for _, there := range []bool{false, true} { // an empty directory gives way
		to := filepath.Join(t.TempDir(), "new", "data")
		if there {
			if err := os.MkdirAll(to, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := backup.Restore(file, to); err != nil {
			t.Fatal(err)
		}
		want := tree(t, dir)
		delete(want, "lock")
		delete(want, "server.json")
		if d := cmp.Diff(tree(t, to), want); d != "" {
			t.Errorf("(-got +want):\n%s", d)
		}
	}
	if _, err := backup.Create(dir, file, "v1", made); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("over another backup: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dir, out := fill(t), t.TempDir()
	file := filepath.Join(out, "b.tar.zst")
	unlock, err := embedded.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(dir, file, "v1", made); pipeline.CodeOf(err) != pipeline.CodeConflict || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("of a running server: %v", err)
	}
	_ = unlock()
	if _, err := backup.Create(out, file, "v1", made); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("of some other directory: %v", err)
	}
	if _, err := backup.Create(dir, filepath.Join(dir, "b"), "v1", made); pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Errorf("into itself: %v", err)
	}
	if _, err := backup.Create(dir, file, "v1", made); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(file, dir); pipeline.CodeOf(err) != pipeline.CodeConflict || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over data: %v", err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Create(dir, filepath.Join(out, "c"), "v1", made); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("with a link that leads out: %v", err)
	}
	if list, _ := os.ReadDir(out); len(list) != 1 {
		t.Errorf("failed backups left %v", list)
	}
}

// A backup that was cut or changed anywhere is not restored, and leaves nothing.
func TestDamagedBackupsAreNotRestored(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	if _, err := backup.Create(fill(t), file, "v1", made); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, b []byte) {
		t.Helper()
		parent := t.TempDir()
		bad, to := filepath.Join(parent, "bad"), filepath.Join(parent, "deep", "data")
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Restore(bad, to); err == nil {
			t.Errorf("%s was restored", name)
		}
		if list, _ := os.ReadDir(filepath.Join(parent, "deep")); len(list) > 0 {
			t.Errorf("%s left %v", name, list)
		}
	}
	for n := 0; n < len(whole)-1; n += 1 + len(whole)/60 {
		try("a backup cut short", whole[:n])
	}
	plain := unzip(t, whole)
	at := bytes.Index(plain, []byte("usersusers"))
	for _, at := range []int{at, at + 2000} {
		changed := bytes.Clone(plain)
		changed[at] ^= 1
		try("a backup that was changed", zip(t, changed))
	}
	for name, h := range map[string]tar.Header{
		"outside":   {Name: "../x", Typeflag: tar.TypeReg, Mode: 0o600},
		"absolute":  {Name: "/tmp/x", Typeflag: tar.TypeReg, Mode: 0o600},
		"link":      {Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		"link up":   {Name: "a/x", Typeflag: tar.TypeSymlink, Linkname: "../../x"},
		"device":    {Name: "x", Typeflag: tar.TypeChar},
		"hard link": {Name: "x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		_ = w.WriteHeader(&h)
		_ = w.Close()
		try("an entry "+name, zip(t, b.Bytes()))
	}
}

func unzip(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}
