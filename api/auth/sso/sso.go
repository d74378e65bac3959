// Package sso logs people in with an account they have elsewhere, by OpenID Connect:
// the authorization code flow with PKCE, state and nonce. What a browser has to bring
// back stands in a cookie of its own, so that nothing is kept here between leaving
// and coming back. Who somebody is and which groups they are in is the provider's
// word; what they may do follows from groups and roles here.
package sso

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/config"
)

// CallbackPath is where the provider sends people back to, below the server's address.
const CallbackPath = "/api/v1/login/sso/callback"

// Config names the provider of single sign-on.
type Config struct {
	// Issuer is the address of the OpenID Connect provider; empty means that there is none.
	Issuer string `yaml:"issuer"`
	// ClientID is what the provider knows this server by.
	ClientID string `yaml:"clientId"`
	// ClientSecret is the secret that belongs to it.
	ClientSecret config.Secret `yaml:"clientSecret"`
	// URL is the address people reach this server at, such as https://stalker.example.com. The provider must allow its /api/v1/login/sso/callback.
	URL string `yaml:"url"`
	// Scopes are asked for besides openid.
	Scopes []string `yaml:"scopes"`
	// GroupsClaim is the claim that lists somebody's groups. They are put into the groups here that name one of them, and out of the others that name any.
	GroupsClaim string `yaml:"groupsClaim"`
	// Groups are those of the provider whose people may log in; empty means everybody it knows.
	Groups []string `yaml:"groups"`
	// LinkByEmail lets somebody with a verified e-mail address into the account that has the address here. Else such an account stays apart.
	LinkByEmail bool `yaml:"linkByEmail"`
}

// DefaultConfig has no provider.
func DefaultConfig() Config {
	return Config{Scopes: []string{"profile", "email"}, GroupsClaim: "groups"}
}

// Validate reports every problem.
func (c *Config) Validate() error {
	if c.Issuer == "" {
		return nil
	}
	var errs []error
	for name, address := range map[string]string{"issuer": c.Issuer, "url": c.URL} {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			errs = append(errs, fmt.Errorf("%s is %q, must be an address such as https://login.example.com", name, address))
		}
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("clientId must be set"))
	}
	return errors.Join(errs...)
}

// timeout bounds what the provider is asked.
const timeout = 15 * time.Second

// SSO is a provider. It is found when somebody first logs in.
type SSO struct {
	cfg    Config
	client *http.Client

	mu       sync.Mutex
	provider *oidc.Provider
}

// New returns the provider, or nil when there is none.
func New(cfg Config) *SSO {
	if cfg.Issuer == "" {
		return nil
	}
	return &SSO{cfg: cfg, client: &http.Client{Timeout: timeout}}
}

// Trip is what a browser keeps while somebody is at the provider.
type Trip struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// TripLife is how long somebody may be away.
const TripLife = 10 * time.Minute

// find asks the provider how it works; when it does not answer, the next login asks
// again.
func (s *SSO) find(ctx context.Context) (*oidc.Provider, oauth2.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// its keys are fetched later too, so it must not end with this request
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.client), s.cfg.Issuer)
		if err != nil {
			return nil, oauth2.Config{}, pipeline.Errorf(pipeline.CodeUnavailable, "the single sign-on does not answer as expected: %w", err)
		}
		s.provider = p
	}
	return s.provider, oauth2.Config{
		ClientID: s.cfg.ClientID, ClientSecret: string(s.cfg.ClientSecret), Endpoint: s.provider.Endpoint(),
		RedirectURL: strings.TrimSuffix(s.cfg.URL, "/") + CallbackPath, Scopes: append([]string{oidc.ScopeOpenID}, s.cfg.Scopes...),
	}, nil
}

// Begin returns where to send somebody, and what their browser keeps meanwhile.
func (s *SSO) Begin(ctx context.Context) (address string, trip Trip, err error) {
	_, o, err := s.find(ctx)
	if err != nil {
		return "", trip, err
	}
	trip = Trip{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return o.AuthCodeURL(trip.State, oidc.Nonce(trip.Nonce), oauth2.S256ChallengeOption(trip.Verifier)), trip, nil
}

// claims are what the provider says of somebody.
type claims struct {
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Name     string `json:"name"`
}

// End checks what the browser brought back, and returns who the provider says it is.
func (s *SSO) End(ctx context.Context, trip Trip, state, code string) (who auth.Identity, err error) {
	refused := func(format string, a ...any) error {
		return pipeline.Errorf(pipeline.CodeUnauthorized, "single sign-on: "+format+": log in again", a...)
	}
	if trip.State == "" || subtle.ConstantTimeCompare([]byte(trip.State), []byte(state)) != 1 {
		return who, refused("this does not belong to a login that began in this browser")
	}
	p, o, err := s.find(ctx)
	if err != nil {
		return who, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.client), timeout)
	defer cancel()
	token, err := o.Exchange(ctx, code, oauth2.VerifierOption(trip.Verifier))
	if err != nil {
		return who, refused("the provider did not take the code")
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: s.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return who, refused("the provider's word is not valid: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(trip.Nonce)) != 1 {
		return who, refused("the answer is to another question")
	}
	var c claims
	var all map[string]json.RawMessage
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return who, refused("the provider's claims are not understood: %w", err)
	}
	who = auth.Identity{Subject: id.Issuer + "|" + id.Subject, Email: c.Email, Name: c.Name, Link: s.cfg.LinkByEmail && c.Verified}
	_ = json.Unmarshal(all[s.cfg.GroupsClaim], &who.Groups) // missing, or no list: none
	if len(s.cfg.Groups) > 0 && !slices.ContainsFunc(who.Groups, func(g string) bool { return slices.Contains(s.cfg.Groups, g) }) {
		return who, pipeline.Errorf(pipeline.CodeForbidden, "single sign-on: %s is in no group that may log in here", c.Email)
	}
	return who, nil
}
