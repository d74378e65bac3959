package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/stalker-asm/stalker/pipeline"
)

// reservation is room that an execution takes and that the quota does not show yet.
type reservation struct {
	need corev1.ResourceList
	pod  bool // its pod was seen: the quota counts it, or counts it no more
}

// needOf is what one pod of a size counts as in a quota.
func needOf(s Size) corev1.ResourceList {
	cpu, memory, one := resource.MustParse(s.CPU), resource.MustParse(s.Memory), resource.MustParse("1")
	return corev1.ResourceList{
		corev1.ResourceCPU: cpu, corev1.ResourceRequestsCPU: cpu, corev1.ResourceLimitsCPU: cpu,
		corev1.ResourceMemory: memory, corev1.ResourceRequestsMemory: memory, corev1.ResourceLimitsMemory: memory,
		corev1.ResourcePods: one, "count/pods": one, "count/jobs.batch": one, "count/secrets": one, corev1.ResourceSecrets: one,
	}
}

// size returns the name of a job's pod size and what it stands for now. One that is
// not known is the default: a definition from elsewhere must not fail for it.
func (r *Runner) size(j *pipeline.Job) (string, Size) {
	name := j.PodSize
	s, ok := r.sizeNamed(name)
	if !ok {
		name = r.cfg.DefaultSize
		s, _ = r.sizeNamed(name) // Validate has seen it
	}
	return name, s
}

// sizeNamed is what people have made of a size, which MaxSize bounds, else what the
// configuration says.
func (r *Runner) sizeNamed(name string) (Size, bool) {
	if r.sizes != nil {
		if s, ok := r.sizes(name); ok {
			most := r.cfg.LargestPodSize()
			return Size{CPU: fmt.Sprintf("%dm", min(s.MilliCPU, most.MilliCPU)), Memory: fmt.Sprintf("%dMi", min(s.MemoryMiB, most.MemoryMiB))}, true
		}
	}
	s, ok := r.cfg.Sizes[name]
	return s, ok
}

// Reserve takes room in the namespace's quotas for a pod of the job's size.
func (r *Runner) Reserve(id string, j *pipeline.Job) (class string, release func(), ok bool) {
	class, size := r.size(j)
	need := needOf(size)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seenAll() || !r.fit(need) {
		return class, nil, false
	}
	mine := &reservation{need: need, pod: len(r.podsOf(id)) > 0}
	r.reserved[id] = mine
	return class, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reserved[id] == mine {
			delete(r.reserved, id)
		}
	}, true
}

// fit reports whether every quota has room for need beside what is on its way.
func (r *Runner) fit(need corev1.ResourceList) bool {
	quotas, err := r.quotas.ResourceQuotas(r.cfg.Namespace).List(labels.Everything())
	if err != nil {
		return true // an informer's list has no errors
	}
	for _, q := range quotas {
		if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
			continue // about some pods only; the Job waits if they are ours
		}
		for name, hard := range q.Status.Hard {
			amount, counts := need[name]
			if !counts {
				continue
			}
			used := q.Status.Used[name].DeepCopy()
			used.Add(amount)
			for _, on := range r.reserved {
				if !on.pod {
					used.Add(on.need[name])
				}
			}
			if used.Cmp(hard) > 0 {
				return false
			}
		}
	}
	return true
}

// Freed gets a value when there may be room again.
func (r *Runner) Freed() <-chan struct{} { return r.freed }

func (r *Runner) roomMayBeFree() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// podSeen notes that the quota counts an execution's pod itself.
func (r *Runner) podSeen(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if on := r.reserved[id]; on != nil {
		on.pod = true
	}
}
