package kube

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// callTimeout bounds one call of the API server.
const callTimeout = 15 * time.Second

// lookEvery is how often an execution is judged when nothing changed: deadlines
// pass by themselves.
const lookEvery = 5 * time.Second

// Run creates an execution's Job, or finds it, and waits for its end. When ctx ends
// with launcher.ErrStopped it deletes the Job; when it ends otherwise the Job goes
// on and the result is Detached.
func (r *Runner) Run(ctx context.Context, s launcher.Spec, out func(pipeline.Stream, string)) launcher.Result {
	if refused := r.refuse(&s.Job); refused != nil {
		return *refused
	}
	if !r.ready(ctx) {
		return r.left(ctx, s.Request.ID)
	}
	w, done := r.watch(s.Request.ID)
	defer done()
	start := r.now()
	job, failed := r.ensure(ctx, &s)
	switch {
	case ctx.Err() != nil:
		return r.left(ctx, s.Request.ID)
	case failed != nil:
		return *failed
	}
	r.metrics.created.Observe(r.now().Sub(start).Seconds())
	r.catchUp(w, job)
	return r.wait(ctx, &s, w, out)
}

// wait judges an execution at every change until its end.
func (r *Runner) wait(ctx context.Context, s *launcher.Spec, w *watch, out func(pipeline.Stream, string)) launcher.Result {
	b := bounds{start: s.StartTimeout, image: r.cfg.ImageTimeout, deadline: s.Deadline, grace: r.cfg.Grace}
	logs := r.newLogs(out)
	defer logs.stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		now := w.look()
		v := judge(now, b, r.now())
		if !v.started.IsZero() {
			s.Started(v.started)
			logs.follow(now.pod.Name)
		}
		if v.end != nil {
			bound := drainWait
			if now.podGone {
				bound = goneWait
			}
			if !logs.drain(ctx, bound) {
				return r.left(ctx, s.Request.ID)
			}
			return logs.judge(&s.Job, v.end)
		}
		select {
		case <-ctx.Done():
			return r.left(ctx, s.Request.ID)
		case <-w.changed:
		case <-tick.C:
			if now.pod == nil {
				w.trouble(r.troubles.of(ctx, now.job))
			}
		}
	}
}

// left is what becomes of an execution whose context has ended.
func (r *Runner) left(ctx context.Context, id string) launcher.Result {
	if !errors.Is(context.Cause(ctx), launcher.ErrStopped) {
		return launcher.Result{Detached: true}
	}
	r.remove(context.WithoutCancel(ctx), id)
	return launcher.Result{State: pipeline.StateStopped, Reason: pipeline.ReasonPerson}
}

// refuse says why a job may not run here, if so.
func (r *Runner) refuse(j *pipeline.Job) *launcher.Result {
	image := r.cfg.image(j)
	switch {
	case j.Type == pipeline.JobContainer && j.Image == "":
		return ended(pipeline.StateFailed, pipeline.ReasonUnsupported, "a container job needs an image")
	case j.Type == pipeline.JobCode && j.Language != "python":
		return ended(pipeline.StateFailed, pipeline.ReasonUnsupported, fmt.Sprintf("code in %q cannot be run, only python", j.Language))
	case !r.cfg.allows(image):
		return ended(pipeline.StateFailed, pipeline.ReasonForbidden, fmt.Sprintf("image %s matches none of kubernetes.allowedImages", image))
	case j.RawSockets && !r.cfg.RawSockets:
		return ended(pipeline.StateFailed, pipeline.ReasonForbidden, "it asks for raw sockets, and kubernetes.rawSockets does not allow them")
	}
	return nil
}

// ensure returns the execution's Job, with its Secret in place. It tries again while
// the API server does not answer, until the execution should have started.
func (r *Runner) ensure(ctx context.Context, s *launcher.Spec) (*batchv1.Job, *launcher.Result) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.StartTimeout, errors.New("start timeout"))
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		job, err := r.createInTurn(ctx, s)
		if err == nil {
			return job, nil
		}
		if failed := hopeless(err); failed != nil {
			return nil, failed
		}
		r.metrics.calls.WithLabelValues(callCreate).Inc()
		select {
		case <-ctx.Done():
			return nil, ended(pipeline.StateFailed, lateReason(err), fmt.Sprintf("it could not be created within %s: %s", s.StartTimeout, err))
		case <-time.After(pause):
		}
	}
}

func lateReason(err error) pipeline.Reason {
	if apierrors.IsForbidden(err) {
		return noPod(err.Error())
	}
	return pipeline.ReasonStart
}

// errGoing says that an older Job of the same name is still going away.
var errGoing = errors.New("an older Job of the same name is being deleted")

// hopeless says of an error that trying again does not help. Being refused is none:
// an API server that has just started knows nobody's rights for a moment.
func hopeless(err error) *launcher.Result {
	var big *tooBigError
	switch {
	case errors.As(err, &big):
		return ended(pipeline.StateFailed, pipeline.ReasonBadArguments, err.Error())
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err):
		return ended(pipeline.StateFailed, pipeline.ReasonStart, err.Error())
	default:
		return nil
	}
}

type tooBigError struct{ size int }

func (e *tooBigError) Error() string {
	return fmt.Sprintf("code and parameters have %d bytes together, at most %d fit into a Kubernetes Secret", e.size, maxSecret)
}

// createInTurn keeps the number of calls in flight below what an API server starts
// to refuse; waiting here costs less than being told to come back.
func (r *Runner) createInTurn(ctx context.Context, s *launcher.Spec) (*batchv1.Job, error) {
	select {
	case r.creating <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.creating }()
	return r.create(ctx, s)
}

// create makes the Job, or finds it, and then what it mounts.
func (r *Runner) create(ctx context.Context, s *launcher.Spec) (*batchv1.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := r.fits(s); err != nil {
		return nil, err
	}
	jobs := r.client.BatchV1().Jobs(r.cfg.Namespace)
	job, err := jobs.Create(ctx, r.job(s), metav1.CreateOptions{})
	found := apierrors.IsAlreadyExists(err)
	if found {
		job, err = jobs.Get(ctx, nameOf(s.Request.ID), metav1.GetOptions{})
	}
	switch {
	case found && apierrors.IsNotFound(err), err == nil && job.DeletionTimestamp != nil:
		return nil, errGoing
	case err != nil:
		return nil, err
	case found:
		r.metrics.adopted.Inc()
	}
	if s.Job.Type != pipeline.JobContainer {
		if err := r.ensureSDK(ctx); err != nil {
			return nil, err
		}
	}
	return job, r.ensureSecret(ctx, s, job)
}

func (r *Runner) fits(s *launcher.Spec) error {
	secret, err := r.secret(s, &batchv1.Job{})
	if err != nil {
		return err
	}
	if n := sizeOf(secret); n > maxSecret {
		return &tooBigError{n}
	}
	return nil
}

func (r *Runner) ensureSecret(ctx context.Context, s *launcher.Spec, job *batchv1.Job) error {
	secret, err := r.secret(s, job)
	if err != nil {
		return err
	}
	secrets := r.client.CoreV1().Secrets(r.cfg.Namespace)
	_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	// A Secret of an older Job goes with that one; pods must not start from it.
	old, err := secrets.Get(ctx, secret.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return errGoing
	case err != nil:
		return err
	case len(old.OwnerReferences) == 1 && old.OwnerReferences[0].UID == job.UID:
		return nil
	}
	if err := secrets.Delete(ctx, secret.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return errGoing
}

// ensureSDK makes the ConfigMap with the SDK, once in a life.
func (r *Runner) ensureSDK(ctx context.Context) error {
	r.mu.Lock()
	made := r.sdkMade
	r.mu.Unlock()
	if made {
		return nil
	}
	_, err := r.client.CoreV1().ConfigMaps(r.cfg.Namespace).Create(ctx, r.sdk, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sdkMade = true
	return nil
}

// Holds returns the attempt of the Job that an execution still has. It waits until
// the cluster was seen; when ctx ends first, nothing is known.
func (r *Runner) Holds(ctx context.Context, id string) (attempt int, ok bool) {
	if !r.ready(ctx) {
		return 0, false
	}
	j, err := r.jobs.Jobs(r.cfg.Namespace).Get(nameOf(id))
	if err != nil || j.DeletionTimestamp != nil {
		return 0, false
	}
	attempt, err = strconv.Atoi(j.Annotations[noteAttempt])
	return attempt, err == nil && attempt > 0
}

// Release deletes an ended execution's Job, and with it its pod and its Secret. What
// fails here the Job's own time to live does later.
func (r *Runner) Release(ctx context.Context, id string) { r.remove(ctx, id) }

func (r *Runner) remove(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := r.client.BatchV1().Jobs(r.cfg.Namespace).Delete(ctx, nameOf(id), metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
	if err != nil && !apierrors.IsNotFound(err) {
		r.metrics.calls.WithLabelValues(callDelete).Inc()
		r.log.Warn("a Job could not be deleted, its time to live will do it", "execution", id, "err", err)
	}
}

func (r *Runner) podsOf(id string) []*corev1.Pod {
	list, err := r.pods.Pods(r.cfg.Namespace).List(labels.SelectorFromSet(labels.Set{labelExecution: id}))
	if err != nil {
		return nil // an informer's list has no errors
	}
	return list
}
