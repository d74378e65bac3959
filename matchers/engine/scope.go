package engine

import (
	"github.com/stalker-asm/stalker/pipeline"
)

// scope keeps automation inside what the project lists, and away from addresses
// that are nobody's on the internet and that the project does not list as its own.
// A finding without an address is judged by its name: what that resolves to is a
// finding of its own.
func scope(c *candidate) Reason {
	if !c.scoped {
		c.scoped = true
		c.scope, c.verdict = c.engine.scopeOf(c.finding, c.state)
	}
	return c.scope
}

func (e *Engine) scopeOf(f *pipeline.Finding, state *partition) (Reason, pipeline.ScopeVerdict) {
	project, ok := e.catalog.Project(f.ProjectID)
	if !ok {
		return UnknownProject, pipeline.ScopeVerdict{}
	}
	b, err := e.bounds.of(&project)
	if err != nil { // the API lets no such list in
		return OutOfScope, pipeline.ScopeVerdict{Reason: pipeline.ScopeNotListed, Entry: err.Error()}
	}
	t := pipeline.TargetOf(f, state.names(f))
	v := b.Judge(&t)
	if !v.Allowed() {
		return OutOfScope, v
	}
	return "", v
}

// names yields the domains known to resolve to a finding's address.
func (p *partition) names(f *pipeline.Finding) func(func(string) bool) {
	return func(yield func(string) bool) {
		h := p.hosts[hostKey(f)]
		if f.IP == "" || h == nil {
			return
		}
		for d := range h.domains {
			if !yield(d) {
				return
			}
		}
	}
}

// bounds keeps the scopes of projects ready to be asked. It is used under the
// engine's lock.
type bounds struct {
	projects map[string]ready
}

type ready struct {
	version int64
	bounds  *pipeline.Bounds
	err     error
}

// maxReady bounds how many are kept; beyond it all are made anew.
const maxReady = 10_000

func (b *bounds) of(p *pipeline.Project) (*pipeline.Bounds, error) {
	r, ok := b.projects[p.ID]
	if !ok || r.version != p.Version {
		r = ready{version: p.Version}
		r.bounds, r.err = p.Bounds()
		if b.projects == nil || len(b.projects) >= maxReady {
			b.projects = map[string]ready{}
		}
		b.projects[p.ID] = r
	}
	return r.bounds, r.err
}
