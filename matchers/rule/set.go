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
	rules      int
	broken     []Broken
}

// Broken is a subscription that can't take part, and why. It never stops others.
type Broken struct {
	SubscriptionID string   `json:"subscriptionId"`
	Name           string   `json:"name"`
	Problems       Problems `json:"problems"`
}

// NewSet compiles subscriptions. Those that name a job which does not exist are
// broken too; they are kept, and told so when they would fire.
func NewSet(subs []pipeline.Subscription, jobExists func(name string) bool) *Set {
	s := &Set{everywhere: map[string][]*Rule{}, projects: map[string]map[string][]*Rule{}}
	for _, sub := range subs {
		d, err := Parse([]byte(sub.Document))
		if err != nil {
			problems, _ := err.(Problems) //nolint:errorlint // Parse returns nothing else
			s.broken = append(s.broken, Broken{sub.ID, sub.Name, problems})
			continue
		}
		if d.Trigger == Cron {
			s.broken = append(s.broken, Broken{sub.ID, d.Name, Problems{{Path: "triggerType", Message: "cron subscriptions are not scheduled yet"}}})
			continue
		}
		if !jobExists(d.Job) {
			s.broken = append(s.broken, Broken{sub.ID, d.Name, Problems{{Path: "job.name", Message: fmt.Sprintf("no job is named %q", d.Job)}}})
		}
		s.add(Compile(d, sub))
	}
	return s
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
