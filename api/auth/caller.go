package auth

import (
	"maps"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Caller is who makes a request and what they may do. It is made anew for every
// request, so that what is taken from somebody is gone with their next.
type Caller struct {
	User
	Everywhere []string            // scopes in every project, and in none
	InProjects map[string][]string // scopes by project
	Session    *Session            // of a browser
	Key        *Key                // of a program; what it may do is within what its owner may
}

// NewCaller returns a caller without a credential of their own: who runs the server.
func operator() *Caller {
	return &Caller{User: User{ID: "operator", Name: "operator", Active: true}, Everywhere: []string{"*"}}
}

// May reports whether the caller may do what a scope names, such as
// resources:domains:read, in a project; "" asks for what belongs to no project.
func (c *Caller) May(scope, projectID string) bool {
	if c.Key != nil && !c.Key.allows(scope, projectID) {
		return false
	}
	return covers(c.Everywhere, scope) || projectID != "" && covers(c.InProjects[projectID], scope)
}

// Sees reports whether a project exists for the caller. For a key that is decided by
// where it works and what its owner may see, not by its scopes: a key for exports
// need not list projects.
func (c *Caller) Sees(projectID string) bool {
	if c.Key != nil && len(c.Key.Projects) > 0 && !slices.Contains(c.Key.Projects, projectID) {
		return false
	}
	const scope = "manage:projects:read"
	return covers(c.Everywhere, scope) || covers(c.InProjects[projectID], scope)
}

// Projects returns the projects in which the caller may do what a scope names;
// all is true when that is every project.
func (c *Caller) Projects(scope string) (ids []string, all bool) {
	limited := c.Key != nil && len(c.Key.Projects) > 0
	if covers(c.Everywhere, scope) && !limited {
		return nil, c.Key == nil || covers(c.Key.Scopes, scope)
	}
	candidates := slices.Sorted(maps.Keys(c.InProjects))
	if limited {
		candidates = c.Key.Projects
	}
	for _, id := range candidates {
		if c.May(scope, id) {
			ids = append(ids, id)
		}
	}
	return ids, false
}

// Holds reports whether the caller may do all that scopes name, everywhere. Nobody
// gives, or takes over, more than they have.
func (c *Caller) Holds(scopes []string) bool {
	return coversAll(c.Everywhere, scopes) && (c.Key == nil || len(c.Key.Projects) == 0 && coversAll(c.Key.Scopes, scopes))
}

// HoldsIn reports the same for one project.
func (c *Caller) HoldsIn(projectID string, scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !c.May(s, projectID) })
}

// Key is a credential for programs. Its scopes bound what its owner may do; its
// projects, when there are some, where.
type Key struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	UserID    string    `json:"userId"`
	Scopes    []string  `json:"scopes"`
	Projects  []string  `json:"projects,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	LastUsed  time.Time `json:"lastUsed,omitzero"`
}

func (k *Key) allows(scope, projectID string) bool {
	return covers(k.Scopes, scope) && (len(k.Projects) == 0 || slices.Contains(k.Projects, projectID))
}

// Session is a browser that is logged in.
type Session struct {
	ID        string    `json:"id"`
	UserID    string    `json:"-"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	LastSeen  time.Time `json:"lastSeen"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	Current   bool      `json:"current"`
}

// Group gives its members scopes in every project. External names the groups of
// the single sign-on whose people are members.
type Group struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Scopes      []string `json:"scopes"`
	External    []string `json:"external,omitempty"`
	BuiltIn     bool     `json:"builtIn,omitempty"`
	Members     []string `json:"members"`
	Version     int64    `json:"version"`
}

// Member is somebody's role in a project: a user's, or a whole group's.
type Member struct {
	ProjectID string `json:"projectId"`
	Kind      string `json:"kind"` // user, group
	ID        string `json:"id"`
	Role      Role   `json:"role"`
}

// The ids of the built-in groups.
var (
	AdminsID   = pipeline.DeriveID("group", "admins")
	UsersID    = pipeline.DeriveID("group", "users")
	ReadOnlyID = pipeline.DeriveID("group", "read-only")
)

// BuiltInGroups are there from the start. The first cannot be changed or deleted.
func BuiltInGroups() []Group {
	return []Group{
		{ID: AdminsID, Name: "admins", Description: "May do everything.", BuiltIn: true, Scopes: []string{"*"}, Version: 1},
		{ID: UsersID, Name: "users", Description: "Work in every project.", Version: 1, Scopes: []string{
			"manage:projects:*", "manage:tags:*", "manage:secrets:*", "manage:notifications:*", "manage:members:read", "manage:api-key:create", "manage:config:read",
			"resources:*", "automation:*", "data:*",
		}},
		{ID: ReadOnlyID, Name: "read-only", Description: "See every project and change nothing.", Version: 1, Scopes: []string{
			"manage:projects:read", "manage:tags:read", "manage:secrets:read", "manage:members:read", "manage:api-key:create", "manage:config:read",
			"resources:*:read", "automation:*:read", "data:*:read",
		}},
	}
}
