package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// roomy is how much free disk, in bytes, is no reason to worry.
const roomy = 5 << 30

// data looks at the data directory: may it be written, is there room.
func data(dir string) []Finding {
	at := dir
	for { // the directory itself is made at start
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	if err := syscall.Access(at, 2 /* W_OK */); err != nil {
		return []Finding{bad(Fail, "choose another with --data, or make it writable for this user", "%s cannot be written: %v", at, err)}
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(at, &fs); err != nil {
		return []Finding{bad(Warn, "", "the free space of %s is not known: %v", at, err)}
	}
	free := fs.Bavail * uint64(fs.Bsize)
	if free < roomy {
		return []Finding{bad(Warn, "make room, or move it with --data", "%s has %.1f GB free", dir, float64(free)/1e9)}
	}
	return []Finding{ok("%s, %.0f GB free", dir, float64(free)/1e9)}
}

// engine looks for what the embedded ClickHouse needs.
func engine(cfg app.Config) []Finding {
	if err := chdb.Supported(); err != nil {
		return []Finding{bad(Fail, "set clickhouse.addresses", "%v", err)}
	}
	path, err := chdb.FindLibrary(cfg.Engine.Library, cfg.Data)
	if err != nil {
		return []Finding{bad(Fail, "run make chdb, or set clickhouse.addresses", "%v", err)}
	}
	return []Finding{ok("embedded, %s", path)}
}

// interpreter looks for the Python that runs jobs as local processes.
func interpreter(ctx context.Context, python string) []Finding {
	const fix = "install Python 3.11 or newer, or set local.python"
	out, err := exec.CommandContext(ctx, python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		return []Finding{bad(Fail, fix, "%s does not run: %v", python, err)}
	}
	version := strings.TrimSpace(string(out))
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major != 3 || minor < 11 {
		return []Finding{bad(Fail, fix, "%s is Python %s", python, version)}
	}
	return []Finding{ok("local processes, %s is Python %s", python, version)}
}

// server looks whether one runs on the data directory and is ready, else whether it
// could listen.
func server(ctx context.Context, cfg app.Config) []Finding {
	var a app.Announcement
	text, err := os.ReadFile(filepath.Join(cfg.Data, "server.json"))
	if err == nil && json.Unmarshal(text, &a) == nil {
		return []Finding{ready(ctx, a)}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.HTTP.Listen)
	if err != nil {
		// a role other than api announces itself nowhere; it may be the one that listens
		if f := ready(ctx, app.Announcement{URL: "http://" + onThisMachine(cfg.HTTP.Listen)}); f.Level == OK {
			return []Finding{f}
		}
		return []Finding{bad(Fail, "choose another address with --listen", "not running, and it could not listen: %v", err)}
	}
	_ = l.Close()
	return []Finding{ok("not running; %s is free", cfg.HTTP.Listen)}
}

// onThisMachine is where a listener is reached from its own machine.
func onThisMachine(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}

func ready(ctx context.Context, a app.Announcement) Finding {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/readyz", nil)
	if err != nil {
		return bad(Fail, "remove server.json from the data directory", "server.json names no address: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return bad(Warn, "start it again; what it left behind is taken up", "process %d at %s does not answer: %v", a.PID, a.URL, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		return bad(Fail, "look at its log", "running at %s and not ready: %s", a.URL, strings.TrimSpace(string(body)))
	}
	return ok("running at %s, ready", a.URL)
}
