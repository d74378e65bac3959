package v1

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

const cookie = "stalker_session"

type userKey struct{}

// authenticated lets only known callers through: a session cookie or a bearer token.
func (a *API) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := a.caller(r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			a.fail(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, u)))
	})
}

func (a *API) caller(r *http.Request) (auth.User, error) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return a.Auth.ByToken(token)
	}
	c, err := r.Cookie(cookie)
	if err != nil {
		return auth.User{}, pipeline.Errorf(pipeline.CodeUnauthorized, "log in, or send a token")
	}
	return a.Auth.BySession(r.Context(), c.Value)
}

func user(r *http.Request) auth.User { u, _ := r.Context().Value(userKey{}).(auth.User); return u }

func (a *API) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"version": a.Version})
}

func (a *API) setupState(w http.ResponseWriter, r *http.Request) {
	needed, err := a.Auth.NeedsSetup(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]bool{"needed": needed})
}

func (a *API) setup(w http.ResponseWriter, r *http.Request) {
	var b struct{ Code, Email, Name, Password string }
	if err := decode(w, r, &b); err != nil {
		a.fail(w, err)
		return
	}
	u, token, err := a.Auth.Setup(r.Context(), address(r), b.Code, b.Email, b.Name, b.Password)
	a.welcome(w, r, u, token, err)
}

func (a *API) login(w http.ResponseWriter, r *http.Request) {
	var b struct{ Email, Password string }
	if err := decode(w, r, &b); err != nil {
		a.fail(w, err)
		return
	}
	u, token, err := a.Auth.Login(r.Context(), address(r), b.Email, b.Password)
	a.welcome(w, r, u, token, err)
}

func (a *API) welcome(w http.ResponseWriter, r *http.Request, u auth.User, token string, err error) {
	if err != nil {
		a.fail(w, err)
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure follows the connection: on loopback there is no TLS
		Name: cookie, Value: token, Path: "/", HttpOnly: true, Secure: r.TLS != nil,
		SameSite: http.SameSiteStrictMode, MaxAge: int(auth.SessionLife.Seconds()),
	})
	reply(w, http.StatusOK, u)
}

func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookie); err == nil {
		if err := a.Auth.Logout(r.Context(), c.Value); err != nil {
			a.fail(w, err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode, MaxAge: -1}) //nolint:gosec // as above
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) me(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, user(r)) }

// address is whom to slow down; behind a proxy that is the proxy, which is the
// safe side.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
