package rule

import (
	"fmt"

	"github.com/stalker-asm/stalker/pipeline"
)

// Set is every rule, indexed so that a finding meets only those that could match.
// It is immutable; a change makes a new one.
type Set struct {
	everywhere map[string][]*Rule            // by finding key
	projects   map[string]map[string][]*Rule // by project, then finding key
	sources    map[string]source             // by subscription id
	rules      int
	broken     []Broken
}

// source is a subscription and what became of its document.
type source struct {
	sub      pipeline.Subscription
	rule     *Rule // nil when it cannot take part
	name     string
	problems Problems
}

// Broken is a subscription that can't take part, and why. It never stops others.
type Broken struct {
	SubscriptionID string   `json:"subscriptionId"`
	Name           string   `json:"name"`
	Problems       Problems `json:"problems"`
}

// NewSet compiles subscriptions.
func NewSet(subs []pipeline.Subscription, jobExists func(name string) bool) *Set {
	return (&Set{}).Update(subs, jobExists)
}

// Update returns the set of subs, and takes over the rules of those that did not
// change. A subscription that names a job which does not exist is broken too, but
// takes part, so that its findings get a verdict.
func (s *Set) Update(subs []pipeline.Subscription, jobExists func(name string) bool) *Set {
	next := &Set{
		everywhere: map[string][]*Rule{}, projects: map[string]map[string][]*Rule{},
		sources: make(map[string]source, len(subs)),
	}
	for _, sub := range subs {
		c, known := s.sources[sub.ID]
		if !known || !same(&c.sub, &sub) {
			c = compileSource(sub)
		}
		next.sources[sub.ID] = c
		if c.rule == nil {
			next.broken = append(next.broken, Broken{sub.ID, c.name, c.problems})
			continue
		}
		if !jobExists(c.rule.Job) {
			next.broken = append(next.broken, Broken{sub.ID, c.name, Problems{{Path: "job.name", Message: fmt.Sprintf("no job is named %q", c.rule.Job)}}})
		}
		next.add(c.rule)
	}
	return next
}

// same reports whether two states of a subscription compile to the same rule.
func same(a, b *pipeline.Subscription) bool {
	return a.Version == b.Version && a.Enabled == b.Enabled && a.ProjectID == b.ProjectID && a.Name == b.Name && a.Document == b.Document
}

func compileSource(sub pipeline.Subscription) source {
	d, err := Parse([]byte(sub.Document))
	switch {
	case err != nil:
		return source{sub: sub, name: sub.Name, problems: problemsOf(err)}
	case d.Trigger == Cron:
		return source{sub: sub, name: d.Name, problems: Problems{{Path: "triggerType", Message: "cron subscriptions are not scheduled yet"}}}
	default:
		return source{sub: sub, name: d.Name, rule: Compile(d, sub)}
	}
}

func (s *Set) add(r *Rule) {
	s.rules++
	index := s.everywhere
	if r.ProjectID != "" {
		if s.projects[r.ProjectID] == nil {
			s.projects[r.ProjectID] = map[string][]*Rule{}
		}
		index = s.projects[r.ProjectID]
	}
	seen := map[string]bool{}
	for _, key := range r.Findings {
		if !seen[key] {
			index[key] = append(index[key], r)
			seen[key] = true
		}
	}
}

// Candidates returns the rules that react to the finding's key, those of every
// project first. It allocates nothing.
func (s *Set) Candidates(f *pipeline.Finding) (everywhere, project []*Rule) {
	return s.everywhere[f.Key], s.projects[f.ProjectID][f.Key]
}

// Len is how many rules take part.
func (s *Set) Len() int { return s.rules }

// Broken lists the subscriptions with problems.
func (s *Set) Broken() []Broken { return s.broken }
