package auth

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

const keyPrefix = "sk_"

// MaxKeyLife is how long an API key may live.
const MaxKeyLife = 366 * 24 * time.Hour

// CreateKey makes an API key of the caller's. The secret is returned once and kept
// as a hash only. A key never allows more than its maker may do then, and later
// never more than its owner may do at that time.
func (a *Auth) CreateKey(ctx context.Context, c *Caller, k Key) (Key, string, error) {
	now := a.now()
	k.Name = strings.TrimSpace(k.Name)
	switch {
	case c.ID == "operator":
		return k, "", pipeline.Errorf(pipeline.CodeForbidden, "the operator's token makes no keys: log in as a user")
	case c.Key != nil:
		return k, "", pipeline.Errorf(pipeline.CodeForbidden, "a key makes no keys: log in")
	case k.Name == "" || len(k.Name) > 100:
		return k, "", pipeline.Errorf(pipeline.CodeInvalid, "name: 1 to 100 bytes are expected")
	case !k.ExpiresAt.After(now) || k.ExpiresAt.After(now.Add(MaxKeyLife)):
		return k, "", pipeline.Errorf(pipeline.CodeInvalid, "expiresAt: a time within the next 366 days is expected")
	case len(k.Scopes) == 0:
		return k, "", pipeline.Errorf(pipeline.CodeInvalid, "scopes: at least one is expected")
	}
	if err := CheckScopes(k.Scopes); err != nil {
		return k, "", err
	}
	for _, s := range k.Scopes {
		if !c.mayGrant(s, k.Projects) {
			return k, "", pipeline.Errorf(pipeline.CodeForbidden, "scopes: you do not have %s yourself", s)
		}
	}
	k.ID, k.UserID, k.CreatedAt, k.ExpiresAt = pipeline.NewID(), c.ID, now, k.ExpiresAt.UTC()
	token := keyPrefix + rand.Text() + rand.Text()
	return k, token, a.store.CreateKey(ctx, hashToken(token), k)
}

// mayGrant reports whether the caller has a scope everywhere, or in each of the
// projects, or, when none are named, in some project.
func (c *Caller) mayGrant(scope string, projects []string) bool {
	if covers(c.Everywhere, scope) {
		return true
	}
	if len(projects) > 0 {
		return !slices.ContainsFunc(projects, func(p string) bool { return !covers(c.InProjects[p], scope) })
	}
	for _, scopes := range c.InProjects {
		if covers(scopes, scope) {
			return true
		}
	}
	return false
}

// Keys returns a user's keys, everybody's when userID is "".
func (a *Auth) Keys(ctx context.Context, userID string) ([]Key, error) {
	return a.store.Keys(ctx, userID)
}

// DeleteKey ends a key. Somebody else's takes manage:api-key:delete-all.
func (a *Auth) DeleteKey(ctx context.Context, c *Caller, id string) error {
	keys, err := a.store.Keys(ctx, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	if i < 0 || keys[i].UserID != c.ID && !c.May("manage:api-key:delete-all", "") {
		return pipeline.Errorf(pipeline.CodeNotFound, "you have no key with the id %s", id)
	}
	return a.store.DeleteKey(ctx, id)
}
