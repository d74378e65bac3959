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
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Active    bool      `json:"active"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	LastLogin time.Time `json:"lastLogin,omitzero"`
	Subject   string    `json:"-"` // at the single sign-on; "" for a local account
	Password  string    `json:"-"` // argon2id hash; "" when there is none
	TOTP      string    `json:"-"` // secret of the second factor; "" when there is none
	Failures  int       `json:"-"` // wrong passwords in a row
	Locked    time.Time `json:"-"` // until when
	Version   int64     `json:"version,omitempty"`
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
	address, err := emailAddress(email)
	if err != nil {
		return User{}, "", err
	}
	if err := CheckPassword(password, email, name); err != nil {
		return User{}, "", err
	}
	u := User{Active: true, Version: 1, CreatedAt: a.now(), ID: pipeline.NewID(), Email: address, Name: strings.TrimSpace(name), Password: hashPassword(password)}
	if err := a.store.CreateFirstUser(ctx, u); err != nil {
		return User{}, "", err
	}
	token, err := a.session(ctx, u, from, "")
	return u, token, err
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

// emailAddress is an e-mail address in the form in which accounts are compared.
func emailAddress(s string) (string, error) {
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != strings.TrimSpace(s) || len(s) > 320 {
		return "", pipeline.Errorf(pipeline.CodeInvalid, "email: %q is no address", s)
	}
	return strings.ToLower(addr.Address), nil
}

func tooMany() error {
	return pipeline.Errorf(pipeline.CodeBusy, "too many attempts: wait a little")
}

func hashToken(t string) string { h := sha256.Sum256([]byte(t)); return hex.EncodeToString(h[:]) }

var errFormat = errors.New("password hash is not readable")
