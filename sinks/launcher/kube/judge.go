package kube

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// seen is what is known of an execution in the cluster.
type seen struct {
	job     *batchv1.Job
	jobGone bool        // it was there and is not any more
	pod     *corev1.Pod // the newest, as it was last
	podGone bool
	trouble string    // why there is no pod, as the cluster says it
	since   time.Time // when the launcher began to wait
}

// bounds say how long what may take.
type bounds struct {
	start    time.Duration
	image    time.Duration
	deadline time.Duration
	grace    time.Duration
}

// verdict is what that means.
type verdict struct {
	started time.Time // zero when no instruction ran yet
	end     *launcher.Result
}

// judge decides what has become of an execution. The order matters: what the
// container itself says comes before what was made of it above.
func judge(s seen, b bounds, now time.Time) verdict {
	var v verdict
	if s.pod != nil {
		if c := containerOf(s.pod); c != nil {
			switch {
			case c.State.Terminated != nil:
				return verdict{started: c.State.Terminated.StartedAt.Time, end: terminated(s.pod, c.State.Terminated, b)}
			case c.State.Running != nil:
				v.started = c.State.Running.StartedAt.Time
			case c.State.Waiting != nil:
				v.end = stuck(s.pod, c.State.Waiting, b, now)
			}
		}
	}
	if v.end == nil {
		v.end = above(s, b, now)
	}
	if v.end == nil && v.started.IsZero() {
		v.end = notStarted(s, b, now)
	}
	if v.end == nil && !v.started.IsZero() && now.After(v.started.Add(b.deadline+b.grace+2*slack)) {
		v.end = ended(pipeline.StateLost, pipeline.ReasonNodeLost, "its node has not ended it at its deadline and does not answer")
	}
	return v
}

func ended(s pipeline.State, r pipeline.Reason, detail string) *launcher.Result {
	return &launcher.Result{State: s, Reason: r, Detail: strings.TrimSpace(detail)}
}

func containerOf(p *corev1.Pod) *corev1.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if c := &p.Status.ContainerStatuses[i]; c.Name == containerName {
			return c
		}
	}
	return nil
}

// terminated says how a container ended.
func terminated(p *corev1.Pod, t *corev1.ContainerStateTerminated, b bounds) *launcher.Result {
	code := int(t.ExitCode)
	report, said := reported(t.Message)
	if r := disrupted(p); r != nil && code != 0 {
		return r
	}
	switch {
	case t.Reason == "OOMKilled":
		return &launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonOutOfMemory, Detail: "it used more than " + memoryOf(p) + " of memory", ExitCode: &code}
	case p.Status.Reason == batchv1.JobReasonDeadlineExceeded && code != 0:
		return ended(pipeline.StateTimedOut, pipeline.ReasonDeadline, "it ran longer than "+b.deadline.String())
	case code == 0 && !said:
		return &launcher.Result{State: pipeline.StateSucceeded, ExitCode: &code}
	case t.Reason == "StartError" || t.Reason == "ContainerCannotRun":
		return ended(pipeline.StateFailed, pipeline.ReasonStart, t.Message)
	case said:
		return &launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonReported, Detail: report, ExitCode: &code}
	default:
		return &launcher.Result{State: pipeline.StateFailed, Reason: pipeline.ReasonExitCode, Detail: exitText(code), ExitCode: &code}
	}
}

func exitText(code int) string {
	const signalled = 128
	if code > signalled && code < signalled+65 {
		return fmt.Sprintf("exit code %d: killed by signal %d", code, code-signalled)
	}
	return fmt.Sprintf("exit code %d", code)
}

func memoryOf(p *corev1.Pod) string {
	for i := range p.Spec.Containers {
		if c := &p.Spec.Containers[i]; c.Name == containerName {
			return c.Resources.Limits.Memory().String()
		}
	}
	return "its share"
}

// reported reads what a job said of its own failure.
func reported(message string) (string, bool) {
	var said struct{ Status, Message string }
	if json.Unmarshal([]byte(message), &said) != nil || said.Status != "failed" {
		return "", false
	}
	return said.Message, true
}

// disrupted says whether the cluster took the pod away.
func disrupted(p *corev1.Pod) *launcher.Result {
	for _, c := range p.Status.Conditions {
		if c.Type != corev1.DisruptionTarget || c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Reason {
		case "DeletionByTaintManager", "DeletionByPodGC":
			return ended(pipeline.StateLost, pipeline.ReasonNodeLost, "node "+p.Spec.NodeName+": "+c.Message)
		default: // preemption, drain, pressure on the node
			return ended(pipeline.StateFailed, pipeline.ReasonEvicted, c.Message)
		}
	}
	switch p.Status.Reason {
	case "Evicted", "Preempting", "Shutdown", "NodeShutdown", "Terminated", "OutOfcpu", "OutOfmemory", "OutOfpods":
		return ended(pipeline.StateFailed, pipeline.ReasonEvicted, p.Status.Reason+": "+p.Status.Message)
	case "NodeLost":
		return ended(pipeline.StateLost, pipeline.ReasonNodeLost, "node "+p.Spec.NodeName+": "+p.Status.Message)
	}
	return nil
}

// stuck says whether a container that does not start never will.
func stuck(p *corev1.Pod, w *corev1.ContainerStateWaiting, b bounds, now time.Time) *launcher.Result {
	switch w.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
	case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		if now.Before(p.CreationTimestamp.Add(b.image)) {
			return nil
		}
	default:
		return nil
	}
	return ended(pipeline.StateFailed, pipeline.ReasonImage, w.Reason+": "+w.Message)
}

// above is what the pod and the Job say when the container says nothing.
func above(s seen, b bounds, now time.Time) *launcher.Result {
	if p := s.pod; p != nil {
		r := disrupted(p)
		switch {
		case r != nil && (s.podGone || p.Status.Phase == corev1.PodFailed || p.DeletionTimestamp != nil && now.After(p.DeletionTimestamp.Add(slack))):
			return r
		case p.Status.Phase == corev1.PodFailed && p.Status.Reason == batchv1.JobReasonDeadlineExceeded:
			return ended(pipeline.StateTimedOut, pipeline.ReasonDeadline, "it ran longer than "+b.deadline.String())
		case p.Status.Phase == corev1.PodFailed:
			return ended(pipeline.StateFailed, pipeline.ReasonStart, p.Status.Reason+": "+p.Status.Message)
		case s.podGone:
			return ended(pipeline.StateFailed, pipeline.ReasonDeleted, "somebody deleted its pod")
		}
	}
	if s.jobGone {
		return ended(pipeline.StateFailed, pipeline.ReasonDeleted, "somebody deleted its Kubernetes Job")
	}
	return jobEnded(s, b)
}

// jobEnded is what a finished Job says; its pod may be gone, or may not have been
// seen yet.
func jobEnded(s seen, b bounds) *launcher.Result {
	if s.job == nil || s.pod != nil && !s.podGone {
		return nil // the pod's own words are on their way
	}
	for _, c := range s.job.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch {
		case c.Type == batchv1.JobComplete:
			return ended(pipeline.StateSucceeded, "", "")
		case c.Type == batchv1.JobFailed && c.Reason == batchv1.JobReasonDeadlineExceeded && s.pod == nil:
			return ended(pipeline.StateFailed, noPod(s.trouble), s.trouble)
		case c.Type == batchv1.JobFailed && c.Reason == batchv1.JobReasonDeadlineExceeded:
			return ended(pipeline.StateTimedOut, pipeline.ReasonDeadline, "it ran longer than "+b.deadline.String())
		case c.Type == batchv1.JobFailed:
			return ended(pipeline.StateFailed, pipeline.ReasonDeleted, "its pod is gone: "+c.Message)
		}
	}
	return nil
}

// notStarted says why nothing ran in time.
func notStarted(s seen, b bounds, now time.Time) *launcher.Result {
	reason := noPod(s.trouble)
	if s.pod == nil && reason == pipeline.ReasonForbidden && now.After(s.since.Add(10*time.Second)) {
		return ended(pipeline.StateFailed, reason, s.trouble) // waiting changes nothing
	}
	if now.Before(s.since.Add(b.start)) {
		return nil
	}
	late := fmt.Sprintf("it did not start within %s", b.start)
	if s.pod == nil {
		if s.trouble != "" {
			late += ": " + s.trouble
		}
		return ended(pipeline.StateFailed, reason, late)
	}
	for _, c := range s.pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return ended(pipeline.StateFailed, pipeline.ReasonUnschedulable, late+": "+c.Message)
		}
	}
	if c := containerOf(s.pod); c != nil && c.State.Waiting != nil {
		late += ": " + c.State.Waiting.Reason + " " + c.State.Waiting.Message
	}
	return ended(pipeline.StateFailed, pipeline.ReasonStart, late)
}

// noPod classifies why the Job controller could not make a pod. The cluster says
// it in words only.
func noPod(trouble string) pipeline.Reason {
	switch {
	case strings.Contains(trouble, "exceeded quota"):
		return pipeline.ReasonQuota
	case strings.Contains(trouble, "forbidden"):
		return pipeline.ReasonForbidden
	default:
		return pipeline.ReasonStart
	}
}
