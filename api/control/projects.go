package control

import (
	"context"
	"net"
	"net/netip"
	"strconv"
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

// CreateProject adds a project; id, version and time are set here. It returns the
// control-plane position from which everybody knows it.
func (c *Control) CreateProject(ctx context.Context, p pipeline.Project) (pipeline.Project, int64, error) {
	p.ID, p.Version, p.CreatedAt = pipeline.NewID(), 1, c.now().UTC()
	return c.saveProject(ctx, p)
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

// DeleteProject removes a project from the control plane. Its resources are the
// store's business.
func (c *Control) DeleteProject(ctx context.Context, id string) error {
	seq, err := c.store.Remove(ctx, record.ChangeProject, id)
	if err != nil {
		return err
	}
	_, err = c.published(ctx, seq)
	return err
}

// Limits on a project.
const (
	maxName      = 100
	maxNotes     = 64 << 10
	maxResolvers = 16
	maxInternal  = 256
)

func checkProject(p *pipeline.Project) error {
	p.Name = strings.TrimSpace(p.Name)
	switch {
	case p.Name == "" || len(p.Name) > maxName:
		return pipeline.Errorf(pipeline.CodeInvalid, "name: 1 to %d bytes are expected", maxName)
	case len(p.Notes) > maxNotes:
		return pipeline.Errorf(pipeline.CodeInvalid, "notes: at most %d bytes are allowed", maxNotes)
	case len(p.Resolvers) > maxResolvers:
		return pipeline.Errorf(pipeline.CodeInvalid, "resolvers: at most %d are allowed", maxResolvers)
	case len(p.Internal) > maxInternal:
		return pipeline.Errorf(pipeline.CodeInvalid, "internal: at most %d networks are allowed", maxInternal)
	}
	for i, r := range p.Resolvers {
		if !strings.Contains(r, ":") {
			r = net.JoinHostPort(r, "53")
		}
		host, port, err := net.SplitHostPort(r)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 1 || n > 65535 {
			return pipeline.Errorf(pipeline.CodeInvalid, "resolvers[%d]: %q is not address:port", i, p.Resolvers[i])
		}
		if _, err := netip.ParseAddr(host); err != nil {
			return pipeline.Errorf(pipeline.CodeInvalid, "resolvers[%d]: %q is no IP address", i, host)
		}
		p.Resolvers[i] = r
	}
	for i, n := range p.Internal {
		if !n.IsValid() {
			return pipeline.Errorf(pipeline.CodeInvalid, "internal[%d] is no network", i)
		}
		p.Internal[i] = n.Masked()
	}
	return nil
}
