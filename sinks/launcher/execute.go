package launcher

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// execute takes one execution from its slot to its end.
func (l *Launcher) execute(ctx context.Context, it item) {
	ctx, span := l.follow(ctx, it)
	defer span.End(nil)
	owned, ctx := it.life.under(ctx)
	l.metrics.waited.Observe(l.now().Sub(it.req.At).Seconds())
	if !l.begin(owned, &it) {
		return // the record comes again
	}
	spec, refused := l.prepare(ctx, it)
	switch {
	case owned.Err() != nil:
		l.interrupted(it)
		return
	case ctx.Err() != nil && !it.adopted:
		l.end(owned, it, it.life.stopped())
		return
	case refused != nil:
		l.end(owned, it, *refused)
		return
	}
	out := newOutput(l, it, spec)
	out.engine(pipeline.LevelDebug, fmt.Sprintf("attempt %d of %s, deadline %s", it.attempt, it.req.Job, spec.Deadline))
	for _, text := range describe(spec) {
		out.engine(pipeline.LevelDebug, text)
	}
	start := l.now()
	res := l.run(ctx, spec, out)
	l.finish(owned, it, res, out, l.now().Sub(start))
}

// follow begins the spans of an execution: how long it waited, and how long it took.
func (l *Launcher) follow(ctx context.Context, it item) (context.Context, trace.Span) {
	if it.trace == "" {
		return ctx, trace.Span{}
	}
	ctx = trace.Below(ctx, it.trace)
	_, waited := l.tracer.Start(ctx, "wait "+it.req.Job, it.req.At, "execution", it.req.ID)
	waited.End(nil)
	return l.tracer.Start(ctx, "execute "+it.req.Job, l.now(), "execution", it.req.ID, "project", it.req.ProjectID, "target", it.req.Target)
}

// begin decides which attempt this is and announces it. It reports false when the
// bus did not take that before the launcher's end.
func (l *Launcher) begin(ctx context.Context, it *item) bool {
	if k, keeps := l.runner.(Keeper); keeps && it.began {
		if attempt, held := k.Holds(ctx, it.req.ID); held {
			it.attempt, it.adopted = attempt, true
			return true // what it was last is what it is
		}
		if ctx.Err() != nil || !l.again(ctx, *it) { // what is not known is not said
			return false
		}
	}
	l.emit(ctx, *it, pipeline.StateStarting, Result{})
	return true
}

// finish ends an execution that its runner has let go of.
func (l *Launcher) finish(ctx context.Context, it item, res Result, out *output, took time.Duration) {
	switch {
	case res.Detached:
		out.close()
		return
	case ctx.Err() != nil && res.State == pipeline.StateStopped:
		out.engine(pipeline.LevelWarning, "the launcher stops; the execution will be run again")
		out.close()
		l.interrupted(it)
		return
	case res.State == pipeline.StateStopped && res.Reason == pipeline.ReasonPerson:
		res.Detail = it.life.stopped().Detail
	}
	res = l.asReported(ctx, it, res)
	res.Detail = out.veil(res.Detail) // a job's last words may hold anything
	out.sync()
	if n := out.lost(); n > 0 && res.State == pipeline.StateSucceeded {
		res.State, res.Reason, res.Detail = pipeline.StateFailed, pipeline.ReasonUnsaid, fmt.Sprintf("%d findings could not be stored: the bus did not take them", n)
	}
	out.engine(level(res.State), closing(res))
	out.close()
	l.metrics.ran.WithLabelValues(string(res.State)).Observe(took.Seconds())
	l.end(ctx, it, res)
}

// heardWait bounds how long an end waits for what its job may have said over the
// network. The job was answered after the bus had it.
const heardWait = 10 * time.Second

// asReported is how an execution ended when its job said, over the network, that it
// failed: so, whatever its process made of that. Who ended the process counts more.
func (l *Launcher) asReported(ctx context.Context, it item, res Result) Result {
	byItself := res.State == pipeline.StateSucceeded || res.Reason == pipeline.ReasonExitCode || res.Reason == pipeline.ReasonSignal
	if !byItself || l.heard == nil {
		return res
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), heardWait)
	defer cancel()
	if err := l.heard(wait); err != nil {
		l.log.Warn("what a job may have said of its failure is not known", "execution", it.req.ID, "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.stops.said(it.req.ID); ok && r.Attempt == it.attempt {
		res.State, res.Reason, res.Detail = pipeline.StateFailed, pipeline.ReasonReported, r.Detail
	}
	return res
}

// run calls the runner; a fault of its own ends one execution, not the process.
func (l *Launcher) run(ctx context.Context, s Spec, out *output) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("runner failed", "execution", s.Request.ID, "panic", p)
			res = Result{State: pipeline.StateFailed, Reason: pipeline.ReasonStart, Detail: "the runner failed; the server's log has the details"}
		}
	}()
	return l.runner.Run(ctx, s, out.line)
}

// prepare finds the job and checks the arguments; refused says why it cannot run.
func (l *Launcher) prepare(ctx context.Context, it item) (spec Spec, refused *Result) {
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := l.catalog.WaitFor(wait, it.req.Control); err != nil {
		l.log.Warn("control plane is behind, using what is known", "execution", it.req.ID, "err", err)
	}
	fail := func(r pipeline.Reason, detail string) (Spec, *Result) {
		return Spec{}, &Result{State: pipeline.StateFailed, Reason: r, Detail: detail}
	}
	job, ok := l.catalog.Job(it.req.Job)
	if !ok {
		return fail(pipeline.ReasonUnknownJob, fmt.Sprintf("no job is named %q", it.req.Job))
	}
	project, ok := l.catalog.Project(it.req.ProjectID)
	if !ok {
		return fail(pipeline.ReasonUnknownOwner, "the project does not exist any more")
	}
	given, secret, err := l.open(it.req.ProjectID, job.Parameters, it.req.Arguments)
	if err != nil {
		return fail(pipeline.ReasonSecret, err.Error())
	}
	args, err := arguments(job.Parameters, given)
	if err != nil {
		return fail(pipeline.ReasonBadArguments, err.Error())
	}
	spec = Spec{
		Request: it.req, Job: job, Project: project, Attempt: it.attempt, Arguments: args, Secret: secret,
		Deadline: job.Deadline, StartTimeout: l.cfg.StartTimeout, Trace: trace.Of(ctx),
	}
	var once sync.Once
	spec.Started = func(at time.Time) { once.Do(func() { l.started(ctx, it, at) }) }
	if spec.Deadline == 0 {
		spec.Deadline = l.cfg.Deadline
	}
	c := it.req.Cause
	spec.Token, err = l.tokens.Mint(jobtoken.Claims{
		ExecutionID: it.req.ID, ProjectID: it.req.ProjectID, Job: job.Name, Attempt: it.attempt,
		RootID: c.RootID, Depth: c.Depth, Target: it.req.Target, Trace: spec.Trace, Secrets: spec.values(),
	}, l.cfg.StartTimeout+spec.Deadline+5*time.Minute)
	if err != nil {
		return fail(pipeline.ReasonStart, err.Error())
	}
	return spec, nil
}

func level(s pipeline.State) pipeline.Level {
	if s == pipeline.StateSucceeded {
		return pipeline.LevelDebug
	}
	return pipeline.LevelError
}

func closing(r Result) string {
	s := "ended: " + string(r.State)
	if r.Detail != "" {
		s += ", " + r.Detail
	}
	return s
}

// end writes the end and, only then, lets go of the request.
func (l *Launcher) end(ctx context.Context, it item, r Result) {
	if !l.emit(ctx, it, r.State, r) {
		return // the process is stopping; the request comes again
	}
	l.mu.Lock()
	l.past.learn(pipeline.ExecutionEvent{ExecutionID: it.req.ID, Attempt: it.attempt, State: r.State})
	l.mu.Unlock()
	l.metrics.ended.WithLabelValues(string(r.State), string(r.Reason)).Inc()
	it.done()
	if k, keeps := l.runner.(Keeper); keeps {
		k.Release(context.WithoutCancel(ctx), it.req.ID)
	}
}

// started says when an execution's first instruction ran.
func (l *Launcher) started(ctx context.Context, it item, at time.Time) {
	l.emitAt(ctx, it, pipeline.StateRunning, Result{}, at)
}

// interrupted says that a stopped launcher's execution waits for the next one. It
// is not done, so the request comes again; an orderly stop is no failed attempt.
func (l *Launcher) interrupted(it item) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // one try, see produce
	it.attempt++
	l.emit(ctx, it, pipeline.StateQueued, Result{Reason: pipeline.ReasonShutdown, Detail: "the launcher was stopped"})
}

const (
	lastTry   = 5 * time.Second // the write that is tried when the launcher stops
	maxDetail = 2048            // bytes; a job's own words can be long
)

// emit writes one event, trying again until ctx ends and once after that: a job
// that succeeded while the launcher stops must not run again. It reports whether
// the bus has it.
func (l *Launcher) emit(ctx context.Context, it item, s pipeline.State, r Result) bool {
	return l.emitAt(ctx, it, s, r, l.now())
}

func (l *Launcher) emitAt(ctx context.Context, it item, s pipeline.State, r Result, at time.Time) bool {
	v, err := record.Encode(pipeline.ExecutionEvent{
		ExecutionID: it.req.ID, ProjectID: it.req.ProjectID, Attempt: it.attempt, State: s,
		Reason: r.Reason, Detail: pipeline.Clip(r.Detail, maxDetail), ExitCode: r.ExitCode, Runner: l.runner.Name(), At: at.UTC().Truncate(time.Millisecond),
	})
	if err != nil {
		l.log.Error("event cannot be written", "execution", it.req.ID, "err", err)
		return false
	}
	return l.produce(ctx, []bus.Record{{Topic: bus.TopicExecutions, Key: []byte(it.req.ID), Value: v}})
}

func (l *Launcher) produce(ctx context.Context, recs []bus.Record) bool {
	for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 5*time.Second) {
		err := l.producer.Produce(ctx, recs)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			break
		}
		l.log.Warn("bus does not take records, will be tried again", "records", len(recs), "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTry)
	defer cancel()
	if err := l.producer.Produce(last, recs); err != nil {
		l.log.Warn("bus did not take records before the end", "records", len(recs), "err", err)
		return false
	}
	return true
}
