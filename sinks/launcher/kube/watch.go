package kube

import (
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// watch gathers what informers say of one execution for whoever waits for it.
type watch struct {
	changed chan struct{}

	mu   sync.Mutex
	seen seen
	uid  string // of the Job that counts; an older one of the same name does not
}

func (w *watch) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// expect says which Job counts from now on.
func (w *watch) expect(j *batchv1.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.uid = string(j.UID)
	w.seen.job, w.seen.jobGone = j, false
	if w.seen.pod != nil && !ownedBy(w.seen.pod, w.uid) {
		w.seen.pod, w.seen.podGone = nil, false
	}
}

func (w *watch) sawJob(j *batchv1.Job, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.uid == string(j.UID) {
		w.seen.job, w.seen.jobGone = j, gone
		w.wake()
	}
}

func (w *watch) sawPod(p *corev1.Pod, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.uid != "" && !ownedBy(p, w.uid) {
		return
	}
	if old := w.seen.pod; old != nil && old.UID != p.UID && p.CreationTimestamp.Before(&old.CreationTimestamp) {
		return
	}
	w.seen.pod, w.seen.podGone = p, gone
	w.wake()
}

func (w *watch) look() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

func (w *watch) trouble(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.trouble = text
}

func ownedBy(p *corev1.Pod, uid string) bool {
	for _, o := range p.OwnerReferences {
		if string(o.UID) == uid {
			return true
		}
	}
	return false
}

func (r *Runner) watchOf(id string) *watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watches[id]
}

// watch begins to gather; the returned function ends that.
func (r *Runner) watch(id string) (*watch, func()) {
	w := &watch{changed: make(chan struct{}, 1), seen: seen{since: r.now()}}
	r.mu.Lock()
	r.watches[id] = w
	r.mu.Unlock()
	return w, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.watches[id] == w {
			delete(r.watches, id)
		}
	}
}

// catchUp takes what was known before the watch began.
func (r *Runner) catchUp(w *watch, j *batchv1.Job) {
	since := j.CreationTimestamp.Time
	w.mu.Lock()
	if !since.IsZero() && since.Before(w.seen.since) {
		w.seen.since = since.Add(-time.Second) // its clock counts whole seconds
	}
	w.mu.Unlock()
	w.expect(j)
	for _, p := range r.podsOf(j.Labels[labelExecution]) {
		w.sawPod(p, false)
	}
}
