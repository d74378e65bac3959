package auth

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Users returns everybody, by e-mail address.
func (a *Auth) Users(ctx context.Context) ([]User, error) { return a.store.Users(ctx) }

// User returns one user, or CodeNotFound.
func (a *Auth) User(ctx context.Context, id string) (User, error) { return a.store.User(ctx, id) }

// CreateUser adds a user, without a password: they set one through a link.
func (a *Auth) CreateUser(ctx context.Context, u User) (User, error) {
	var err error
	if u.Email, err = emailAddress(u.Email); err != nil {
		return u, err
	}
	if u.Name, err = personName(u.Name); err != nil {
		return u, err
	}
	if u.ID == "" {
		u.ID = pipeline.NewID()
	}
	u.Version, u.CreatedAt = 1, a.now()
	return u, a.store.CreateUser(ctx, u)
}

func personName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 100 {
		return s, pipeline.Errorf(pipeline.CodeInvalid, "name: at most 100 bytes are allowed")
	}
	return s, nil
}

// UpdateUser changes a user's address, name, or whether they may log in. by must
// have all that the user has. Deactivating ends their sessions.
func (a *Auth) UpdateUser(ctx context.Context, by *Caller, u User) (User, error) {
	if err := a.above(ctx, by, u.ID); err != nil {
		return u, err
	}
	var err error
	if u.Email, err = emailAddress(u.Email); err != nil {
		return u, err
	}
	if u.Name, err = personName(u.Name); err != nil {
		return u, err
	}
	u.Version++
	if err := a.store.UpdateUser(ctx, u); err != nil {
		return u, err
	}
	if !u.Active {
		return u, a.store.DeleteSessions(ctx, u.ID, "")
	}
	return u, nil
}

// above makes sure that nobody takes over an account that may do more than they.
func (a *Auth) above(ctx context.Context, by *Caller, userID string) error {
	if by.ID == userID && by.Key == nil {
		return nil
	}
	c, err := a.CallerOf(ctx, userID)
	if err != nil {
		return err
	}
	if !by.Holds(c.Everywhere) {
		return pipeline.Errorf(pipeline.CodeForbidden, "that account may do more than yours")
	}
	for id, scopes := range c.InProjects {
		if !by.HoldsIn(id, scopes) {
			return pipeline.Errorf(pipeline.CodeForbidden, "that account may do more than yours")
		}
	}
	return nil
}

// DeleteUser removes a user with their sessions, keys and memberships.
func (a *Auth) DeleteUser(ctx context.Context, by *Caller, id string) error {
	if err := a.above(ctx, by, id); err != nil {
		return err
	}
	return a.store.DeleteUser(ctx, id)
}

// SetName changes the caller's own name.
func (a *Auth) SetName(ctx context.Context, c *Caller, name string) (User, error) {
	u, err := a.store.User(ctx, c.ID)
	if err != nil {
		return u, err
	}
	u.Name = name
	return a.UpdateUser(ctx, &Caller{User: u}, u)
}

// SetPassword changes the caller's own password, given the present one. Their
// other sessions end.
func (a *Auth) SetPassword(ctx context.Context, c *Caller, present, next string) error {
	if c.Session == nil {
		return pipeline.Errorf(pipeline.CodeForbidden, "a password is changed by who is logged in with it")
	}
	u, err := a.verify(ctx, c, present)
	if err != nil {
		return err
	}
	if err := CheckPassword(next, u.Email, u.Name); err != nil {
		return err
	}
	u.Password, u.Version = hashPassword(next), u.Version+1
	if err := a.store.UpdateUser(ctx, u); err != nil {
		return err
	}
	return a.store.DeleteSessions(ctx, u.ID, c.Session.ID)
}

// verify checks the caller's password again, before something that matters.
func (a *Auth) verify(ctx context.Context, c *Caller, password string) (User, error) {
	if !a.allow("account/"+c.Email, 5*time.Second, maxFailures) {
		return User{}, tooMany()
	}
	u, err := a.store.User(ctx, c.ID)
	if err != nil {
		return u, err
	}
	if u.Password == "" || !checkPassword(u.Password, password) {
		return u, pipeline.Errorf(pipeline.CodeForbidden, "the present password is wrong")
	}
	return u, nil
}

// LinkLife is how long a link to set a password works.
const LinkLife = time.Hour

// MakeLink returns the secret of a link with which the user sets a password, once.
// by must have all that the user has.
func (a *Auth) MakeLink(ctx context.Context, by *Caller, userID string) (string, error) {
	if err := a.above(ctx, by, userID); err != nil {
		return "", err
	}
	return a.link(ctx, userID)
}

func (a *Auth) link(ctx context.Context, userID string) (string, error) {
	secret := rand.Text() + rand.Text()
	return secret, a.store.CreateLink(ctx, hashToken(secret), userID, a.now().Add(LinkLife))
}

// UseLink sets a password by a link. The link, every session and the lock of the
// account end; a second factor stays.
func (a *Auth) UseLink(ctx context.Context, from, secret, password string) (User, error) {
	if !a.allow("link/"+from, time.Second, 10) {
		return User{}, tooMany()
	}
	if err := CheckPassword(password, "", ""); err != nil {
		return User{}, err // before the link is spent
	}
	id, err := a.store.TakeLink(ctx, hashToken(secret), a.now())
	if err != nil {
		return User{}, err
	}
	u, err := a.store.User(ctx, id)
	if err != nil {
		return u, err
	}
	u.Password, u.Version = hashPassword(password), u.Version+1
	if err := a.store.UpdateUser(ctx, u); err != nil {
		return u, err
	}
	if err := a.store.SetLogin(ctx, u.ID, 0, time.Time{}, time.Time{}); err != nil {
		return u, err
	}
	return u, a.store.DeleteSessions(ctx, u.ID, "")
}

// Sessions returns a user's sessions, the caller's own marked.
func (a *Auth) Sessions(ctx context.Context, c *Caller, userID string) ([]Session, error) {
	list, err := a.store.Sessions(ctx, userID, a.now())
	for i := range list {
		list[i].Current = c.Session != nil && c.Session.ID == list[i].ID
	}
	return list, err
}

// EndSession ends one session of a user.
func (a *Auth) EndSession(ctx context.Context, userID, id string) error {
	return a.store.DeleteSession(ctx, userID, id)
}

// EndSessions ends all sessions of a user but one.
func (a *Auth) EndSessions(ctx context.Context, userID, exceptID string) error {
	return a.store.DeleteSessions(ctx, userID, exceptID)
}
