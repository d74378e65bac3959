package local

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// killStrays ends every process that was started for an execution whose working
// directory is dir, or below it: those that left their process group, and those
// that outlived a server which was killed. They are known by the environment they
// were given.
func killStrays(dir string) {
	for range 5 { // one may be forking while we look
		found := strays(dir)
		if len(found) == 0 {
			return
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone meanwhile: fine
		}
	}
}

func strays(dir string) []int {
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	mark := []byte("STALKER_TERMINATION_LOG=" + dir + "/")
	var found []int
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join("/proc", p.Name(), "environ"))
		if err != nil {
			continue // another user's, or gone: not ours
		}
		if bytes.HasPrefix(env, mark) || bytes.Contains(env, append([]byte{0}, mark...)) {
			found = append(found, pid)
		}
	}
	return found
}

// clear removes a working directory, even one whose parts were made unwritable.
func (r *Runner) clear(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a directory needs the x bit, and is the job's own
		}
		return nil
	})
	if err := os.RemoveAll(dir); err != nil {
		r.log.Warn("working directory could not be removed, the next start tries again", "dir", dir, "err", err)
	}
}
