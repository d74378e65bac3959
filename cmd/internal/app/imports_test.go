package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stalker-asm/stalker/"

type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestImportsOnlyGoDown is the rule of docs/81-internals.md.
func TestImportsOnlyGoDown(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if why := forbidden(from, imp); why != "" {
				t.Errorf("%s imports %s: %s", from, strings.TrimPrefix(imp, module), why)
			}
		}
	}
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// forbidden says why from may not import imp, "" when it may.
func forbidden(from, imp string) string {
	if only, ok := reserved(imp); ok && !slices.ContainsFunc(only, func(p string) bool { return under(from, p) }) {
		return "only " + strings.Join(only, ", ") + " may"
	}
	to, ours := strings.CutPrefix(imp, module)
	if !ours {
		if from == "pipeline" && strings.Contains(strings.Split(imp, "/")[0], ".") {
			return "package pipeline imports the standard library only"
		}
		return ""
	}
	return sideways(from, to)
}

// sideways judges an import inside the module.
func sideways(from, to string) string {
	fromTop, toTop := top(from), top(to)
	switch {
	case from == "api/control" && (to == "matchers/rule" || to == "matchers/vars"):
		return "" // a subscription is compiled when it is saved
	case isTestHelper(to) && !isTestHelper(from):
		return "test helpers are for tests"
	case toTop == "pipeline":
		return ""
	case fromTop == "pipeline":
		return "pipeline is at the bottom"
	case fromTop == "sinks" && (under(from, "sinks/projector") || under(from, "sinks/launcher")) && under(to, "sinks/clickhouse"):
		return "declare the interface you need; cmd/internal/app connects"
	case fromTop == toTop:
		return ""
	case toTop == "cmd":
		return "nothing imports cmd"
	case fromTop != "cmd":
		return fromTop + " and " + toTop + " do not know each other"
	default:
		return ""
	}
}

// reserved names the packages that may import a third-party library.
func reserved(imp string) ([]string, bool) {
	for prefix, only := range map[string][]string{
		"github.com/twmb/franz-go/pkg/kfake":    {"cmd/internal/embedded", "pipeline/bus/bustest"},
		"github.com/twmb/franz-go":              {"pipeline/bus", "cmd/internal/embedded"},
		"github.com/ClickHouse/clickhouse-go":   {"sinks/clickhouse"},
		"github.com/ClickHouse/ch-go":           {"sinks/chdb", "sinks/clickhouse"},
		"github.com/ebitengine/purego":          {"sinks/chdb"},
		"k8s.io":                                {"sinks/launcher/kube"},
		"github.com/robfig/cron":                {"matchers/schedule", "matchers/rule"},
		"github.com/go-chi/chi":                 {"api/server", "api/v1", "api/gateway", "api/auth"},
		"modernc.org/sqlite":                    {"api/control/sqlstore"},
		"github.com/jackc/pgx":                  {"api/control/sqlstore"},
		"github.com/spf13/cobra":                {"cmd"},
		"github.com/santhosh-tekuri/jsonschema": {"api/openapi"},
		"github.com/pquerna/otp":                {"api/auth"},
		"github.com/swaggest/swgui":             {"api/v1"},
		"filippo.io/age":                        {"pipeline/seal"},
		"github.com/golang-jwt/jwt":             {"pipeline/jobtoken"},
		"github.com/miekg/dns":                  {"cmd/internal/lab"},
		"github.com/parquet-go/parquet-go":      {"api/export"},
		"github.com/go-faster/jx":               {"pipeline/jsonscan", "pipeline/record"},
		"go.opentelemetry.io":                   {"pipeline/trace"},
		"github.com/yuin/goldmark":              {"api/manual"},
		"github.com/wneessen/go-mail":           {"api/mail"},
		"github.com/coreos/go-oidc":             {"api/auth/sso"},
		"golang.org/x/oauth2":                   {"api/auth/sso"},
		module + "deploy":                       {"cmd", "deploy"},
		module + "docs":                         {"cmd"},
	} {
		if imp == prefix || strings.HasPrefix(imp, prefix+"/") {
			if prefix == "github.com/twmb/franz-go" && strings.HasPrefix(imp, "github.com/twmb/franz-go/pkg/kfake") {
				continue
			}
			return only, true
		}
	}
	return nil, false
}

func isTestHelper(p string) bool { return strings.HasSuffix(p, "test") }
func top(p string) string        { return strings.SplitN(p, "/", 2)[0] }
func under(p, dir string) bool   { return p == dir || strings.HasPrefix(p, dir+"/") }

func TestForbiddenImports(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		allowed  bool
	}{
		{"pipeline", "strings", true},
		{"pipeline", "golang.org/x/net/idna", false},
		{"pipeline/bus", module + "pipeline", true},
		{"pipeline/bus", module + "sinks/chdb", false},
		{"pipeline/bus", "github.com/twmb/franz-go/pkg/kgo", true},
		{"pipeline/catalog", "github.com/twmb/franz-go/pkg/kgo", false},
		{"pipeline/bus", "github.com/twmb/franz-go/pkg/kfake", false},
		{"sinks/launcher", module + "sinks/launcher/local", true},
		{"sinks/launcher/kube", "k8s.io/client-go/rest", true},
		{"cmd/internal/doctor", "k8s.io/api/core/v1", false},
		{"sinks/projector", module + "sinks/clickhouse", false},
		{"matchers/engine", module + "api/control", false},
		{"api/control", module + "matchers/rule", true},
		{"api/v1", module + "matchers/rule", false},
		{"api/v1", module + "cmd/internal/app", false},
		{"cmd/stalker", module + "cmd/internal/app", true},
		{"cmd/internal/app", module + "sinks/clickhouse", true},
		{"cmd/internal/app", module + "pipeline/bus/bustest", false},
		{"api/server", module + "deploy", false},
	} {
		if why := forbidden(tc.from, tc.to); (why == "") != tc.allowed {
			t.Errorf("forbidden(%s, %s) = %q, want allowed %v", tc.from, tc.to, why, tc.allowed)
		}
	}
}
