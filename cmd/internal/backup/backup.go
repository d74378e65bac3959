// Package backup packs the data directory of an embedded server into one file, and
// unpacks such a file. It knows nothing of what is in the directory: everything is
// kept or nothing, and every byte is checked when it comes back.
//
// A server that runs writes to its three stores all the time, and copies of them
// from different moments would not fit together. So the directory must not be in
// use: Create and Restore hold its lock, and say who has it when somebody does.
package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/stalker-asm/stalker/cmd/internal/embedded"
	"github.com/stalker-asm/stalker/pipeline"
)

// manifestName is the last entry of a backup: one that lacks it is not whole.
const manifestName = "stalker-backup.json"

// format is the version of how backups are laid out.
const format = 1

// Manifest says what a backup holds.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program that made it
	At      time.Time `json:"at"`
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	// Digests are the SHA-256 of every file, by its path with forward slashes.
	Digests map[string]string `json:"digests"`
}

// transient are files that belong to a running process and not to the data.
var transient = []string{"lock", "server.json"}

// Create writes a backup of a data directory. The file is there when it is whole,
// and only its owner may read it: it holds keys and hashes of passwords.
func Create(dir, file, version string, now time.Time) (m Manifest, err error) {
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return m, pipeline.Errorf(pipeline.CodeInvalid, "%s is no data directory of an embedded server: name one with --data", dir)
	}
	unlock, err := embedded.Lock(dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if in, err := inside(dir, file); err != nil || in {
		return m, errors.Join(err, pipeline.Errorf(pipeline.CodeInvalid, "a backup does not go into the directory it is of: %s", file))
	}
	if _, err := os.Lstat(file); err == nil {
		return m, pipeline.Errorf(pipeline.CodeConflict, "%s is there already", file)
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return m, fmt.Errorf("making backup: %w", err)
	}
	m = Manifest{Format: format, Version: version, At: now.UTC().Truncate(time.Second), Digests: map[string]string{}}
	if err := errors.Join(pack(f, dir, &m), f.Sync(), f.Close()); err != nil {
		return m, errors.Join(fmt.Errorf("making backup: %w", err), os.Remove(part))
	}
	return m, os.Rename(part, file)
}

func inside(dir, file string) (bool, error) {
	a, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	b, err := filepath.Abs(file)
	if err != nil {
		return false, err
	}
	rel, err := filepath.Rel(a, b)
	return err == nil && filepath.IsLocal(rel), nil
}

// pack writes every file, and last the manifest.
func pack(to io.Writer, dir string, m *Manifest) error {
	z, err := zstd.NewWriter(to, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." || slices.Contains(transient, name) {
			return err
		}
		return add(t, path, filepath.ToSlash(name), d, m)
	})
	if err == nil {
		err = finish(t, m)
	}
	return errors.Join(err, t.Close(), z.Close())
}

func add(t *tar.Writer, path, name string, d fs.DirEntry, m *Manifest) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		if link, err = os.Readlink(path); err != nil {
			return err
		}
		if !stays(name, link) {
			return fmt.Errorf("%s leads out of the directory, to %s", path, link)
		}
	case !mode.IsRegular() && !mode.IsDir():
		return nil // sockets and pipes of processes that are gone
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uname, h.Gname, h.Uid, h.Gid = name, "", "", 0, 0
	if err := t.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t, sum), f)
	m.Files, m.Bytes, m.Digests[name] = m.Files+1, m.Bytes+n, digest(sum)
	return err
}

func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// stays reports whether a link from a path inside leads to one inside.
func stays(name, link string) bool {
	return !filepath.IsAbs(link) && filepath.IsLocal(filepath.Join(filepath.Dir(filepath.FromSlash(name)), link))
}

func finish(t *tar.Writer, m *Manifest) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(b)), ModTime: m.At}); err != nil {
		return err
	}
	_, err = t.Write(b)
	return err
}
