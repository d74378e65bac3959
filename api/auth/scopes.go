package auth

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stalker-asm/stalker/pipeline"
)

// A scope names what may be done: area:resource:action. A star stands for anything
// in its place, and at the end for everything that follows: resources:*:read,
// data:*, *.
var scopeForm = regexp.MustCompile(`^(\*|(manage|resources|automation|data)(:(\*|[a-z][a-z-]*)){1,2})$`)

// CheckScopes reports the first scope that is none.
func CheckScopes(scopes []string) error {
	for _, s := range scopes {
		if !scopeForm.MatchString(s) {
			return pipeline.Errorf(pipeline.CodeInvalid, "scope %q is none: write area:resource:action, such as resources:domains:read or data:*; areas are manage, resources, automation, data", s)
		}
	}
	return nil
}

// covers reports whether what is granted includes what is wanted, which may have
// stars too.
func covers(granted []string, want string) bool {
	return slices.ContainsFunc(granted, func(g string) bool { return coversOne(g, want) })
}

func coversOne(granted, want string) bool {
	g, w := strings.Split(granted, ":"), strings.Split(want, ":")
	for i, part := range g {
		switch {
		case part == "*" && i == len(g)-1:
			return true
		case i >= len(w):
			return false
		case part != "*" && part != w[i]:
			return false
		}
	}
	return len(g) == len(w)
}

// coversAll reports whether granted includes every one of want.
func coversAll(granted, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !covers(granted, w) })
}

// Role is what somebody may do in one project.
type Role string

// The roles, each with what the one before has.
const (
	RoleViewer Role = "viewer" // sees everything
	RoleEditor Role = "editor" // changes resources, subscriptions and tags, and launches jobs
	RoleOwner  Role = "owner"  // changes the project, its members and its secrets, and may delete it
)

// Roles lists the roles, the weakest first.
func Roles() []Role { return []Role{RoleViewer, RoleEditor, RoleOwner} }

var roleScopes = map[Role][]string{
	RoleViewer: {
		"manage:projects:read", "manage:tags:read", "manage:secrets:read", "manage:members:read",
		"resources:*:read", "data:*:read", "automation:*:read",
	},
	RoleEditor: {"resources:*", "data:*", "automation:job-executions:*", "automation:subscriptions:*", "manage:tags:*"},
	RoleOwner:  {"manage:projects:update", "manage:projects:delete", "manage:secrets:*", "manage:members:*", "manage:notifications:*", "automation:*"},
}

// commonScopes are of no project, and what everybody with a role in one needs.
var commonScopes = []string{"manage:api-key:create", "automation:custom-jobs:read", "automation:job-templates:read", "automation:job-containers:read", "automation:pod-sizes:read", "data:tables:read"}

// Scopes returns what a role may do.
func (r Role) Scopes() []string {
	var out []string
	for _, x := range Roles() {
		out = append(out, roleScopes[x]...)
		if x == r {
			return out
		}
	}
	return nil
}
