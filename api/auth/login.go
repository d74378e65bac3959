package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// After maxFailures wrong passwords in a row an account takes none for lockFor.
// Who runs the server, and a link an admin makes, get in all the same.
const (
	maxFailures = 10
	lockFor     = 15 * time.Minute
)

// seenEvery is how exactly the last use of a session or key is kept.
const seenEvery = time.Minute

// Credentials are what a person types.
type Credentials struct {
	Email, Password, Code string // Code is of the second factor
	From, Agent           string
}

// errCode is how a client learns that a second factor is wanted.
var errCode = pipeline.Errorf(pipeline.CodeUnauthorized, "a code of the second factor is needed")

// NeedsCode reports whether a login failed only for want of the second factor's
// code.
func NeedsCode(err error) bool { return err == errCode } //nolint:errorlint // this very value

// Login checks a password, and the code when there is a second factor, and makes a
// session. A wrong account and a wrong password take equally long and say the same.
func (a *Auth) Login(ctx context.Context, c Credentials) (User, string, error) {
	email := strings.ToLower(strings.TrimSpace(c.Email))
	if !a.allow("address/"+c.From, time.Second, 10) || !a.allow("account/"+email, 5*time.Second, maxFailures) {
		return User{}, "", tooMany()
	}
	u, err := a.store.UserByEmail(ctx, email)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return User{}, "", err
	}
	known := err == nil && u.Password != ""
	hash := u.Password
	if !known {
		hash = decoy
	}
	right := checkPassword(hash, c.Password) && known
	if known && a.now().Before(u.Locked) {
		return User{}, "", tooMany()
	}
	if !right || !u.Active {
		return User{}, "", a.failed(ctx, u)
	}
	if u.TOTP != "" {
		if c.Code == "" {
			return User{}, "", errCode
		}
		ok, err := a.checkCode(ctx, u, c.Code)
		if err != nil {
			return User{}, "", err
		}
		if !ok {
			return User{}, "", a.failed(ctx, u)
		}
	}
	token, err := a.session(ctx, u, c.From, c.Agent)
	return u, token, err
}

// failed counts a wrong attempt on an account that exists, and says what is said
// of every wrong attempt.
func (a *Auth) failed(ctx context.Context, u User) error {
	if u.ID != "" && u.Active {
		failures, locked := u.Failures+1, time.Time{}
		if failures >= maxFailures {
			failures, locked = 0, a.now().Add(lockFor)
		}
		if err := a.store.SetLogin(ctx, u.ID, failures, locked, time.Time{}); err != nil {
			return err
		}
	}
	return pipeline.Errorf(pipeline.CodeUnauthorized, "the e-mail address, the password or the code is wrong")
}

// session logs a user in: a new token every time, whatever the browser had before.
func (a *Auth) session(ctx context.Context, u User, from, agent string) (string, error) {
	now := a.now()
	if err := a.store.SetLogin(ctx, u.ID, 0, time.Time{}, now); err != nil {
		return "", err
	}
	token := rand.Text() + rand.Text()
	return token, a.store.CreateSession(ctx, hashToken(token), Session{
		ID: pipeline.NewID(), UserID: u.ID, CreatedAt: now, ExpiresAt: now.Add(SessionLife), LastSeen: now,
		Address: from, Agent: pipeline.Head(agent, 300),
	})
}

// BySession returns whose session a cookie is, or CodeUnauthorized.
func (a *Auth) BySession(ctx context.Context, token string) (*Caller, error) {
	s, u, err := a.store.SessionByHash(ctx, hashToken(token), a.now())
	if pipeline.CodeOf(err) == pipeline.CodeNotFound || err == nil && !u.Active {
		return nil, pipeline.Errorf(pipeline.CodeUnauthorized, "the session has ended: log in again")
	}
	if err != nil {
		return nil, err
	}
	if now := a.now(); now.Sub(s.LastSeen) > seenEvery {
		if err := a.store.SeenSession(ctx, s.ID, now); err != nil {
			return nil, err
		}
	}
	c, err := a.caller(ctx, u)
	if err != nil {
		return nil, err
	}
	c.Session = &s
	return c, nil
}

// ByToken accepts an API key, or the operator's token.
func (a *Auth) ByToken(ctx context.Context, token string) (*Caller, error) {
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(got[:], a.local[:]) == 1 {
		return operator(), nil
	}
	invalid := pipeline.Errorf(pipeline.CodeUnauthorized, "the token is not valid")
	if !strings.HasPrefix(token, keyPrefix) {
		return nil, invalid
	}
	k, u, err := a.store.KeyByHash(ctx, hashToken(token), a.now())
	if pipeline.CodeOf(err) == pipeline.CodeNotFound || err == nil && !u.Active {
		return nil, invalid
	}
	if err != nil {
		return nil, err
	}
	if now := a.now(); now.Sub(k.LastUsed) > seenEvery {
		if err := a.store.UsedKey(ctx, k.ID, now); err != nil {
			return nil, err
		}
	}
	c, err := a.caller(ctx, u)
	if err != nil {
		return nil, err
	}
	c.Key = &k
	return c, nil
}

// caller gathers what a user may do.
func (a *Auth) caller(ctx context.Context, u User) (*Caller, error) {
	c := &Caller{User: u, InProjects: map[string][]string{}}
	groups, err := a.store.GroupsOf(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, g := range groups {
		c.Everywhere = append(c.Everywhere, g.Scopes...)
		ids = append(ids, g.ID)
	}
	members, err := a.store.MembersOf(ctx, u.ID, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		c.InProjects[m.ProjectID] = append(c.InProjects[m.ProjectID], m.Role.Scopes()...)
	}
	if len(members) > 0 {
		c.Everywhere = append(c.Everywhere, commonScopes...)
	}
	return c, nil
}

// CallerOf returns what a user may do, as they would be if they made a request.
func (a *Auth) CallerOf(ctx context.Context, userID string) (*Caller, error) {
	u, err := a.store.User(ctx, userID)
	if err != nil {
		return nil, err
	}
	return a.caller(ctx, u)
}
