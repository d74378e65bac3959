// Package kube runs executions as Kubernetes Jobs. An execution's Job is named after
// the execution, so that creating it twice gives one; it carries its attempt, so that
// a later launcher goes on with it; and it stays until its end is on the bus.
//
// Pods get nothing they do not need: no service account, no capability, no root, no
// writable root file system. Code, parameters, secrets and the gateway's token reach
// them through one Kubernetes Secret that the Job owns and that vanishes with it.
//
// Watch must be running. What is read comes from informers; README.md beside this
// file has the life of a Job.
package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	batchlist "k8s.io/client-go/listers/batch/v1"
	corelist "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Deps is what the runner needs.
type Deps struct {
	Client  kubernetes.Interface // see Connect
	Gateway string               // base URL at which pods reach the gateway
	SDK     fs.FS                // the Python packages, at its root
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Sizes returns what people have made of a pod size; nil when nobody can.
	Sizes func(name string) (pipeline.PodSize, bool)
}

// Runner runs executions as Jobs of one namespace.
type Runner struct {
	cfg     Config
	client  kubernetes.Interface
	gateway string
	sdk     *corev1.ConfigMap
	sizes   func(name string) (pipeline.PodSize, bool)
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time

	factory informers.SharedInformerFactory // Jobs and pods of ours
	quota   informers.SharedInformerFactory
	jobs    batchlist.JobLister
	pods    corelist.PodLister
	quotas  corelist.ResourceQuotaLister
	synced  []cache.InformerSynced

	troubles troubles
	creating chan struct{} // one token per execution whose objects are being created

	mu       sync.Mutex
	watches  map[string]*watch // by execution
	reserved map[string]*reservation
	freed    chan struct{}
	sdkMade  bool
}

var (
	_ launcher.Runner = (*Runner)(nil)
	_ launcher.Keeper = (*Runner)(nil)
	_ launcher.Room   = (*Runner)(nil)
)

// maxCreating is how many executions' objects are created at once.
const maxCreating = 32

// New checks the configuration; it asks the cluster nothing.
func New(cfg Config, d Deps) (*Runner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kubernetes runner config: %w", err)
	}
	sdk, err := sdkMap(d.SDK)
	if err != nil {
		return nil, err
	}
	r := &Runner{
		cfg: cfg, client: d.Client, gateway: d.Gateway, sdk: sdk, sizes: d.Sizes,
		log: d.Log.With("component", "runner"), metrics: newMetrics(d.Metrics), now: time.Now,
		watches: map[string]*watch{}, reserved: map[string]*reservation{}, freed: make(chan struct{}, 1),
		creating: make(chan struct{}, maxCreating),
	}
	r.troubles = troubles{list: r.listTroubles, now: r.now}
	ours := informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = labelManaged + "=" + managedBy })
	here, slim := informers.WithNamespace(cfg.Namespace), informers.WithTransform(slim)
	r.factory = informers.NewSharedInformerFactoryWithOptions(d.Client, 0, here, ours, slim)
	r.quota = informers.NewSharedInformerFactoryWithOptions(d.Client, 0, here, slim)
	return r, r.follow()
}

// slim drops what nobody reads from what informers keep.
func slim(obj any) (any, error) {
	if m, err := meta.Accessor(obj); err == nil {
		m.SetManagedFields(nil)
	}
	return obj, nil
}

// follow has every change of a Job or pod wake whoever waits for its execution.
func (r *Runner) follow() error {
	jobs, pods, quotas := r.factory.Batch().V1().Jobs(), r.factory.Core().V1().Pods(), r.quota.Core().V1().ResourceQuotas()
	r.jobs, r.pods, r.quotas = jobs.Lister(), pods.Lister(), quotas.Lister()
	for informer, handler := range map[cache.SharedIndexInformer]func(obj any, gone bool){
		jobs.Informer():   onObject(r.jobChanged),
		pods.Informer():   onObject(r.podChanged),
		quotas.Informer(): func(any, bool) { r.roomMayBeFree() },
	} {
		if err := informer.SetWatchErrorHandlerWithContext(r.watchFailed); err != nil {
			return fmt.Errorf("watching the cluster: %w", err)
		}
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { handler(obj, false) },
			UpdateFunc: func(_, obj any) { handler(obj, false) },
			DeleteFunc: func(obj any) { handler(obj, true) },
		})
		if err != nil {
			return fmt.Errorf("watching the cluster: %w", err)
		}
		r.synced = append(r.synced, informer.HasSynced)
	}
	return nil
}

// watchFailed counts and says that a watch broke; the informer takes it up again.
// A watch that was closed or whose place in the log is gone is nothing unusual.
func (r *Runner) watchFailed(ctx context.Context, _ *cache.Reflector, err error) {
	if ctx.Err() != nil || errors.Is(err, io.EOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return
	}
	r.metrics.calls.WithLabelValues(callWatch).Inc()
	r.log.Warn("the cluster cannot be watched, trying again", "namespace", r.cfg.Namespace, "err", err)
}

// onObject finds the object in what an informer says, a tombstone included.
func onObject[T any](fn func(obj T, gone bool)) func(any, bool) {
	return func(obj any, gone bool) {
		if tomb, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = tomb.Obj
		}
		if t, ok := obj.(T); ok {
			fn(t, gone)
		}
	}
}

// Name returns "kubernetes".
func (r *Runner) Name() string { return "kubernetes" }

// Watch follows the namespace until ctx ends. Run and Holds wait until it has seen
// everything once.
func (r *Runner) Watch(ctx context.Context) error {
	r.factory.Start(ctx.Done())
	r.quota.Start(ctx.Done())
	r.ready(ctx)
	r.roomMayBeFree()
	<-ctx.Done()
	r.factory.Shutdown()
	r.quota.Shutdown()
	return nil
}

// seenAll reports whether they do.
func (r *Runner) seenAll() bool {
	return !slices.ContainsFunc(r.synced, func(synced cache.InformerSynced) bool { return !synced() })
}

// ready waits until the caches hold what the cluster has; false when ctx ends first.
func (r *Runner) ready(ctx context.Context) bool {
	return cache.WaitForCacheSync(ctx.Done(), r.synced...)
}

func (r *Runner) jobChanged(j *batchv1.Job, gone bool) {
	if w := r.watchOf(j.Labels[labelExecution]); w != nil {
		w.sawJob(j, gone)
	}
}

func (r *Runner) podChanged(p *corev1.Pod, gone bool) {
	id := p.Labels[labelExecution]
	r.podSeen(id)
	if w := r.watchOf(id); w != nil {
		w.sawPod(p, gone)
	}
	if gone || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		r.roomMayBeFree()
	}
}
