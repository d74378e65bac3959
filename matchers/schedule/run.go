package schedule

import (
	"context"
	"strconv"
	"time"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/trace"
)

// run is one transaction.
type run struct {
	*Scheduler
	ctx    context.Context //nolint:containedctx // of the transaction this is
	bounds map[string]*pipeline.Bounds
	out    bus.Outcome
}

func (r *run) add(rec bus.Record)             { r.out.Records = append(r.out.Records, rec) }
func (r *run) remember(key string, value any) { r.add(stateRecord(key, value)) }
func (r *run) count(o Outcome)                { r.metrics.outcomes.WithLabelValues(string(o)).Inc() }

func (r *run) handle(m message) {
	sub := r.rules.get(m.Subscription)
	switch {
	case sub == nil:
		r.count(Disabled)
		r.walked(&m)
	case m.Kind == kindPage:
		r.page(&m, sub)
	default:
		r.tick(&m, sub)
	}
}

// tick starts a tick, or goes on with its next projects.
func (r *run) tick(m *message, sub *rule.Rule) {
	if m.After == "" && !r.begin(m, sub) {
		return
	}
	projects, more := r.projects(m, sub)
	for _, p := range projects {
		r.project(m, sub, p)
	}
	if more {
		next := *m
		next.After = projects[len(projects)-1].ID
		r.add(next.record())
	}
}

// begin reports whether a tick may go ahead, and notes that it came.
func (r *run) begin(m *message, sub *rule.Rule) bool {
	if !r.state.last(sub.ID).Before(m.time()) {
		r.count(Repeated)
		return false
	}
	o := r.judge(m, sub)
	if o == Failed { // the store does not answer: later
		return r.retry(m)
	}
	r.state.setTick(sub.ID, m.At)
	r.remember(keyTick+sub.ID, m.At)
	r.metrics.lateness.Observe(r.now().Sub(m.time()).Seconds())
	if o != Started {
		r.count(o)
		r.log.Info("tick is passed over", "subscription", sub.ID, "name", sub.Name, "at", m.time(), "reason", string(o))
	}
	return o == Started
}

func (r *run) judge(m *message, sub *rule.Rule) Outcome {
	d := sub.Document()
	if m.Skip {
		return Missed
	}
	if _, ok := r.catalog.Job(sub.Job); !ok {
		return NoJob
	}
	if d.Overlap || d.Trigger == rule.Reconcile { // what reconcile started counts by resource
		return Started
	}
	if len(r.state.walks[sub.ID]) > 0 {
		return Overlapping
	}
	open, err := r.inventory.Open(r.ctx, sub.ID)
	switch {
	case err != nil:
		r.log.Warn("open executions could not be counted", "subscription", sub.ID, "err", err)
		return Failed
	case open > 0:
		return Overlapping
	default:
		return Started
	}
}

// retry puts a message back at the end; it is given up after many attempts.
func (r *run) retry(m *message) bool {
	next := *m
	if next.Attempt++; next.Attempt >= r.cfg.Attempts {
		r.count(Failed)
		r.log.Error("step is given up: the store does not answer", "subscription", m.Subscription, "project", m.Project, "attempts", next.Attempt)
		r.walked(m)
		return false
	}
	select { // the store is no better for being asked in a loop
	case <-time.After(min(time.Duration(next.Attempt)*100*time.Millisecond, 2*time.Second)):
	case <-r.ctx.Done():
	}
	r.add(next.record())
	return false
}

// projectsAtOnce bounds how many projects one step begins.
const projectsAtOnce = 500

func (r *run) projects(m *message, sub *rule.Rule) (list []pipeline.Project, more bool) {
	if sub.ProjectID != "" {
		if p, ok := r.catalog.Project(sub.ProjectID); ok {
			list = append(list, p)
		}
		return list, false
	}
	all := r.catalog.Projects()
	sortByID(all)
	for _, p := range all {
		if p.ID <= m.After {
			continue
		}
		if len(list) == projectsAtOnce {
			return list, true
		}
		list = append(list, p)
	}
	return list, false
}

// project begins a tick in one project.
func (r *run) project(m *message, sub *rule.Rule, p pipeline.Project) {
	d, key := sub.Document(), "project:"+p.ID
	if d.Trigger == rule.Cron && d.Cooldown > 0 && !r.cool(sub, key) {
		r.count(Cooling)
		return
	}
	if d.Input == "" {
		r.ask(m, sub, &pipeline.Finding{ProjectID: p.ID, CorrelationKey: key}, key)
		return
	}
	r.state.setWalk(sub.ID, p.ID, true)
	r.remember(keyWalk+sub.ID+"/"+p.ID, true)
	next := message{Kind: kindPage, Subscription: sub.ID, At: m.At, Project: p.ID}
	r.add(next.record())
}

// cool spends the cooldown of a project or resource, or reports that it is not over.
func (r *run) cool(sub *rule.Rule, key string) bool {
	now := r.now().UTC().Truncate(time.Millisecond)
	trigger := cooldown.Key(sub.ID, key, "")
	if !cooldown.Decide(r.state.cooldowns.Last(trigger), now, sub.Cooldown).Fires() {
		return false
	}
	e := entry(now, sub.Cooldown)
	r.state.cooldowns.Spend(trigger, e)
	r.remember(keyCooldown+trigger, span{e.At.UnixMilli(), e.Until.UnixMilli()})
	return true
}

// ask asks for a job, unless the conditions do not hold.
func (r *run) ask(m *message, sub *rule.Rule, f *pipeline.Finding, part string) {
	if !sub.Holds(f) {
		r.count(NotMet)
		return
	}
	args, err := sub.Arguments(f)
	if err != nil {
		r.count(BadValues)
		r.log.Warn("parameters have no value", "subscription", sub.ID, "err", err)
		return
	}
	q := request(m, sub, f, part, args)
	q.At, q.Control = r.now().UTC().Truncate(time.Millisecond), r.catalog.Position()
	v, err := record.Encode(q)
	if err != nil {
		r.count(BadValues)
		return
	}
	r.add(bus.Record{Topic: bus.TopicJobs, Key: []byte(q.ID), Value: v, Time: q.At, Headers: r.follow(&q)})
	r.count(Started)
}

// follow are the headers of a request, with which a trace may begin.
func (r *run) follow(q *pipeline.JobRequest) map[string]string {
	ctx, span := r.tracer.Start(context.Background(), "tick "+q.Cause.SubscriptionName, q.At, "subscription", q.Cause.SubscriptionID, "execution", q.ID)
	span.End(nil)
	if parent := trace.Of(ctx); parent != "" {
		return map[string]string{trace.Header: parent}
	}
	return nil
}

// request is what a tick asks for. Its id follows from the subscription, the tick and
// what it is for, so asking again asks for the same execution.
func request(m *message, sub *rule.Rule, f *pipeline.Finding, part string, args []pipeline.Argument) pipeline.JobRequest {
	id := pipeline.DeriveID("execution", sub.ID, "tick", strconv.FormatInt(m.At, 10), part)
	return pipeline.JobRequest{
		ID: id, ProjectID: f.ProjectID, Job: sub.Job, Arguments: args, Priority: pipeline.PriorityAutomation, Target: f.CorrelationKey,
		Cause: pipeline.Cause{SubscriptionID: sub.ID, SubscriptionName: sub.Name, RootID: id},
	}
}
