// Package auth says who a request comes from: a person with a session, or the
// operator's command line with the server's own token. It creates the first user
// from a one-time code that only who started the server can see.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
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
	code   string // of the first user; "" until somebody asks for it
	now    func() time.Time
	mu     sync.Mutex
	limits map[string]*limit // by account and by address
}

type limit struct {
	*rate.Limiter
	used time.Time
}

// SetupLife is how long the code for creating the first user works.
const SetupLife = 7 * 24 * time.Hour

// New makes the operator's token, which lives as long as the process.
func New(store Store) *Auth {
	a := &Auth{store: store, token: "st_" + rand.Text(), now: time.Now, limits: map[string]*limit{}}
	a.local = sha256.Sum256([]byte(a.token))
	return a
}

// LocalToken is the operator's credential; the app writes it where only the
// operator can read it.
func (a *Auth) LocalToken() string { return a.token }

// SetupCode returns what creating the first user takes, "" when there is one; the
// server prints it. Every process with the same store has a code of its own, and each
// takes the codes of all: the store keeps their hashes.
func (a *Auth) SetupCode(ctx context.Context) (string, error) {
	if needed, err := a.NeedsSetup(ctx); err != nil || !needed {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.code != "" {
		return a.code, nil
	}
	code, now := rand.Text()[:12], a.now()
	if err := a.store.AddSetupCode(ctx, hashToken(code), now, now.Add(SetupLife)); err != nil {
		return "", err
	}
	a.code = code
	return code, nil
}

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
	hash := hashToken(strings.ToUpper(strings.TrimSpace(code)))
	if err := a.store.CheckSetupCode(ctx, hash, a.now()); err != nil {
		return User{}, "", err
	}
	address, err := emailAddress(email)
	if err != nil {
		return User{}, "", err
	}
	if err := CheckPassword(password, email, name); err != nil {
		return User{}, "", err
	}
	u := User{Active: true, Version: 1, CreatedAt: a.now(), ID: pipeline.NewID(), Email: address, Name: strings.TrimSpace(name), Password: hashPassword(password)}
	if err := a.store.CreateFirstUser(ctx, u); err != nil { // ends all codes
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
