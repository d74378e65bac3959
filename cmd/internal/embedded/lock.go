// Package embedded is what production gets from servers of its own: a broker with
// its log in the data directory, and the lock that keeps a second process out.
package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stalker-asm/stalker/pipeline"
)

// Lock takes the data directory for this process, creating it when missing. The
// returned function gives it back. A directory in use is CodeConflict, with the
// holder's process id.
func Lock(dir string) (func() error, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", dir, err)
		}
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		return nil, pipeline.Errorf(pipeline.CodeConflict,
			"data directory %s is in use by process %s: stop it, or choose another with --data", dir, strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("writing lock: %w", err)
		}
	}
	return f.Close, nil
}
