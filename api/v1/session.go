package v1

import (
	"net"
	"net/http"
	"strings"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/pipeline"
)

const cookie = "stalker_session"

// caller finds out who makes a request: by a bearer token, or by the session cookie.
func (a *API) caller(r *http.Request) (*auth.Caller, error) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		u, err := a.Auth.ByToken(token)
		return &auth.Caller{User: u}, err
	}
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeUnauthorized, "log in, or send a token")
	}
	u, err := a.Auth.BySession(r.Context(), c.Value)
	return &auth.Caller{User: u}, err
}

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
