package v1

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/auth/sso"
	"github.com/stalker-asm/stalker/pipeline"
)

// ssoCookie is what a browser keeps while somebody is at the provider. It must come
// along when the provider sends them back, so it is not as strict as a session's.
const ssoCookie = "stalker_sso"

func (a *API) loginMethods(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]bool{"password": true, "singleSignOn": a.SSO != nil})
}

// beginSSO sends somebody to the provider.
func (a *API) beginSSO(w http.ResponseWriter, r *http.Request) {
	if a.SSO == nil {
		a.fail(w, pipeline.Errorf(pipeline.CodeNotFound, "this server has no single sign-on: sso.issuer"))
		return
	}
	to, trip, err := a.SSO.Begin(r.Context())
	var text []byte
	if err == nil {
		text, err = json.Marshal(trip)
	}
	if err != nil {
		a.failSSO(w, r, err)
		return
	}
	setTrip(w, r, base64.RawURLEncoding.EncodeToString(text), int(sso.TripLife.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusFound)
}

func setTrip(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure as setCookie says
		Name: ssoCookie, Value: value, Path: Path + "/login/sso", HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteLaxMode, MaxAge: maxAge,
	})
}

// endSSO logs in who comes back. The page it answers with goes on by itself: a
// redirect would still count as coming from the provider, to where no browser
// brings a strict cookie.
func (a *API) endSSO(w http.ResponseWriter, r *http.Request) {
	u, token, err := a.comeBack(r)
	setTrip(w, r, "", -1)
	a.recordLogin(r, u, err)
	if err != nil {
		a.failSSO(w, r, err)
		return
	}
	setCookie(w, r, token, int(auth.SessionLife.Seconds()))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(`<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/login?signedOn"><title>Stalker</title><a href="/login?signedOn">Go on</a>`))
}

// failSSO shows a person the login page, which says why in words of its own: what
// stands in an address could have been put there by anybody. A program gets the error.
func (a *API) failSSO(w http.ResponseWriter, r *http.Request, err error) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		a.fail(w, err)
		return
	}
	code := pipeline.CodeOf(err)
	if code == pipeline.CodeInternal {
		a.log.Error("single sign-on failed", "err", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/login?refused="+url.QueryEscape(string(code)), http.StatusFound)
}

func (a *API) comeBack(r *http.Request) (u auth.User, token string, err error) {
	if a.SSO == nil {
		return u, "", pipeline.Errorf(pipeline.CodeNotFound, "this server has no single sign-on: sso.issuer")
	}
	v := r.URL.Query()
	if said := v.Get("error"); said != "" {
		return u, "", pipeline.Errorf(pipeline.CodeUnauthorized, "single sign-on: the provider says %q %s", said, v.Get("error_description"))
	}
	var trip sso.Trip
	if c, err := r.Cookie(ssoCookie); err == nil {
		text, _ := base64.RawURLEncoding.DecodeString(c.Value)
		_ = json.Unmarshal(text, &trip) // what is no trip has no state
	}
	who, err := a.SSO.End(r.Context(), trip, v.Get("state"), v.Get("code"))
	if err != nil {
		return auth.User{Email: who.Email}, "", err
	}
	u, token, err = a.Auth.LoginAs(r.Context(), who, address(r), r.UserAgent())
	if err != nil && u.Email == "" {
		u.Email = who.Email
	}
	return u, token, err
}

// recordLogin writes to the audit log what is not written by itself, since coming back
// is a GET.
func (a *API) recordLogin(r *http.Request, u auth.User, err error) {
	e := auth.Event{At: a.now(), ActorID: u.ID, Actor: u.Email, Via: "none", Action: "endSingleSignOn", Target: "/login/sso/callback", Status: http.StatusOK, Address: address(r)}
	if err != nil {
		e.Status, e.Detail = Status(pipeline.CodeOf(err)), pipeline.Head(err.Error(), 300)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if err := a.Auth.Record(ctx, e); err != nil {
		a.log.Error("audit log could not be written", "action", e.Action, "actor", e.ActorID, "status", e.Status, "err", err)
	}
}
