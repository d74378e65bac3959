package kube

import (
	"context"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
)

// troubles knows why Jobs have no pod. However many ask, the events are listed at
// most once in lookEvery: the API server searches all of them each time.
type troubles struct {
	list func(ctx context.Context) (map[types.UID]string, error)
	now  func() time.Time

	mu     sync.Mutex
	asking bool
	at     time.Time
	known  map[types.UID]string
}

// of returns what the Job controller said last of a Job, "" when it said nothing.
func (t *troubles) of(ctx context.Context, j *batchv1.Job) string {
	if j == nil {
		return ""
	}
	if t.due() {
		known, err := t.list(ctx)
		t.mu.Lock()
		t.asking, t.at = false, t.now()
		if err == nil {
			t.known = known
		}
		t.mu.Unlock()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[j.UID]
}

// due says whether to ask now. While one asks, the others go on with what is known:
// a slow answer must not hold them up one after the other.
func (t *troubles) due() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asking || t.now().Sub(t.at) < lookEvery {
		return false
	}
	t.asking = true
	return true
}

// listTroubles asks the cluster, a page at a time.
func (r *Runner) listTroubles(ctx context.Context) (map[types.UID]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	said, when := map[types.UID]string{}, map[types.UID]time.Time{}
	o := metav1.ListOptions{FieldSelector: fields.Set{"involvedObject.kind": "Job", "reason": "FailedCreate"}.String(), Limit: 500}
	for {
		page, err := r.client.CoreV1().Events(r.cfg.Namespace).List(ctx, o)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			e := &page.Items[i]
			if id := e.InvolvedObject.UID; !e.LastTimestamp.Time.Before(when[id]) {
				said[id], when[id] = e.Message, e.LastTimestamp.Time
			}
		}
		if o.Continue = page.Continue; o.Continue == "" {
			return said, nil
		}
	}
}
