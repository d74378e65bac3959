package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

const groupColumns = `g.id, g.name, g.description, g.scopes, g.external, g.built_in, g.version`

func scanGroup(r scanner, g *auth.Group) error {
	var scopes, external string
	if err := r.Scan(&g.ID, &g.Name, &g.Description, &scopes, &external, &g.BuiltIn, &g.Version); err != nil {
		return err
	}
	g.Members = []string{}
	if err := json.Unmarshal([]byte(scopes), &g.Scopes); err != nil {
		return err
	}
	return json.Unmarshal([]byte(external), &g.External)
}

// Groups returns every group with its members, by name.
func (s *Store) Groups(ctx context.Context) ([]auth.Group, error) {
	return s.groups(ctx, `SELECT `+groupColumns+` FROM user_groups g ORDER BY g.name`)
}

// GroupsOf returns the groups of a user.
func (s *Store) GroupsOf(ctx context.Context, userID string) ([]auth.Group, error) {
	list, err := all(ctx, s.handle, scanGroup, `SELECT `+groupColumns+` FROM user_groups g JOIN group_members m ON m.group_id = g.id WHERE m.user_id = ? ORDER BY g.name`, userID)
	if err != nil {
		return nil, fmt.Errorf("listing groups: %w", err)
	}
	return list, nil
}

// Group returns a group with its members, or CodeNotFound.
func (s *Store) Group(ctx context.Context, id string) (auth.Group, error) {
	list, err := s.groups(ctx, `SELECT `+groupColumns+` FROM user_groups g WHERE g.id = ?`, id)
	if err != nil {
		return auth.Group{}, err
	}
	if len(list) == 0 {
		return auth.Group{}, pipeline.Errorf(pipeline.CodeNotFound, "no such group")
	}
	return list[0], nil
}

func (s *Store) groups(ctx context.Context, query string, args ...any) ([]auth.Group, error) {
	list, err := all(ctx, s.handle, scanGroup, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing groups: %w", err)
	}
	by := map[string]*auth.Group{}
	for i := range list {
		by[list[i].ID] = &list[i]
	}
	type pair struct{ group, user string }
	pairs, err := all(ctx, s.handle, func(r scanner, p *pair) error { return r.Scan(&p.group, &p.user) },
		`SELECT group_id, user_id FROM group_members ORDER BY group_id, user_id`)
	if err != nil {
		return nil, fmt.Errorf("listing members: %w", err)
	}
	for _, p := range pairs {
		if g := by[p.group]; g != nil {
			g.Members = append(g.Members, p.user)
		}
	}
	return list, nil
}

func (h handle) insertGroup(ctx context.Context, g auth.Group) error {
	_, err := h.exec(ctx, `INSERT INTO user_groups (id, name, description, scopes, external, built_in, version) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		g.ID, g.Name, g.Description, texts(g.Scopes), texts(g.External), g.BuiltIn, g.Version)
	return err
}

// SaveGroup adds a group with version 1, or replaces the one with the version before.
func (s *Store) SaveGroup(ctx context.Context, g auth.Group) error {
	n := int64(1)
	var err error
	if g.Version == 1 {
		err = s.insertGroup(ctx, g)
	} else {
		n, err = s.exec(ctx, `UPDATE user_groups SET name = ?, description = ?, scopes = ?, external = ?, version = ? WHERE id = ? AND version = ?`,
			g.Name, g.Description, texts(g.Scopes), texts(g.External), g.Version, g.ID, g.Version-1)
	}
	switch {
	case unique(err):
		return pipeline.Errorf(pipeline.CodeConflict, "a group named %q exists already", g.Name)
	case err != nil:
		return fmt.Errorf("saving group: %w", err)
	case n == 0:
		return pipeline.Errorf(pipeline.CodeConflict, "the group was changed meanwhile: read it again")
	default:
		return nil
	}
}

// DeleteGroup removes a group and its roles.
func (s *Store) DeleteGroup(ctx context.Context, id string) error {
	return s.tx(ctx, func(tx handle) error {
		if _, err := tx.exec(ctx, `DELETE FROM user_groups WHERE id = ?`, id); err != nil {
			return fmt.Errorf("deleting group: %w", err)
		}
		if _, err := tx.exec(ctx, `DELETE FROM project_members WHERE kind = 'group' AND id = ?`, id); err != nil {
			return fmt.Errorf("deleting roles: %w", err)
		}
		return nil
	})
}

// SetMember puts a user into a group or takes them out. Taking out the last who may
// do everything is CodeConflict.
func (s *Store) SetMember(ctx context.Context, groupID, userID string, member bool) error {
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockAccess); err != nil {
			return err
		}
		query := `DELETE FROM group_members WHERE group_id = ? AND user_id = ?`
		if member {
			query = `INSERT INTO group_members (group_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING`
		}
		if _, err := tx.exec(ctx, query, groupID, userID); err != nil {
			return fmt.Errorf("saving membership: %w", err)
		}
		return tx.someAdmin(ctx)
	})
}

func scanMember(r scanner, m *auth.Member) error {
	return r.Scan(&m.ProjectID, &m.Kind, &m.ID, &m.Role)
}

// Members returns who has a role in a project.
func (s *Store) Members(ctx context.Context, projectID string) ([]auth.Member, error) {
	list, err := all(ctx, s.handle, scanMember, `SELECT project_id, kind, id, role FROM project_members WHERE project_id = ? ORDER BY kind, id`, projectID)
	if err != nil {
		return nil, fmt.Errorf("listing roles: %w", err)
	}
	return list, nil
}

// MembersOf returns the roles that a user has, alone or through groups.
func (s *Store) MembersOf(ctx context.Context, userID string, groupIDs []string) ([]auth.Member, error) {
	where, args := `kind = 'user' AND id = ?`, []any{userID}
	if len(groupIDs) > 0 {
		where += ` OR kind = 'group' AND id IN (?` + strings.Repeat(`, ?`, len(groupIDs)-1) + `)`
		for _, g := range groupIDs {
			args = append(args, g)
		}
	}
	list, err := all(ctx, s.handle, scanMember, `SELECT project_id, kind, id, role FROM project_members WHERE `+where+` ORDER BY project_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("listing roles: %w", err)
	}
	return list, nil
}

// SaveMember gives a role, in place of the one before.
func (s *Store) SaveMember(ctx context.Context, m auth.Member) error {
	_, err := s.exec(ctx, `INSERT INTO project_members (project_id, kind, id, role) VALUES (?, ?, ?, ?)
		ON CONFLICT (project_id, kind, id) DO UPDATE SET role = excluded.role`, m.ProjectID, m.Kind, m.ID, m.Role)
	if err != nil {
		return fmt.Errorf("saving role: %w", err)
	}
	return nil
}

// DeleteMember takes a role away, or is CodeNotFound.
func (s *Store) DeleteMember(ctx context.Context, projectID, kind, id string) error {
	n, err := s.exec(ctx, `DELETE FROM project_members WHERE project_id = ? AND kind = ? AND id = ?`, projectID, kind, id)
	if err != nil {
		return fmt.Errorf("deleting role: %w", err)
	}
	if n == 0 {
		return pipeline.Errorf(pipeline.CodeNotFound, "the %s has no role in the project", kind)
	}
	return nil
}

// ensureGroups makes the built-in groups where there are none. Who could log in
// before there were groups could do everything, and still can.
func (s *Store) ensureGroups(ctx context.Context) error {
	return s.tx(ctx, func(tx handle) error {
		if err := tx.lock(ctx, lockAccess); err != nil {
			return err
		}
		var n int
		if err := tx.row(ctx, `SELECT count(*) FROM user_groups`).Scan(&n); err != nil || n > 0 {
			return err
		}
		for _, g := range auth.BuiltInGroups() {
			if err := tx.insertGroup(ctx, g); err != nil {
				return err
			}
		}
		_, err := tx.exec(ctx, `INSERT INTO group_members (group_id, user_id) SELECT CAST(? AS TEXT), id FROM users`, auth.AdminsID)
		return err
	})
}
