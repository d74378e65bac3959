package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// Groups returns every group, by name.
func (a *Auth) Groups(ctx context.Context) ([]Group, error) { return a.store.Groups(ctx) }

// Group returns one group, or CodeNotFound.
func (a *Auth) Group(ctx context.Context, id string) (Group, error) { return a.store.Group(ctx, id) }

// SaveGroup adds a group, when g.Version is 0, or replaces it. by must have every
// scope the group had and gets.
func (a *Auth) SaveGroup(ctx context.Context, by *Caller, g Group) (Group, error) {
	g.Name = strings.TrimSpace(g.Name)
	if g.Name == "" || len(g.Name) > 100 || len(g.Description) > 1000 {
		return g, pipeline.Errorf(pipeline.CodeInvalid, "name: 1 to 100 bytes are expected, and at most 1000 in the description")
	}
	if err := CheckScopes(g.Scopes); err != nil {
		return g, err
	}
	if g.Version > 0 {
		was, err := a.store.Group(ctx, g.ID)
		if err != nil {
			return g, err
		}
		if was.BuiltIn && (was.Name != g.Name || !slices.Equal(was.Scopes, g.Scopes)) {
			return g, pipeline.Errorf(pipeline.CodeForbidden, "name and scopes of a built-in group do not change")
		}
		if err := mayGive(by, was.Scopes); err != nil {
			return g, err
		}
	} else if g.ID == "" {
		g.ID = pipeline.NewID()
	}
	if err := mayGive(by, g.Scopes); err != nil {
		return g, err
	}
	g.Version++
	if g.Members == nil {
		g.Members = []string{}
	}
	return g, a.store.SaveGroup(ctx, g)
}

func mayGive(by *Caller, scopes []string) error {
	for _, s := range scopes {
		if !by.Holds([]string{s}) {
			return pipeline.Errorf(pipeline.CodeForbidden, "you do not have %s yourself, so you cannot give or take it", s)
		}
	}
	return nil
}

// DeleteGroup removes a group that is not built in.
func (a *Auth) DeleteGroup(ctx context.Context, by *Caller, g Group) error {
	if g.BuiltIn {
		return pipeline.Errorf(pipeline.CodeForbidden, "a built-in group cannot be deleted")
	}
	if err := mayGive(by, g.Scopes); err != nil {
		return err
	}
	return a.store.DeleteGroup(ctx, g.ID)
}

// SetMember puts a user into a group, or takes them out.
func (a *Auth) SetMember(ctx context.Context, by *Caller, groupID, userID string, member bool) error {
	g, err := a.store.Group(ctx, groupID)
	if err != nil {
		return err
	}
	if _, err := a.store.User(ctx, userID); err != nil {
		return err
	}
	if err := mayGive(by, g.Scopes); err != nil {
		return err
	}
	return a.store.SetMember(ctx, groupID, userID, member)
}

// Members returns who has a role in a project.
func (a *Auth) Members(ctx context.Context, projectID string) ([]Member, error) {
	return a.store.Members(ctx, projectID)
}

// SaveMember gives a user or a group a role in a project. by must have what the
// role may do.
func (a *Auth) SaveMember(ctx context.Context, by *Caller, m Member) error {
	if !slices.Contains(Roles(), m.Role) {
		return pipeline.Errorf(pipeline.CodeInvalid, "role: %q is none of viewer, editor, owner", m.Role)
	}
	var err error
	switch m.Kind {
	case "user":
		_, err = a.store.User(ctx, m.ID)
	case "group":
		_, err = a.store.Group(ctx, m.ID)
	default:
		err = pipeline.Errorf(pipeline.CodeInvalid, "kind: user or group is expected, not %q", m.Kind)
	}
	if err != nil {
		return err
	}
	if !by.HoldsIn(m.ProjectID, m.Role.Scopes()) {
		return pipeline.Errorf(pipeline.CodeForbidden, "you may not do what a project's %s may, so you cannot make one", m.Role)
	}
	return a.store.SaveMember(ctx, m)
}

// Own makes who created a project its owner, unless they may do everything there
// anyway.
func (a *Auth) Own(ctx context.Context, c *Caller, projectID string) error {
	if coversAll(c.Everywhere, RoleOwner.Scopes()) || c.ID == "operator" {
		return nil
	}
	return a.store.SaveMember(ctx, Member{ProjectID: projectID, Kind: "user", ID: c.ID, Role: RoleOwner})
}

// DeleteMember takes a role away.
func (a *Auth) DeleteMember(ctx context.Context, projectID, kind, id string) error {
	return a.store.DeleteMember(ctx, projectID, kind, id)
}

// Record appends to the audit log.
func (a *Auth) Record(ctx context.Context, e Event) error { return a.store.Append(ctx, e) }

// Events reads the audit log.
func (a *Auth) Events(ctx context.Context, q EventQuery) ([]Event, error) {
	return a.store.Events(ctx, q)
}
