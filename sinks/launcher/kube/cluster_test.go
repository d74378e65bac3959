package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
	"github.com/stalker-asm/stalker/sinks/launcher/kube"
)

// The tests named TestCluster… need a Kubernetes that .ci/k8s.sh started. make
// test-k8s runs them; without one they are skipped, which is not a pass.

// cluster is that Kubernetes, and a namespace for one test.
type cluster struct {
	t      testing.TB
	dir    string
	rest   *rest.Config
	client kubernetes.Interface
	ns     string

	limited *rest.Config    // with the launcher's rights
	after   context.Context //nolint:containedctx // for cleaning up, when the test's own has ended
}

func tier(t testing.TB, want string) string {
	t.Helper()
	dir := os.Getenv("STALKER_TEST_K8S")
	if dir == "" || os.Getenv("STALKER_TEST_K8S_TIER") != want {
		t.Skipf("needs the Kubernetes (tier %s) of make test-k8s", want)
	}
	return dir
}

// onCluster makes a namespace with Pod Security restricted.
func onCluster(t testing.TB, dir string) *cluster {
	t.Helper()
	rc, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "admin.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	rc.QPS, rc.Burst = 1000, 2000
	c := &cluster{t: t, dir: dir, rest: rc, client: kubernetes.NewForConfigOrDie(rc), after: context.Background()}
	ns, err := c.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "test-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.ns = ns.Name
	t.Cleanup(func() {
		_ = c.client.CoreV1().Namespaces().Delete(c.after, c.ns, metav1.DeleteOptions{})
	})
	eventually(t, "the service account of the namespace", func() bool {
		_, err := c.client.CoreV1().ServiceAccounts(c.ns).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return c
}

func (c *cluster) kubectl(args ...string) {
	c.t.Helper()
	out, err := exec.CommandContext(c.t.Context(), os.Getenv("STALKER_TEST_K8S_SH"), args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("k8s.sh %v: %v\n%s", args, err, out)
	}
}

// launcherRights are those of a service account with the chart's role and no more.
func (c *cluster) launcherRights() *rest.Config {
	c.t.Helper()
	text, err := os.ReadFile("../../../charts/stalker/templates/rbac.yaml")
	if err != nil {
		c.t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)kind: Role\n.*?\nrules:\n(.*?)\n---`).FindSubmatch(text)
	var rules []rbacv1.PolicyRule
	if part == nil {
		c.t.Fatal("the chart has no Role")
	}
	js, err := yaml.YAMLToJSON(part[1])
	if err == nil {
		err = json.Unmarshal(js, &rules)
	}
	if err != nil || len(rules) < 3 {
		c.t.Fatalf("rules of the chart's Role: %v, %v", rules, err)
	}
	named := metav1.ObjectMeta{Name: "launcher"}
	ctx, api := c.t.Context(), c.client
	_, err = api.CoreV1().ServiceAccounts(c.ns).Create(ctx, &corev1.ServiceAccount{ObjectMeta: named}, metav1.CreateOptions{})
	if err == nil {
		_, err = api.RbacV1().Roles(c.ns).Create(ctx, &rbacv1.Role{ObjectMeta: named, Rules: rules}, metav1.CreateOptions{})
	}
	if err == nil {
		_, err = api.RbacV1().RoleBindings(c.ns).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "launcher"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "launcher", Namespace: c.ns}},
		}, metav1.CreateOptions{})
	}
	var token *authv1.TokenRequest
	if err == nil {
		token, err = api.CoreV1().ServiceAccounts(c.ns).CreateToken(ctx, "launcher", &authv1.TokenRequest{}, metav1.CreateOptions{})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	rc := rest.AnonymousClientConfig(c.rest)
	rc.BearerToken, rc.QPS, rc.Burst = token.Status.Token, 1000, 2000
	return rc
}

var sdk = fstest.MapFS{"stalker_sdk/__init__.py": {Data: []byte("")}, "stalker_sdk/run.py": {Data: []byte("print('run')")}}

func settings(c *cluster) kube.Config {
	cfg := kube.DefaultConfig()
	cfg.Namespace, cfg.Grace = c.ns, time.Second
	cfg.NodeSelector = map[string]string{"stalker-test": c.ns}
	return cfg
}

func spec(id string) launcher.Spec {
	return launcher.Spec{
		Request: pipeline.JobRequest{ID: id, ProjectID: "aaaaaaaaaaaaaaaaaaaaaaaa", Priority: pipeline.PriorityAutomation},
		Job:     pipeline.Job{Name: "J", Type: pipeline.JobCode, Language: "python", Code: "print('hello')", PodSize: "XS"},
		Attempt: 1, Token: "token", Deadline: time.Minute, StartTimeout: 2 * time.Minute, Started: func(time.Time) {},
		Arguments: map[string]json.RawMessage{"targetIp": json.RawMessage(`"127.0.0.1"`), "key": json.RawMessage(`"s3cret"`)}, Secret: []string{"key"},
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func id(i int) string { return fmt.Sprintf("%024x", i) }

func has(s, part string) bool { return strings.Contains(s, part) }
