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
		return a.Auth.ByToken(r.Context(), token)
	}
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeUnauthorized, "log in, or send a token")
	}
	return a.Auth.BySession(r.Context(), c.Value)
}

func (a *API) version(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"version": a.Version})
}

// configuration lists what this process runs with.
func (a *API) configuration(w http.ResponseWriter, _ *http.Request) { list(w, a.Settings) }

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
	note(r, b.Email)
	u, token, err := a.Auth.Setup(r.Context(), address(r), b.Code, b.Email, b.Name, b.Password)
	a.welcome(w, r, u, token, err)
}

func (a *API) login(w http.ResponseWriter, r *http.Request) {
	var b struct{ Email, Password, Code string }
	if err := decode(w, r, &b); err != nil {
		a.fail(w, err)
		return
	}
	note(r, b.Email)
	u, token, err := a.Auth.Login(r.Context(), auth.Credentials{Email: b.Email, Password: b.Password, Code: b.Code, From: address(r), Agent: r.UserAgent()})
	if auth.NeedsCode(err) {
		w.Header().Set("Stalker-Second-Factor", "totp")
	}
	a.welcome(w, r, u, token, err)
}

func (a *API) welcome(w http.ResponseWriter, r *http.Request, u auth.User, token string, err error) {
	if err != nil {
		a.fail(w, err)
		return
	}
	actor(r, u)
	setCookie(w, r, token, int(auth.SessionLife.Seconds()))
	reply(w, http.StatusOK, u)
}

// setCookie sets the session's cookie, or with maxAge -1 removes it. Secure follows
// the connection, a proxy's word included: on loopback there is no TLS.
func setCookie(w http.ResponseWriter, r *http.Request, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure as said above
		Name: cookie, Value: token, Path: "/", HttpOnly: true, Secure: secure(r),
		SameSite: http.SameSiteStrictMode, MaxAge: maxAge,
	})
}

func secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	if s := caller(r).Session; s != nil {
		if err := a.Auth.EndSession(r.Context(), s.UserID, s.ID); err != nil && pipeline.CodeOf(err) != pipeline.CodeNotFound {
			a.fail(w, err)
			return
		}
	}
	setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// address is whom to slow down; behind a proxy that is the proxy, which is the
// safe side.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
