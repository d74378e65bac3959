package doctor_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/doctor"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/sinks/chdb"
)

// find returns the findings of a part in one text.
func find(list []doctor.Finding, part string) string {
	var b strings.Builder
	for _, f := range list {
		if f.Part == part {
			b.WriteString(string(f.Level) + " " + f.Says + " → " + f.Fix + "\n")
		}
	}
	return b.String()
}

func embedded(t *testing.T) app.Config {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Data, cfg.HTTP.Listen = t.TempDir(), "127.0.0.1:0"
	return cfg
}

func TestAMachineThatHasEverything(t *testing.T) {
	list := doctor.Examine(t.Context(), embedded(t))
	if doctor.Failed(list) || len(list) != 4 {
		t.Errorf("%+v", list)
	}
}

func TestWhatIsMissingComesWithItsFix(t *testing.T) {
	cfg := embedded(t)
	cfg.Engine.Library, cfg.Local.Python = "/nowhere/libchdb.so", "no-such-python"
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	cfg.HTTP.Listen = busy.Addr().String()
	list := doctor.Examine(t.Context(), cfg)
	for part, want := range map[string]string{"engine": "make chdb", "jobs": "Python 3.11", "server": "--listen"} {
		if got := find(list, part); !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, want) {
			t.Errorf("%s: %s", part, got)
		}
	}
	var b bytes.Buffer
	if err := doctor.Table(&b, list); err != nil || !doctor.Failed(list) || !strings.Contains(b.String(), "→ ") {
		t.Errorf("Table() = %v:\n%s", err, b.String())
	}
}

func TestServersThatWereNotPrepared(t *testing.T) {
	cfg := embedded(t)
	cfg.Bus = bustest.Config(t)
	dir := chdb.DefaultConfig()
	dir.Dir = t.TempDir()
	engine, err := chdb.Open(dir, chdb.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	srv := httptest.NewServer(engine)
	defer srv.Close()
	cfg.ClickHouse.Addresses, cfg.ClickHouse.Protocol, cfg.ClickHouse.Compression = []string{srv.Listener.Addr().String()}, "http", "none"

	list := doctor.Examine(t.Context(), cfg)
	for part, want := range map[string]string{"kafka": "missing topics: stalker.findings", "clickhouse": "missing in database stalker: database stalker"} {
		if got := find(list, part); !strings.Contains(got, want) || !strings.Contains(got, "stalker migrate") {
			t.Errorf("%s: %s", part, got)
		}
	}
	if err := app.Migrate(t.Context(), app.Options{Config: cfg, Catalogue: os.DirFS(t.TempDir()), Version: "test", Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if list = doctor.Examine(t.Context(), cfg); doctor.Failed(list) {
		t.Errorf("after migrating: %+v", list)
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	cfg := embedded(t)
	cfg.Bus.Brokers, cfg.ClickHouse.Addresses = []string{"127.0.0.1:1"}, []string{"127.0.0.1:1"}
	list := doctor.Examine(t.Context(), cfg)
	for part, want := range map[string]string{"kafka": "bus.brokers", "clickhouse": "clickhouse.addresses"} {
		if got := find(list, part); !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, want) {
			t.Errorf("%s: %s", part, got)
		}
	}
}

func TestARunningServerIsAsked(t *testing.T) {
	cfg := embedded(t)
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer srv.Close()
	if err := os.WriteFile(filepath.Join(cfg.Data, "server.json"), []byte(`{"url":"`+srv.URL+`","pid":7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find(doctor.Examine(t.Context(), cfg), "server"); !strings.HasPrefix(got, "ok") {
		t.Error(got)
	}
	status = http.StatusServiceUnavailable
	if got := find(doctor.Examine(t.Context(), cfg), "server"); !strings.HasPrefix(got, "FAIL") {
		t.Error(got)
	}
}

func TestADatabaseThatIsNotThere(t *testing.T) {
	cfg := embedded(t)
	cfg.Control.DSN = "postgres://stalker:hunter2@127.0.0.1:1/stalker"
	got := find(doctor.Examine(t.Context(), cfg), "control")
	if !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, "control.dsn") || strings.Contains(got, "hunter2") {
		t.Error(got)
	}
}

func TestADatabaseBeforeAndAfterItIsPrepared(t *testing.T) {
	if sqlstoretest.Postgres() == "" {
		t.Skip("make test-postgres runs this")
	}
	at, cfg := sqlstoretest.New(t), embedded(t)
	cfg.Control = at.Config
	if got := find(doctor.Examine(t.Context(), cfg), "control"); !strings.Contains(got, "0001_control.sql") || !strings.Contains(got, "stalker migrate") || !strings.Contains(got, "sslmode") {
		t.Error(got)
	}
	at.Open(t)
	if got := find(doctor.Examine(t.Context(), cfg), "control"); !strings.HasPrefix(got, "ok PostgreSQL") || strings.Contains(got, "FAIL") {
		t.Error(got)
	}
}

func TestAServerThatAnnouncesNothingIsFoundByItsAddress(t *testing.T) {
	cfg := embedded(t)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	cfg.HTTP.Listen = srv.Listener.Addr().String()
	if got := find(doctor.Examine(t.Context(), cfg), "server"); !strings.HasPrefix(got, "ok running at") {
		t.Error(got)
	}
}
