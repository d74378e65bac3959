package doctor_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/cmd/internal/doctor"
)

// apiServer answers as little of the Kubernetes API as a look at it needs. What a
// real one says is tested in sinks/launcher/kube.
type apiServer struct {
	version, podSecurity string
	allowed              bool
}

func (s apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	say := func(status int, body any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	switch {
	case r.URL.Path == "/version":
		say(200, map[string]string{"gitVersion": s.version})
	case strings.Contains(r.URL.Path, "selfsubjectaccessreviews"):
		say(201, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]bool{"allowed": s.allowed}})
	case r.URL.Path == "/api/v1/namespaces/stalker-jobs" && s.podSecurity != "":
		say(200, map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"labels": map[string]string{"pod-security.kubernetes.io/enforce": s.podSecurity}}})
	case strings.HasSuffix(r.URL.Path, "/resourcequotas"):
		say(200, json.RawMessage(`{"kind": "ResourceQuotaList", "apiVersion": "v1", "items": [{"metadata": {"name": "q"}, "status": {"hard": {"pods": "5"}, "used": {"pods": "2"}}}]}`))
	case strings.HasSuffix(r.URL.Path, "/jobs") && r.URL.Query().Get("dryRun") == "All":
		say(201, json.RawMessage(`{"kind": "Job", "apiVersion": "batch/v1"}`))
	default:
		say(404, json.RawMessage(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`))
	}
}

// onKubernetes is a configuration whose jobs run on that server's cluster.
func onKubernetes(t *testing.T, s apiServer) app.Config {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg := embedded(t)
	cfg.Launcher.Runner, cfg.GatewayURL = "kubernetes", "http://stalker-gateway.stalker.svc/gateway/v1"
	cfg.Kubernetes.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: %q}}], contexts: [{name: x, context: {cluster: c}}], current-context: x}", srv.URL)
	if err := os.WriteFile(cfg.Kubernetes.Kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestAClusterThatIsReady(t *testing.T) {
	cfg := onKubernetes(t, apiServer{version: "v1.35.4", podSecurity: "restricted", allowed: true})
	got := find(doctor.Examine(t.Context(), cfg), "jobs")
	for _, want := range []string{"ok Kubernetes v1.35.4, namespace stalker-jobs", "ok Pod Security restricted", "ok quota q: pods 2 of 5"} {
		if !strings.Contains(got, want) || strings.Contains(got, "FAIL") || strings.Contains(got, "warn") {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestAClusterThatIsNot(t *testing.T) {
	for name, tc := range map[string]struct {
		server apiServer
		change func(*app.Config)
		want   []string
	}{
		"no namespace": {apiServer{version: "v1.35.4", allowed: true}, nil, []string{"FAIL there is no namespace stalker-jobs", "kubectl create namespace"}},
		"no rights":    {apiServer{version: "v1.35.4", podSecurity: "restricted"}, nil, []string{"create jobs", "get pods/log", "create secrets", "rbac.yaml"}},
		"old":          {apiServer{version: "v1.25.1", podSecurity: "restricted", allowed: true}, nil, []string{"warn Kubernetes v1.25.1 is older"}},
		"lax":          {apiServer{version: "v1.35.4", podSecurity: "privileged", allowed: true}, nil, []string{"warn the namespace enforces Pod Security privileged"}},
		"raw sockets": {
			apiServer{version: "v1.35.4", podSecurity: "baseline", allowed: true},
			func(c *app.Config) { c.Kubernetes.RawSockets = true },
			[]string{"FAIL Pod Security baseline refuses", "enforce=privileged"},
		},
		"gateway": {
			apiServer{version: "v1.35.4", podSecurity: "restricted", allowed: true},
			func(c *app.Config) { c.GatewayURL = "http://127.0.0.1:8080/gateway/v1" },
			[]string{"FAIL pods cannot reach the gateway"},
		},
		"missing class": {
			apiServer{version: "v1.35.4", podSecurity: "restricted", allowed: true},
			func(c *app.Config) { c.Kubernetes.PersonClass, c.Kubernetes.RuntimeClass = "person", "gvisor" },
			[]string{"FAIL missing in the cluster: priority class person, runtime class gvisor"},
		},
	} {
		cfg := onKubernetes(t, tc.server)
		if tc.change != nil {
			tc.change(&cfg)
		}
		got := find(doctor.Examine(t.Context(), cfg), "jobs")
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, got)
			}
		}
	}
}

func TestAClusterThatDoesNotAnswer(t *testing.T) {
	cfg := onKubernetes(t, apiServer{})
	if err := os.WriteFile(cfg.Kubernetes.Kubeconfig, []byte("{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], contexts: [{name: x, context: {cluster: c}}], current-context: x}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find(doctor.Examine(t.Context(), cfg), "jobs"); !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, "kubernetes.kubeconfig") {
		t.Error(got)
	}
	cfg.Kubernetes.Kubeconfig = "" // and this is no pod
	if got := find(doctor.Examine(t.Context(), cfg), "jobs"); !strings.HasPrefix(got, "FAIL") || !strings.Contains(got, "if no file is named") {
		t.Error(got)
	}
}
