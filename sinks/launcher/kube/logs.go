package kube

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// drainWait is how long the log of an ended container may take to come. An API server
// that is replaced is away for a while, and what a container printed may be findings.
const drainWait = 2 * time.Minute

// goneWait is the same when the pod is gone: what was sent may still be on its way.
const goneWait = 5 * time.Second

// tries is how often the log of an ended container is asked for when what answers is
// sure that there is none: its pod is gone, or its node has forgotten it.
const tries = 4

// logs follows what one pod prints, from its first line. A stream that breaks is
// opened again and the lines that were read are passed over, so that the n-th line
// is the n-th in every life.
type logs struct {
	r      *Runner
	out    func(pipeline.Stream, string)
	ctx    context.Context //nolint:containedctx // it is what stop ends
	cancel context.CancelFunc
	once   sync.Once
	done   sync.WaitGroup
	ended  chan struct{} // closed when the container has ended
	closed sync.Once
	short  bool // it was not read to its end; to be looked at when done
}

func (r *Runner) newLogs(out func(pipeline.Stream, string)) *logs {
	ctx, cancel := context.WithCancel(context.Background())
	return &logs{r: r, out: out, ctx: ctx, cancel: cancel, ended: make(chan struct{})}
}

// follow begins to read; only the first call counts.
func (l *logs) follow(pod string) {
	l.once.Do(func() { l.done.Go(func() { l.read(pod) }) })
}

// drain waits, within a bound, for the last line. It returns false when ctx ended
// first: the log can be read again.
func (l *logs) drain(ctx context.Context, bound time.Duration) bool {
	l.closed.Do(func() { close(l.ended) })
	defer time.AfterFunc(bound, l.cancel).Stop()
	defer context.AfterFunc(ctx, l.cancel)()
	l.done.Wait()
	return !l.short || ctx.Err() == nil
}

// judge is the end of an execution in view of its log: what a container job prints is
// its findings, and without the last of them it has not succeeded.
func (l *logs) judge(j *pipeline.Job, end *launcher.Result) launcher.Result {
	res := *end
	if !l.short || res.State != pipeline.StateSucceeded {
		return res
	}
	if j.Type == pipeline.JobContainer {
		res.State, res.Reason = pipeline.StateFailed, pipeline.ReasonUnsaid
	}
	res.Detail = "its log could not be read to its end"
	return res
}

// stop ends reading; out is not called any more when it has returned.
func (l *logs) stop() {
	l.cancel()
	l.done.Wait()
}

func (l *logs) read(pod string) {
	l.r.metrics.streams.Inc()
	defer l.r.metrics.streams.Dec()
	lines, refusals := 0, 0
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		over := l.over() // before reading: what is printed before the end is read after it
		n, err := l.stream(pod, lines, !over)
		lines = max(lines, n)
		if err == nil && over {
			return
		}
		if err != nil && l.ctx.Err() == nil {
			l.r.metrics.calls.WithLabelValues(callLogs).Inc()
			if over && refused(err) {
				refusals++
			}
		}
		if refusals == tries || !l.rest(pause, over) {
			if l.short = true; over && err != nil {
				l.r.log.Warn("the log of a pod could not be read to its end", "pod", pod, "lines", lines, "err", err)
			}
			return
		}
	}
}

// rest waits before the log is asked for again; false says that it is not to be.
func (l *logs) rest(pause time.Duration, over bool) bool {
	ended := l.ended
	if over {
		ended = nil
	}
	select {
	case <-l.ctx.Done():
		return false
	case <-ended:
	case <-time.After(pause):
	}
	return true
}

// refused reports whether somebody who knows said that there is no such log: asking
// for long does not help. Whoever cannot be reached, or has not come up yet, may know.
func refused(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsBadRequest(err)
}

func (l *logs) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// stream reads a pod's log, calling out for what comes after the first skip lines.
// It returns how many lines there were.
func (l *logs) stream(pod string, skip int, follow bool) (int, error) {
	body, err := l.r.client.CoreV1().Pods(l.r.cfg.Namespace).GetLogs(pod, &corev1.PodLogOptions{Container: containerName, Follow: follow}).Stream(l.ctx)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	in := bufio.NewReaderSize(body, 64<<10)
	for n := 0; ; n++ {
		text, err := readLine(in)
		if err != nil || l.ctx.Err() != nil {
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, errors.Join(err, l.ctx.Err())
		}
		if n >= skip {
			l.out(pipeline.StreamStdout, text)
		}
	}
}

// maxLine is the longest line that is read, a finding of a container job; what is
// beyond is thrown away.
const maxLine = 1 << 20

// readLine returns the next line without its end.
func readLine(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, more, err := in.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) && b.Len() > 0 {
				return b.String(), nil
			}
			return "", err
		}
		if free := maxLine - b.Len(); len(part) > free {
			part = part[:free]
		}
		b.Write(part)
		if !more {
			return strings.ToValidUTF8(b.String(), "\uFFFD"), nil
		}
	}
}
