package schedule

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

func sortByID(list []pipeline.Project) {
	slices.SortFunc(list, func(a, b pipeline.Project) int { return cmp.Compare(a.ID, b.ID) })
}

// page looks at one page of a project's resources, or at as many as a batch takes.
func (r *run) page(m *message, sub *rule.Rule) {
	project, ok := r.catalog.Project(m.Project)
	if !ok { // it was deleted meanwhile
		r.walked(m)
		return
	}
	want, batched := r.size(sub)
	var list []Resource
	cursor := m.Cursor
	for {
		p, err := r.inventory.Resources(r.ctx, Query{
			Input: sub.Document().Input, ProjectID: m.Project, Filter: sub.Document().Filter, Cursor: cursor,
			Limit: min(r.cfg.PageSize, want-len(list)),
		})
		if err != nil {
			r.fail(m, sub, err)
			return
		}
		list = append(list, r.choose(m, &project, p.Resources)...)
		if cursor = p.Next; cursor == "" || !batched || len(list) >= want {
			break
		}
	}
	if !r.start(m, sub, list, batched) {
		return
	}
	if cursor == "" {
		r.walked(m)
		return
	}
	next := *m
	next.Cursor, next.Attempt = cursor, 0
	next.Part++
	r.add(next.record())
}

// size is how many resources one step wants, and whether they go to one job.
func (r *run) size(sub *rule.Rule) (want int, batched bool) {
	b := sub.Document().Batch
	switch {
	case b == nil || !b.Enabled:
		return r.cfg.PageSize, false
	case b.Size == 0:
		return r.cfg.MaxBatch, true
	default:
		return min(b.Size, r.cfg.MaxBatch), true
	}
}

// fail tries a page again later, unless it was asked for wrongly.
func (r *run) fail(m *message, sub *rule.Rule, err error) {
	r.log.Warn("resources could not be read", "subscription", sub.ID, "project", m.Project, "attempt", m.Attempt, "err", err)
	if pipeline.CodeOf(err) == pipeline.CodeInvalid {
		r.count(Failed)
		r.walked(m)
		return
	}
	r.retry(m)
}

// choose leaves out what automation may not touch.
func (r *run) choose(m *message, p *pipeline.Project, all []Resource) (list []Resource) {
	for i := range all {
		if o := r.allowed(m, p, &all[i]); o != "" {
			r.count(o)
		} else {
			list = append(list, all[i])
		}
	}
	return list
}

// allowed says why a resource is left out, "" when it is not.
func (r *run) allowed(m *message, p *pipeline.Project, x *Resource) Outcome {
	switch {
	case x.FirstSeen.After(m.time()):
		return TooNew
	case x.Merged:
		return Merged
	case x.Blocked:
		return Blocked
	}
	b := r.bounds[p.ID]
	if b == nil {
		var err error
		if b, err = p.Bounds(); err != nil {
			return OutOfScope
		}
		r.bounds[p.ID] = b
	}
	if !b.Judge(&pipeline.Target{Locators: x.Locators, Names: slices.Values(x.Names)}).Allowed() {
		return OutOfScope
	}
	return ""
}

// start asks for the jobs of the resources; false when that has to be tried again.
func (r *run) start(m *message, sub *rule.Rule, list []Resource, batched bool) bool {
	if len(list) == 0 {
		return true
	}
	if batched {
		key := fmt.Sprintf("project:%s", m.Project)
		r.ask(m, sub, batch(m.Project, key, sub.Document().Input, list), fmt.Sprintf("%s/batch/%d", key, m.Part))
		return true
	}
	have, ok := r.expected(m, sub, list)
	for i := range list {
		x := &list[i]
		switch {
		case have[x.Key]:
			r.count(Fresh)
		case sub.Trigger == rule.Reconcile && !sub.Holds(x.finding(m.Project)):
			r.count(NotMet) // before its cooldown is spent
		case sub.Trigger == rule.Reconcile && !r.cool(sub, x.Key):
			r.count(Cooling)
		default:
			r.ask(m, sub, x.finding(m.Project), x.Key)
		}
	}
	return ok
}

// expected returns which resources have what a reconcile subscription expects.
func (r *run) expected(m *message, sub *rule.Rule, list []Resource) (have map[string]bool, ok bool) {
	x := sub.Document().Expect
	if x == nil {
		return nil, true
	}
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].Key
	}
	have, err := r.inventory.Fresh(r.ctx, m.Project, x.Finding, r.now().Add(-x.MaxAge), keys)
	if err == nil {
		return have, true
	}
	r.fail(m, sub, err)
	have = map[string]bool{}
	for _, k := range keys {
		have[k] = true // unknown is not absent
	}
	return have, false
}

// walked notes that a project's resources were all looked at.
func (r *run) walked(m *message) {
	if m.Kind != kindPage {
		return
	}
	r.state.setWalk(m.Subscription, m.Project, false)
	r.remember(keyWalk+m.Subscription+"/"+m.Project, nil)
}
