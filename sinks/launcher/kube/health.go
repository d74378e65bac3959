package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	authv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Health is what a look at a cluster shows. What may not be looked at is left out.
type Health struct {
	Version     string   // of the API server
	Namespace   bool     // it is there, or nobody says it is not
	PodSecurity string   // the level its namespace enforces, "" when not known
	Denied      []string // what this process must be allowed and is not
	Missing     []string // what the configuration names and the cluster does not have
	Quotas      []string // how full each quota is
	Refused     string   // why a Job would not be taken, "" when it would
}

// needs is what the launcher does in its namespace; the chart's Role allows the same.
func needs() map[string][]string {
	return map[string][]string{
		"batch/jobs": {"create", "delete", "get", "list", "watch"}, "/pods": {"list", "watch"}, "/pods/log": {"get"},
		"/events": {"list"}, "/secrets": {"create", "get", "delete"}, "/configmaps": {"create"}, "/resourcequotas": {"list", "watch"},
	}
}

// inspector looks at one cluster; it changes nothing.
type inspector struct {
	cfg    Config
	client kubernetes.Interface
	Health
}

// Inspect looks at the configured cluster as the launcher would.
func Inspect(ctx context.Context, cfg Config) (Health, error) {
	rc, err := restConfig(cfg.Kubeconfig)
	if err != nil {
		return Health{}, fmt.Errorf("finding the cluster: %w", err)
	}
	rc.Timeout, rc.QPS, rc.Burst = 10*time.Second, 50, 100
	client, err := kubernetes.NewForConfig(rc)
	if err != nil {
		return Health{}, fmt.Errorf("making a Kubernetes client: %w", err)
	}
	v, err := client.Discovery().ServerVersion()
	if err != nil {
		return Health{}, fmt.Errorf("asking for the version: %w", err)
	}
	i := inspector{cfg: cfg, client: client, Health: Health{Version: v.GitVersion}}
	for _, look := range []func(context.Context) error{i.namespace, i.permissions, i.named, i.quotas, i.dryRun} {
		if err := look(ctx); err != nil {
			return i.Health, err
		}
	}
	return i.Health, nil
}

func (i *inspector) namespace(ctx context.Context) error {
	ns, err := i.client.CoreV1().Namespaces().Get(ctx, i.cfg.Namespace, metav1.GetOptions{})
	i.Namespace = !apierrors.IsNotFound(err)
	if err == nil {
		i.PodSecurity = ns.Labels["pod-security.kubernetes.io/enforce"]
		if i.PodSecurity == "" {
			i.PodSecurity = "privileged" // what no label means
		}
	}
	return unseen(err)
}

// unseen passes over what says nothing about the cluster's state.
func unseen(err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (i *inspector) permissions(ctx context.Context) error {
	all := needs()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		group, rest, _ := strings.Cut(what, "/")
		kind, sub, _ := strings.Cut(rest, "/")
		for _, verb := range all[what] {
			r, err := i.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authv1.SelfSubjectAccessReview{
				Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
					Namespace: i.cfg.Namespace, Group: group, Resource: kind, Subresource: sub, Verb: verb,
				}},
			}, metav1.CreateOptions{})
			if unseen(err) != nil {
				return fmt.Errorf("asking for permissions: %w", err)
			}
			if err != nil || !r.Status.Allowed { // who may not even ask may do nothing
				i.Denied = append(i.Denied, verb+" "+rest)
			}
		}
	}
	return nil
}

// named looks for what the configuration names.
func (i *inspector) named(ctx context.Context) error {
	var problems []error
	want := func(kind, name string, get func() error) {
		if name == "" {
			return
		}
		err := get()
		if apierrors.IsNotFound(err) {
			i.Missing = append(i.Missing, kind+" "+name)
		}
		problems = append(problems, unseen(err))
	}
	for _, name := range slices.Compact([]string{i.cfg.PersonClass, i.cfg.AutomationClass}) {
		want("priority class", name, func() error {
			_, err := i.client.SchedulingV1().PriorityClasses().Get(ctx, name, metav1.GetOptions{})
			return err
		})
	}
	want("runtime class", i.cfg.RuntimeClass, func() error {
		_, err := i.client.NodeV1().RuntimeClasses().Get(ctx, i.cfg.RuntimeClass, metav1.GetOptions{})
		return err
	})
	for _, name := range i.cfg.PullSecrets {
		want("secret", name, func() error {
			_, err := i.client.CoreV1().Secrets(i.cfg.Namespace).Get(ctx, name, metav1.GetOptions{})
			return err
		})
	}
	return errors.Join(problems...)
}

func (i *inspector) quotas(ctx context.Context) error {
	list, err := i.client.CoreV1().ResourceQuotas(i.cfg.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return unseen(err)
	}
	for _, q := range list.Items {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(q.Status.Hard)) {
			used, hard := q.Status.Used[name], q.Status.Hard[name]
			parts = append(parts, fmt.Sprintf("%s %s of %s", name, used.String(), hard.String()))
		}
		i.Quotas = append(i.Quotas, q.Name+": "+strings.Join(parts, ", "))
	}
	return nil
}

// dryRun asks whether the Job of an execution would be taken.
func (i *inspector) dryRun(ctx context.Context) error {
	r := &Runner{cfg: i.cfg}
	job := r.job(&launcher.Spec{
		Request: pipeline.JobRequest{ID: "doctor", ProjectID: "doctor"}, Attempt: 1, StartTimeout: time.Minute, Deadline: time.Minute,
		Job: pipeline.Job{Name: "doctor", Type: pipeline.JobContainer, Image: i.cfg.Image},
	})
	_, err := i.client.BatchV1().Jobs(i.cfg.Namespace).Create(ctx, job, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		i.Refused = err.Error()
		return nil
	}
	return err
}
