package schedule

import (
	"strings"
	"time"

	"github.com/stalker-asm/stalker/matchers/rule"
	"github.com/stalker-asm/stalker/pipeline"
)

// rules are the cron and reconcile subscriptions, compiled.
type rules struct {
	position int64
	byID     map[string]*scheduled
	list     []*scheduled // by id
}

// scheduled is one of them. One that cannot be read has no rule: the matcher lists it
// as broken.
type scheduled struct {
	version  int64
	enabled  bool
	rule     *rule.Rule
	schedule rule.Schedule
	since    time.Time // when this version was written
}

// refresh takes in what changed.
func (r *rules) refresh(c catalog, now time.Time) {
	at := c.Position()
	if at == r.position {
		return
	}
	next := &rules{position: at, byID: map[string]*scheduled{}}
	for _, sub := range c.Subscriptions() {
		if !strings.Contains(sub.Document, "triggerType") {
			continue // an event subscription: nothing to parse
		}
		was := r.byID[sub.ID]
		if was == nil || was.version != sub.Version || was.enabled != sub.Enabled {
			was = compile(&sub, now)
		}
		next.byID[sub.ID] = was
		if was.rule != nil {
			next.list = append(next.list, was)
		}
	}
	*r = *next
}

func compile(sub *pipeline.Subscription, now time.Time) *scheduled {
	s := &scheduled{version: sub.Version, enabled: sub.Enabled, since: sub.UpdatedAt}
	if s.since.IsZero() {
		s.since = now // from when it is known here
	}
	d, err := rule.Parse([]byte(sub.Document))
	if err != nil || d.Trigger == rule.Event {
		return s
	}
	if s.schedule, err = rule.ParseSchedule(d.Schedule, d.TimeZone); err != nil {
		return s
	}
	s.rule = rule.Compile(d, *sub)
	return s
}

// get returns the rule of a subscription that is there and switched on.
func (r *rules) get(id string) *rule.Rule {
	if s := r.byID[id]; s != nil && s.rule != nil && s.enabled {
		return s.rule
	}
	return nil
}
