package gitsource

import (
	"encoding/pem"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// backend serves the repositories below a folder as a git server does, to who knows
// the password.
func backend(t *testing.T, root string) http.Handler {
	t.Helper()
	at, err := exec.CommandContext(t.Context(), "git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	h := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(at)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "reader" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// A repository over https, of a host with a certificate of our own authority, that
// needs a login.
func TestFetchOverHTTPSWithALogin(t *testing.T) {
	dir := repository(t, map[string]string{"subscriptions/a.yaml": "a"})
	srv := httptest.NewTLSServer(backend(t, filepath.Dir(dir)))
	defer srv.Close()
	plain := httptest.NewServer(backend(t, filepath.Dir(dir)))
	defer plain.Close()
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	path := "/" + filepath.Base(dir) + "/.git"
	ca := write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	login := func(server, password string) string {
		return strings.Replace(server, "://", "://reader:"+password+"@", 1) + "\n"
	}
	right := write("right", login(srv.URL, "s3cret")+login(plain.URL, "s3cret"))
	wrong := write("wrong", login(srv.URL, "guess"))
	for _, tc := range []struct {
		name, url, ca, credentials, want string
	}{
		{"with the login and the authority", srv.URL + path, ca, right, ""},
		{"an authority nobody knows", srv.URL + path, "", right, "certificate"},
		{"without a login", srv.URL + path, ca, "", "Authentication failed"},
		{"with a wrong one", srv.URL + path, ca, wrong, "Authentication failed"},
		{"of another host", srv.URL + path, ca, write("other", "https://reader:s3cret@git.example.com\n"), "Authentication failed"},
		{"not over http, where others listen", plain.URL + path, ca, right, "Authentication failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fetcher(t, func(c *Config) { c.AllowPrivate, c.CAFile, c.Credentials = true, tc.ca, tc.credentials })
			got, err := f.Fetch(t.Context(), tc.url, "main", Login{}, "subscriptions")
			switch {
			case tc.want == "" && (err != nil || len(got.Commit) != 40):
				t.Errorf("%v, %v", got, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	if text, err := os.ReadFile(wrong); err != nil || !strings.Contains(string(text), "guess") {
		t.Errorf("a login that was refused is forgotten: %q, %v", text, err)
	}
}

func TestFilesOfSourcesAreChecked(t *testing.T) {
	for _, c := range []Config{{Credentials: "relative"}, {CAFile: "/with'quote"}} {
		c.Timeout, c.MaxBytes = DefaultConfig().Timeout, DefaultConfig().MaxBytes
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
