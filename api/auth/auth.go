// Package auth says who a request comes from: a person with a session, or the
// operator's command line with the server's own token. It creates the first user
// from a one-time code that only who started the server can see.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/mail"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/stalker-asm/stalker/pipeline"
)

// User is a person who may log in.
type User struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Password string `json:"-"` // argon2id hash
}

// Store keeps users and sessions; sessions by the hash of their token.
type Store interface {
	HasUsers(ctx context.Context) (bool, error)
	CreateFirstUser(ctx context.Context, u User) error
	UserByEmail(ctx context.Context, email string) (User, error)
	UserBySession(ctx context.Context, hash string, now time.Time) (User, error)
	CreateSession(ctx context.Context, hash, userID string, expires time.Time) error
	DeleteSession(ctx context.Context, hash string) error
}

// SessionLife is how long a session lasts.
const SessionLife = 7 * 24 * time.Hour

// MinPassword is the least length of a password, in bytes.
const MinPassword = 12

// Auth checks credentials.
type Auth struct {
	store  Store
	local  [32]byte // hash of the operator's token
	token  string
	code   string
	now    func() time.Time
	mu     sync.Mutex
	limits map[string]*limit // by account and by address
}

type limit struct {
	*rate.Limiter
	used time.Time
}

// New makes the operator's token and the setup code; both live as long as the
// process.
func New(store Store) *Auth {
	a := &Auth{store: store, token: "st_" + rand.Text(), code: rand.Text()[:12], now: time.Now, limits: map[string]*limit{}}
	a.local = sha256.Sum256([]byte(a.token))
	return a
}

// LocalToken is the operator's credential; the app writes it where only the
// operator can read it.
func (a *Auth) LocalToken() string { return a.token }

// SetupCode is what creating the first user takes; the server prints it.
func (a *Auth) SetupCode() string { return a.code }

// NeedsSetup reports whether nobody can log in yet.
func (a *Auth) NeedsSetup(ctx context.Context) (bool, error) {
	has, err := a.store.HasUsers(ctx)
	return !has, err
}

// Setup creates the first user and logs them in.
func (a *Auth) Setup(ctx context.Context, from, code, email, name, password string) (User, string, error) {
	if !a.allow("setup/"+from, time.Second, 5) {
		return User{}, "", tooMany()
	}
	if subtle.ConstantTimeCompare([]byte(strings.ToUpper(strings.TrimSpace(code))), []byte(a.code)) != 1 {
		return User{}, "", pipeline.Errorf(pipeline.CodeForbidden, "the setup code is wrong: the server printed it when it started")
	}
	addr, err := mail.ParseAddress(email)
	if err != nil || addr.Address != strings.TrimSpace(email) {
		return User{}, "", pipeline.Errorf(pipeline.CodeInvalid, "email: %q is no address", email)
	}
	if len(password) < MinPassword || len(password) > 1024 {
		return User{}, "", pipeline.Errorf(pipeline.CodeInvalid, "password: at least %d characters are needed", MinPassword)
	}
	u := User{ID: pipeline.NewID(), Email: strings.ToLower(addr.Address), Name: strings.TrimSpace(name), Password: hashPassword(password)}
	if err := a.store.CreateFirstUser(ctx, u); err != nil {
		return User{}, "", err
	}
	token, err := a.session(ctx, u)
	return u, token, err
}

// Login checks a password and makes a session. A wrong account and a wrong
// password take equally long and say the same.
func (a *Auth) Login(ctx context.Context, from, email, password string) (User, string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if !a.allow("address/"+from, time.Second, 10) || !a.allow("account/"+email, 5*time.Second, 10) {
		return User{}, "", tooMany()
	}
	u, err := a.store.UserByEmail(ctx, email)
	if err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
		return User{}, "", err
	}
	known := err == nil
	if !known {
		u.Password = decoy
	}
	if !checkPassword(u.Password, password) || !known {
		return User{}, "", pipeline.Errorf(pipeline.CodeUnauthorized, "the e-mail address or the password is wrong")
	}
	token, err := a.session(ctx, u)
	return u, token, err
}

// Logout ends a session.
func (a *Auth) Logout(ctx context.Context, token string) error {
	return a.store.DeleteSession(ctx, hashToken(token))
}

func (a *Auth) session(ctx context.Context, u User) (string, error) {
	token := rand.Text() + rand.Text()
	return token, a.store.CreateSession(ctx, hashToken(token), u.ID, a.now().Add(SessionLife))
}

// BySession returns whose session a cookie is, or CodeUnauthorized.
func (a *Auth) BySession(ctx context.Context, token string) (User, error) {
	u, err := a.store.UserBySession(ctx, hashToken(token), a.now())
	if pipeline.CodeOf(err) == pipeline.CodeNotFound {
		return User{}, pipeline.Errorf(pipeline.CodeUnauthorized, "the session has ended: log in again")
	}
	return u, err
}

// ByToken accepts the operator's token.
func (a *Auth) ByToken(token string) (User, error) {
	got := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(got[:], a.local[:]) != 1 {
		return User{}, pipeline.Errorf(pipeline.CodeUnauthorized, "the token is not valid")
	}
	return User{ID: "operator", Name: "operator"}, nil
}

// allow is one event per pace with bursts, by name; names nobody used for an hour
// are forgotten.
func (a *Auth) allow(name string, pace time.Duration, burst int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.limits) > 10_000 {
		for k, l := range a.limits {
			if now.Sub(l.used) > time.Hour || len(a.limits) > 50_000 {
				delete(a.limits, k)
			}
		}
	}
	l := a.limits[name]
	if l == nil {
		l = &limit{Limiter: rate.NewLimiter(rate.Every(pace), burst)}
		a.limits[name] = l
	}
	l.used = now
	return l.AllowN(now, 1)
}

func tooMany() error {
	return pipeline.Errorf(pipeline.CodeBusy, "too many attempts: wait a little")
}

func hashToken(t string) string { h := sha256.Sum256([]byte(t)); return hex.EncodeToString(h[:]) }

var errFormat = errors.New("password hash is not readable")
