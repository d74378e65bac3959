package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/pipeline/config"
)

type part struct {
	Listen  string        `yaml:"listen"`
	Timeout time.Duration `yaml:"timeout"`
	Max     int           `yaml:"max"`
}

func (p *part) Validate() error {
	var errs []error
	if p.Max < 0 {
		errs = append(errs, errors.New("max must not be negative"))
	}
	if p.Listen == "" {
		errs = append(errs, errors.New("listen must be set"))
	}
	return errors.Join(errs...)
}

type whole struct {
	HTTP    part          `yaml:"http"`
	Brokers []string      `yaml:"brokers"`
	Token   config.Secret `yaml:"token"`
	Hidden  func()        `yaml:"-"`
}

func defaults() *whole {
	return &whole{HTTP: part{Listen: "127.0.0.1:8080", Timeout: time.Second, Max: 1}}
}

func write(t *testing.T, text string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "stalker.yaml")
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLoadLayersFileAndEnvironmentOverDefaults(t *testing.T) {
	f := write(t, "http:\n  timeout: 5s\nbrokers: [a:1]\n")
	env := []string{"STALKER_CFG_HTTP__MAX=7", "STALKER_CFG_BROKERS=b:1,c:2", "STALKER_CFG_TOKEN=pst", "OTHER=1"}
	got := defaults()
	if err := config.Load(got, f, env); err != nil {
		t.Fatal(err)
	}
	want := &whole{
		HTTP:    part{Listen: "127.0.0.1:8080", Timeout: 5 * time.Second, Max: 7},
		Brokers: []string{"b:1", "c:2"}, Token: "pst",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("Load() (-got +want):\n%s", d)
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		env, want  []string
	}{
		{"unknown keys", "htpp: {}\nhttp:\n  Listen: x\n", nil, []string{":1:1: unknown key \"htpp\"", ":3:3: unknown key \"http.Listen\", did you mean \"listen\"?"}},
		{"invalid values", "http:\n  max: -1\n  listen: ''\n", nil, []string{"http: max must not be negative", "http: listen must be set"}},
		{"wrong type", "http:\n  max: many\n", nil, []string{":2:8: http.max must be a whole number, not many"}},
		{"wrong types", "http:\n  timeout: 5 apples\n  max: [1]\nbrokers: 5\n", nil, []string{":2:12: http.timeout must be a duration such as 30s, not 5 apples", ":3:8: http.max must be a whole number, not [1]", "brokers must be a list of values, each a text, not 5"}},
		{"no mapping", "http: 7\n", nil, []string{":1:7: http must be a mapping, not 7"}},
		{"a list", "- 7\n", nil, []string{":1:1: the document must be a mapping, not - 7"}},
		{"broken yaml", "http: [\n", nil, []string{"stalker.yaml"}},
		{"environment", "", []string{"STALKER_CFG_HTTP__MAXX=1", "STALKER_CFG_HTTP__MAX=x", "STALKER_CFG_HTTP__TIMEOUT=soon"}, []string{"STALKER_CFG_HTTP__MAXX sets no known key", "STALKER_CFG_HTTP__MAX:", "STALKER_CFG_HTTP__TIMEOUT:"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := config.Load(defaults(), write(t, tc.file), tc.env)
			if err == nil {
				t.Fatal("Load() accepted it")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("Load() = %q, lacks %q", err, w)
				}
			}
		})
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	if err := config.Load(defaults(), filepath.Join(t.TempDir(), "absent.yaml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load() = %v, want ErrNotExist", err)
	}
}

func TestDumpHidesSecrets(t *testing.T) {
	c := defaults()
	c.Token = "pst"
	b, err := config.Dump(c)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "pst") || !strings.Contains(s, "(hidden)") {
		t.Errorf("Dump() = %s", s)
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	for _, s := range []string{"", "http: {}", "http:\n- 1", "? {}", "http: &a\n  max: *a", "brokers: !!set {a}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { _ = config.Load(defaults(), write(t, text), nil) })
}
