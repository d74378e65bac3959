package rule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/stalker-asm/stalker/pipeline"
)

// Set is every rule, indexed so that a finding meets only those that could match:
// by its key, its project, and for each rule one of its conditions. It is
// immutable; a change makes a new one, which shares what did not change.
type Set struct {
	projects  map[string]*keyed // by project, "" for the rules of every project
	table     table             // the same of each project, for findings
	sources   map[string]*source
	scheduled []*Rule // cron and reconcile, in the order of their ids
	rules     int
	broken    []Broken
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
	next := &Set{projects: maps.Clone(s.projects), table: s.table, sources: make(map[string]*source, len(subs))}
	d := dirt{}
	for i := range subs {
		sub := &subs[i]
		was := s.sources[sub.ID]
		now := was
		if was == nil || !same(&was.sub, sub) {
			now = compileSource(*sub)
			d.replace(was, now)
		}
		next.sources[sub.ID] = now
		next.list(now, jobExists)
	}
	if len(next.sources) != len(s.sources) || len(d) > 0 {
		for id, was := range s.sources {
			if next.sources[id] == nil {
				d.replace(was, nil)
			}
		}
	}
	slices.SortFunc(next.scheduled, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	next.rebuild(d)
	return next
}

// list counts a source among the rules, the scheduled or the broken.
func (s *Set) list(c *source, jobExists func(name string) bool) {
	if c.rule == nil {
		s.broken = append(s.broken, Broken{c.sub.ID, c.name, c.problems})
		return
	}
	if !jobExists(c.rule.Job) {
		s.broken = append(s.broken, Broken{c.sub.ID, c.name, Problems{{Path: "job.name", Message: fmt.Sprintf("no job is named %q", c.rule.Job)}}})
	}
	s.rules++
	if c.rule.Trigger != Event {
		s.scheduled = append(s.scheduled, c.rule)
	}
}

// dirt is what changed: by project, then finding key, the rules that went (false)
// and came (true).
type dirt map[string]map[string]map[*Rule]bool

func (d dirt) replace(was, now *source) {
	if was != nil {
		d.note(was.rule, false)
	}
	if now != nil {
		d.note(now.rule, true)
	}
}

func (d dirt) note(r *Rule, came bool) {
	if r == nil || r.Trigger != Event {
		return
	}
	for _, key := range r.Findings {
		if d[r.ProjectID] == nil {
			d[r.ProjectID] = map[string]map[*Rule]bool{}
		}
		if d[r.ProjectID][key] == nil {
			d[r.ProjectID][key] = map[*Rule]bool{}
		}
		d[r.ProjectID][key][r] = came
	}
}

// rebuild makes the buckets anew in which something changed.
func (s *Set) rebuild(d dirt) {
	if s.projects == nil {
		s.projects = map[string]*keyed{}
	}
	for project, keys := range d {
		changed := map[string][]*Rule{}
		for key, rules := range keys {
			var list []*Rule
			for _, r := range s.projects[project].rules(key) {
				if came, touched := rules[r]; !touched || came {
					list = append(list, r)
				}
			}
			for r, came := range rules {
				if came {
					list = append(list, r)
				}
			}
			changed[key] = tidy(list)
		}
		if next := s.projects[project].with(changed); len(next.exact)+len(next.wild) > 0 {
			s.projects[project] = next
		} else {
			delete(s.projects, project)
		}
	}
	s.tabulate(d)
}

// tabulate brings the table up to date with projects.
func (s *Set) tabulate(d dirt) {
	if len(d) == 0 {
		return
	}
	s.table = s.table.clone(len(d))
	for project := range d {
		if project != "" {
			s.table.set(project, s.projects[project])
		}
	}
}

// same reports whether two states of a subscription compile to the same rule.
func same(a, b *pipeline.Subscription) bool {
	return a.Version == b.Version && a.Enabled == b.Enabled && a.ProjectID == b.ProjectID && a.Name == b.Name && a.Document == b.Document
}

func compileSource(sub pipeline.Subscription) *source {
	d, err := Parse([]byte(sub.Document))
	if err != nil {
		return &source{sub: sub, name: sub.Name, problems: problemsOf(err)}
	}
	return &source{sub: sub, name: d.Name, rule: Compile(d, sub)}
}

// Candidates appends to into the rules that are switched on and may match the
// finding, in the order of their ids. It allocates only to make into larger.
func (s *Set) Candidates(f *pipeline.Finding, into []*Rule) []*Rule {
	start := len(into)
	into = s.projects[""].candidates(f, into)
	if f.ProjectID != "" {
		into = s.ofProject(f, into)
	}
	return into[:start+len(tidy(into[start:]))]
}

func (s *Set) ofProject(f *pipeline.Finding, into []*Rule) []*Rule {
	n := len(into)
	few, many := s.table.get(f.ProjectID)
	if few != nil {
		into = few.candidates(f, into)
	} else {
		into = many.candidates(f, into)
	}
	kept := into[:n]
	for _, r := range into[n:] {
		if r.ProjectID == f.ProjectID && r.Reacts(f.Key) { // and not one with the same hash
			kept = append(kept, r)
		}
	}
	return kept
}

func (k *keyed) candidates(f *pipeline.Finding, out []*Rule) []*Rule {
	if k == nil {
		return out
	}
	if b := k.exact[f.Key]; b != nil {
		out = b.candidates(f, out)
	}
	return k.wildCandidates(f, out)
}

func (k *keyed) wildCandidates(f *pipeline.Finding, out []*Rule) []*Rule {
	for i := range k.wild {
		if w := &k.wild[i]; Glob(w.pattern, f.Key) {
			out = w.bucket.candidates(f, out)
		}
	}
	return out
}

// Reacting returns every rule that is about findings with this one's key, also
// those that are switched off or cannot match.
func (s *Set) Reacting(f *pipeline.Finding) []*Rule {
	var list []*Rule
	collect := func(b *bucket) { list = append(list, b.rules...) }
	s.projects[""].each(f.Key, collect)
	if f.ProjectID != "" {
		s.projects[f.ProjectID].each(f.Key, collect)
	}
	return tidy(list)
}

// Scheduled lists the cron and reconcile rules.
func (s *Set) Scheduled() []*Rule { return s.scheduled }

// Rule returns the rule of a subscription.
func (s *Set) Rule(subscriptionID string) (*Rule, bool) {
	c := s.sources[subscriptionID]
	if c == nil || c.rule == nil {
		return nil, false
	}
	return c.rule, true
}

// Len is how many rules take part.
func (s *Set) Len() int { return s.rules }

// Unindexed is how many rules of every project are looked at for each finding of
// their keys.
func (s *Set) Unindexed() int {
	k, n := s.projects[""], 0
	if k == nil {
		return 0
	}
	for _, b := range k.exact {
		n += len(b.always)
	}
	for i := range k.wild {
		n += len(k.wild[i].bucket.always)
	}
	return n
}

// Broken lists the subscriptions with problems.
func (s *Set) Broken() []Broken { return s.broken }
