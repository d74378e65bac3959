package kube_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// applier does what kubectl apply --server-side does, refusing fields that the API
// server does not know.
type applier struct {
	c      *cluster
	client dynamic.Interface
	mapper meta.ResettableRESTMapper
}

func (c *cluster) applier() *applier {
	c.t.Helper()
	client, err := dynamic.NewForConfig(c.rest)
	if err != nil {
		c.t.Fatal(err)
	}
	return &applier{c: c, client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))}
}

func (a *applier) apply(o *unstructured.Unstructured) error {
	kind := o.GroupVersionKind()
	m, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var at dynamic.ResourceInterface = a.client.Resource(m.Resource)
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		ns := o.GetNamespace()
		if ns == "" {
			ns = a.c.ns
		}
		at = a.client.Resource(m.Resource).Namespace(ns)
	} else {
		a.c.t.Cleanup(func() { _ = at.Delete(a.c.after, o.GetName(), metav1.DeleteOptions{}) })
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = at.Patch(a.c.t.Context(), o.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: "test", Force: new(true), FieldValidation: metav1.FieldValidationStrict})
	return err
}

// foreign are the kinds of other projects that the chart can make. Their definitions
// take any content: it is theirs to check, and the names are what is tested.
func foreign() map[schema.GroupVersionKind]string {
	return map[schema.GroupVersionKind]string{
		{Group: "monitoring.coreos.com", Version: "v1", Kind: "PodMonitor"}:     "podmonitors",
		{Group: "monitoring.coreos.com", Version: "v1", Kind: "PrometheusRule"}: "prometheusrules",
		{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}:           "scaledobjects",
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}:  "httproutes",
	}
}

func (a *applier) define() {
	a.c.t.Helper()
	for k, plural := range foreign() {
		name := plural + "." + k.Group
		err := a.apply(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": map[string]any{"name": name, "annotations": map[string]any{"api-approved.kubernetes.io": "unapproved, for a test"}},
			"spec": map[string]any{
				"group": k.Group, "scope": "Namespaced", "names": map[string]any{"kind": k.Kind, "plural": plural},
				"versions": []any{map[string]any{"name": k.Version, "served": true, "storage": true, "schema": map[string]any{
					"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
				}}},
			},
		}})
		if err != nil {
			a.c.t.Fatalf("defining %s: %v", name, err)
		}
		eventually(a.c.t, name+" is served", func() bool {
			a.mapper.Reset()
			m, err := a.mapper.RESTMapping(k.GroupKind(), k.Version)
			if err != nil {
				return false
			}
			_, err = a.client.Resource(m.Resource).Namespace(a.c.ns).List(a.c.t.Context(), metav1.ListOptions{})
			return err == nil
		})
	}
}

// render is what helm makes of the chart and a file of values.
func (c *cluster) render(values string, set ...string) []*unstructured.Unstructured {
	c.t.Helper()
	helm := os.Getenv("STALKER_TEST_HELM")
	if helm == "" {
		c.t.Skip("needs the helm of make test-chart")
	}
	args := []string{"template", "stalker", "../../../charts/stalker", "-n", c.ns, "--kube-version", "1.35.0", "-f", values}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	out, err := exec.CommandContext(c.t.Context(), helm, args...).Output()
	if err != nil {
		c.t.Fatalf("helm template: %v", err)
	}
	var list []*unstructured.Unstructured
	for d := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var o map[string]any
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			c.t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		text, err := json.Marshal(o)
		if err == nil && len(o) > 0 {
			err = json.Unmarshal(text, &u.Object)
			list = append(list, u)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// TestClusterTheChartIsAcceptedWhole applies everything the chart makes, in a
// namespace that is as strict as that of jobs, and waits until every pod was made.
func TestClusterTheChartIsAcceptedWhole(t *testing.T) {
	dir := tier(t, "A")
	files, err := filepath.Glob("../../../charts/stalker/tests/values/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	onCluster(t, dir).applier().define() // once: a definition that is being deleted is in the way of its successor
	for _, values := range files {
		t.Run(filepath.Base(values), func(t *testing.T) {
			c := onCluster(t, dir)
			a := c.applier()
			list := c.render(values, "jobs.namespace="+c.ns+"-jobs", "fullnameOverride="+c.ns, "roles.api.autoscaling.enabled=false")
			pods := int64(0)
			for _, o := range list {
				if err := a.apply(o); err != nil {
					t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
				}
				if k := o.GetKind(); k == "Deployment" || k == "StatefulSet" {
					n, ok, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
					if !ok || k == "StatefulSet" {
						n = 1
					}
					pods += n
				}
			}
			least := int64(6)
			if filepath.Base(values) == "single.yaml" {
				least = 1
			}
			if len(list) < 20 || pods < least {
				t.Fatalf("%d objects, %d pods", len(list), pods)
			}
			eventually(t, fmt.Sprintf("%d pods were made", pods), func() bool {
				all, err := c.client.CoreV1().Pods(c.ns).List(t.Context(), metav1.ListOptions{})
				return err == nil && int64(len(ownedBySets(all.Items))) >= pods
			})
			c.enforces(values)
		})
	}
}

// ownedBySets leaves out pods of Jobs.
func ownedBySets(list []corev1.Pod) []string {
	var names []string
	for i := range list {
		if len(list[i].OwnerReferences) > 0 && list[i].OwnerReferences[0].Kind != "Job" {
			names = append(names, list[i].Name)
		}
	}
	return names
}

// enforces checks what the namespace of jobs refuses.
func (c *cluster) enforces(values string) {
	c.t.Helper()
	pod := func(raw bool) error {
		s := &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), RunAsNonRoot: new(!raw), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}
		if raw {
			s.Capabilities.Add = []corev1.Capability{"NET_RAW"}
		}
		_, err := c.client.CoreV1().Pods(c.ns+"-jobs").Create(c.t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "x-"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "x", SecurityContext: s}}},
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	var err error
	eventually(c.t, "pods may be made", func() bool {
		err = pod(false)
		return !apierrors.IsForbidden(err) || !has(err.Error(), "serviceaccount")
	})
	if err != nil {
		c.t.Errorf("an ordinary pod: %v", err)
	}
	allowed := filepath.Base(values) == "everything.yaml" // it allows raw sockets
	if err := pod(true); (err == nil) != allowed {
		c.t.Errorf("a pod with raw sockets: %v", err)
	}
}
