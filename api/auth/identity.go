package auth

import (
	"context"
	"slices"

	"github.com/stalker-asm/stalker/pipeline"
)

// Identity is who the single sign-on says somebody is.
type Identity struct {
	Subject string // names the person at the provider, forever
	Email   string
	Name    string
	Groups  []string
	Link    bool // the account with the e-mail address is theirs, when it has no other subject
}

// LoginAs makes a session for somebody whom the single sign-on knows, and an account
// when it is their first. Groups that name groups of the provider get and lose them as
// the provider says; a second factor is the provider's business.
func (a *Auth) LoginAs(ctx context.Context, who Identity, from, agent string) (User, string, error) {
	u, err := a.store.UserBySubject(ctx, who.Subject)
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		u, err = a.welcome(ctx, who)
	}
	if err != nil {
		return u, "", err
	}
	if !u.Active {
		return u, "", pipeline.Errorf(pipeline.CodeForbidden, "the account %s is deactivated", u.Email)
	}
	if err := a.followGroups(ctx, u.ID, who.Groups); err != nil {
		return u, "", err
	}
	token, err := a.session(ctx, u, from, agent)
	return u, token, err
}

// welcome finds or makes the account of somebody who comes for the first time.
func (a *Auth) welcome(ctx context.Context, who Identity) (User, error) {
	email, err := emailAddress(who.Email)
	if err != nil {
		return User{}, pipeline.Errorf(pipeline.CodeForbidden, "single sign-on: the provider names no e-mail address of yours")
	}
	if needed, err := a.NeedsSetup(ctx); err != nil || needed {
		if err == nil {
			err = pipeline.Errorf(pipeline.CodeForbidden, "the first user is created with the code that the server printed")
		}
		return User{}, err
	}
	u, err := a.store.UserByEmail(ctx, email)
	switch {
	case err == nil && (!who.Link || u.Subject != ""):
		return u, pipeline.Errorf(pipeline.CodeConflict, "an account with the e-mail address %s exists already, and is not that of the single sign-on: sso.linkByEmail", email)
	case err == nil:
		u.Subject, u.Version = who.Subject, u.Version+1
		return u, a.store.UpdateUser(ctx, u)
	case pipeline.CodeOf(err) != pipeline.CodeNotFound:
		return u, err
	}
	name, err := personName(pipeline.Head(who.Name, 100))
	if err != nil {
		return User{}, err
	}
	u = User{ID: pipeline.NewID(), Email: email, Name: name, Active: true, Subject: who.Subject, Version: 1, CreatedAt: a.now()}
	return u, a.store.CreateUser(ctx, u)
}

// followGroups puts somebody into the groups that name one of theirs, and takes them
// out of the others that name any. The last who may do everything stays.
func (a *Auth) followGroups(ctx context.Context, userID string, theirs []string) error {
	groups, err := a.store.Groups(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if len(g.External) == 0 {
			continue
		}
		in := slices.ContainsFunc(g.External, func(x string) bool { return slices.Contains(theirs, x) })
		if in == slices.Contains(g.Members, userID) {
			continue
		}
		if err := a.store.SetMember(ctx, g.ID, userID, in); err != nil && (in || pipeline.CodeOf(err) != pipeline.CodeConflict) {
			return err
		}
	}
	return nil
}
