package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline"
)

// maxManifest bounds the manifest in memory.
const maxManifest = 256 << 20

// Check reads a backup to its end and reports whether it is whole and unchanged.
func Check(file string) (Manifest, error) {
	return read(file, func(*tar.Header, io.Reader) error { return nil })
}

// Restore unpacks a backup into a data directory that is empty or not there. It is
// unpacked beside it first and checked: what is not whole leaves nothing behind.
func Restore(file, dir string) (m Manifest, err error) {
	if err := vacant(dir); err != nil {
		return m, err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return m, fmt.Errorf("restoring: %w", err)
	}
	part, err := os.MkdirTemp(parent, ".stalker-restore-")
	if err != nil {
		return m, fmt.Errorf("restoring: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(part)) }()
	root, err := os.OpenRoot(part) // whatever a backup says, nothing is written elsewhere
	if err != nil {
		return m, fmt.Errorf("restoring: %w", err)
	}
	m, err = read(file, func(h *tar.Header, r io.Reader) error { return write(root, h, r) })
	if err = errors.Join(err, root.Close()); err != nil {
		return m, err
	}
	// an empty directory gives way, one that got something meanwhile does not
	_ = os.Remove(filepath.Join(dir, "lock"))
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("restoring: %w", err)
	}
	return m, os.Rename(part, dir)
}

// vacant reports what is in the way of restoring into a directory.
func vacant(dir string) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restoring: %w", err)
	}
	for _, e := range list {
		if e.Name() != "lock" {
			return pipeline.Errorf(pipeline.CodeConflict, "%s is not empty: move it away, or name another with --data", dir)
		}
	}
	if len(list) == 0 {
		return nil
	}
	unlock, err := embedded.Lock(dir)
	if err != nil {
		return err
	}
	return unlock()
}

// read gives every entry to take, and checks them against the manifest at the end.
func read(file string, take func(*tar.Header, io.Reader) error) (m Manifest, err error) {
	f, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return m, broken(file, err)
	}
	defer z.Close()
	got := map[string]string{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return m, broken(file, errors.New("it has no manifest"))
		}
		if err != nil {
			return m, broken(file, err)
		}
		if h.Name == manifestName {
			if err := json.NewDecoder(io.LimitReader(t, maxManifest)).Decode(&m); err != nil {
				return m, broken(file, err)
			}
			return m, compare(file, &m, got)
		}
		sum := sha256.New()
		body := io.TeeReader(t, sum)
		if err := take(h, body); err != nil {
			return m, err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return m, broken(file, err)
		}
		if h.Typeflag == tar.TypeReg {
			got[h.Name] = digest(sum)
		}
	}
}

func broken(file string, err error) error {
	return pipeline.Errorf(pipeline.CodeInvalid, "%s is no whole backup: %w", file, err)
}

// compare reports what is not as the manifest has it.
func compare(file string, m *Manifest, got map[string]string) error {
	if m.Format > format {
		return pipeline.Errorf(pipeline.CodeInvalid, "%s was made by %s, which is newer than this program: restore it with that", file, m.Version)
	}
	for name, want := range m.Digests {
		if got[name] != want {
			return broken(file, fmt.Errorf("%s is not what was packed", name))
		}
	}
	if len(got) != len(m.Digests) {
		return broken(file, fmt.Errorf("it has %d files, %d were packed", len(got), len(m.Digests)))
	}
	return nil
}

// write unpacks one entry. Root keeps it inside.
func write(root *os.Root, h *tar.Header, r io.Reader) error {
	name := filepath.FromSlash(h.Name)
	if !filepath.IsLocal(name) {
		return pipeline.Errorf(pipeline.CodeInvalid, "the backup has an entry outside of its directory: %q", h.Name)
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("restoring: %w", err)
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o700)
	case tar.TypeSymlink:
		if !stays(h.Name, h.Linkname) {
			return pipeline.Errorf(pipeline.CodeInvalid, "the backup has a link out of its directory: %q", h.Name)
		}
		return root.Symlink(h.Linkname, name)
	case tar.TypeReg:
		mode := fs.FileMode(h.Mode) & 0o700
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode|0o600)
		if err != nil {
			return fmt.Errorf("restoring: %w", err)
		}
		_, err = io.Copy(f, r)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("restoring %s: %w", h.Name, err)
		}
		return nil
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "the backup has an entry of an unknown kind: %q", h.Name)
	}
}
