package engine

import (
	"net/netip"

	"github.com/stalker-asm/stalker/pipeline"
)

// scope keeps automation away from addresses that are nobody's on the internet and
// that the project does not list as its own. A finding without an address passes:
// what its name resolves to is a finding of its own.
func scope(c *candidate) Reason {
	if !c.scoped {
		c.scoped, c.scope = true, c.engine.scopeOf(c.finding)
	}
	return c.scope
}

func (e *Engine) scopeOf(f *pipeline.Finding) Reason {
	project, ok := e.catalog.Project(f.ProjectID)
	switch {
	case !ok:
		return UnknownProject
	case f.IP == "" || mayScan(&project, f):
		return ""
	default:
		return OutOfScope
	}
}

func mayScan(project *pipeline.Project, f *pipeline.Finding) bool {
	addr, err := netip.ParseAddr(f.IP)
	if err != nil {
		return false
	}
	if f.Mask == nil {
		return project.MayScan(addr)
	}
	n, err := addr.Prefix(*f.Mask)
	return err == nil && project.MayScanRange(n)
}
