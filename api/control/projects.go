package control

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Projects returns every project, by name.
func (c *Control) Projects(ctx context.Context) ([]pipeline.Project, error) {
	return list[pipeline.Project](ctx, c.store, record.ChangeProject)
}

// Project returns one project, or CodeNotFound.
func (c *Control) Project(ctx context.Context, id string) (pipeline.Project, error) {
	return get[pipeline.Project](ctx, c.store, record.ChangeProject, id)
}

// CreateProject adds a project; version and time are set here. p.ID may be set, so
// that creating it again finds it. It returns the
// control-plane position from which everybody knows it.
func (c *Control) CreateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error) {
	p.ID, p.Version, p.CreatedAt = newID(p.ID), 1, c.now().UTC()
	var position int64
	p, err := create(ctx, c, record.ChangeProject, p.ID, func() (out pipeline.Project, err error) {
		out, position, err = c.saveProject(ctx, p)
		return out, err
	})
	return p, position, err
}

// UpdateProject replaces what a person may change. p.Version is the version the
// change is based on; another one stored meanwhile is CodeConflict.
func (c *Control) UpdateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error) {
	p.Version++
	return c.saveProject(ctx, p)
}

func (c *Control) saveProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error) {
	if err := checkProject(&p); err != nil {
		return p, 0, err
	}
	e := Entity{Kind: record.ChangeProject, ID: p.ID, Name: p.Name, Version: p.Version}
	position, err := save(ctx, c, e, &p, record.Change{Kind: record.ChangeProject, ID: p.ID, Project: &p})
	return p, position, err
}

// DeleteProject removes a project, its subscriptions and its secrets from the control plane. Its resources are the
// store's business.
func (c *Control) DeleteProject(ctx context.Context, id string) error {
	subs, err := c.Subscriptions(ctx)
	if err != nil {
		return err
	}
	for _, s := range subs {
		if s.ProjectID != id {
			continue
		}
		if err := c.remove(ctx, record.ChangeSubscription, s.ID); err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
			return err
		}
	}
	secrets, err := c.Secrets(ctx)
	if err != nil {
		return err
	}
	for _, s := range secrets {
		if s.ProjectID != id {
			continue
		}
		if err := c.DeleteSecret(ctx, s.ID); err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
			return err
		}
	}
	return c.remove(ctx, record.ChangeProject, id)
}

// Limits on a project.
const (
	maxName      = 100
	maxNotes     = 64 << 10
	maxResolvers = 16
	maxInternal  = 256
)

func checkProject(p *pipeline.Project) error {
	var out Problems
	fail := func(path, format string, args ...any) {
		out = append(out, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	p.Name = strings.TrimSpace(p.Name)
	if p.Name == "" || len(p.Name) > maxName {
		fail("name", "must have 1 to %d bytes", maxName)
	}
	if len(p.Notes) > maxNotes {
		fail("notes", "may have at most %d bytes", maxNotes)
	}
	if len(p.Resolvers) > maxResolvers {
		fail("resolvers", "may have at most %d entries", maxResolvers)
	}
	if len(p.Internal) > maxInternal {
		fail("internal", "may have at most %d networks", maxInternal)
	}
	for i, r := range p.Resolvers {
		var err error
		if p.Resolvers[i], err = resolver(r); err != nil {
			fail(fmt.Sprintf("resolvers[%d]", i), "%s", err)
		}
	}
	for i, n := range p.Internal {
		if !n.IsValid() {
			fail(fmt.Sprintf("internal[%d]", i), "is no network")
		}
		p.Internal[i] = n.Masked()
	}
	for _, x := range p.Scope.Check() {
		fail(x.Path, "%s", x.Message)
	}
	if len(out) > 0 {
		return out
	}
	return nil
}

// resolver reads a DNS server, an address or address:port, as address:port.
func resolver(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 53).String(), nil
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil || a.Port() == 0 {
		return s, fmt.Errorf("%q is neither an IP address nor address:port", s)
	}
	return a.String(), nil
}
