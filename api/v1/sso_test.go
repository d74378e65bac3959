package v1

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/auth/sso"
	"github.com/stalker-asm/stalker/api/openapi/openapitest"
)

// provider is an OpenID Connect provider at which somebody is always logged in.
type provider struct {
	t      *testing.T
	srv    *httptest.Server
	key    *rsa.PrivateKey
	claims map[string]any // of who is logged in
	asked  map[string]url.Values
	sign   *rsa.PrivateKey // with which it signs, usually key
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, sign: key, asked: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.srv.URL, "authorization_endpoint": p.srv.URL + "/authorize", "token_endpoint": p.srv.URL + "/token", "jwks_uri": p.srv.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := "code" + q.Get("state")
		p.asked[code] = q
		http.Redirect(w, r, q.Get("redirect_uri")+"?code="+code+"&state="+q.Get("state"), http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.token)
	p.srv = httptest.NewServer(mux)
	t.Cleanup(p.srv.Close)
	return p
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token gives an id token for a code, once, to who has the verifier.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	asked := p.asked[r.FormValue("code")]
	delete(p.asked, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if asked.Get("code_challenge_method") != "S256" || encode(sum[:]) != asked.Get("code_challenge") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.srv.URL, "aud": "stalker", "sub": "s1", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": asked.Get("nonce")}
	maps.Copy(claims, p.claims)
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	text := encode([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + encode(body)
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.sign, crypto.SHA256, digest[:])
	if err != nil {
		p.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": text + "." + encode(sig)})
}

// ssoWorld is a server with a provider.
func ssoWorld(t *testing.T, change func(*sso.Config)) (*world, *provider) {
	t.Helper()
	p := newProvider(t)
	cfg := sso.DefaultConfig()
	cfg.Issuer, cfg.ClientID, cfg.ClientSecret = p.srv.URL, "stalker", "secret"
	// the server's address is known once it listens: what comes before goes through here
	var to string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusFound)
	}))
	t.Cleanup(front.Close)
	cfg.URL = front.URL
	if change != nil {
		change(&cfg)
	}
	w := newWorldWith(t, shelf{}, func(d *Deps) { d.SSO = sso.New(cfg) })
	to = w.srv.URL
	return w, p
}

// browser follows redirects and keeps cookies.
func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// signOn goes through the provider; it returns the status and the session that came of
// it.
func (w *world) signOn(b *http.Client) (status int, c *client) {
	w.t.Helper()
	status, _ = w.visit(b, w.srv.URL+Path+"/login/sso")
	at, err := url.Parse(w.srv.URL + Path)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range b.Jar.Cookies(at) {
		if k.Name == cookie {
			c = &client{w: w, cookie: k.Value}
		}
	}
	return status, c
}

func (w *world) visit(b *http.Client, address string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := b.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

func TestSingleSignOnMakesAnAccountAndFollowsGroups(t *testing.T) {
	w, p := ssoWorld(t, nil)
	var g auth.Group
	w.operator().must("POST", "/groups", map[string]any{"name": "security", "scopes": []string{"resources:*:read"}, "external": []string{"sec", "red"}}, &g)
	p.claims = map[string]any{"email": "Ana@example.com", "name": "Ana", "groups": []string{"sec", "other"}}
	status, ana := w.signOn(w.browser())
	if status != 200 || ana == nil {
		t.Fatalf("the first login: %d", status)
	}
	var me meView
	ana.must("GET", "/me", nil, &me)
	if me.Email != "ana@example.com" || me.Name != "Ana" || len(me.Scopes) != 1 || me.Local {
		t.Errorf("me %+v", me)
	}
	p.claims["groups"], p.claims["email"] = []string{"other"}, "changed@example.com" // who it is follows from the subject
	_, again := w.signOn(w.browser())
	var later meView
	again.must("GET", "/me", nil, &later)
	if later.ID != me.ID || len(later.Scopes) != 0 {
		t.Errorf("later %+v", later)
	}
	w.operator().must("PATCH", "/users/"+me.ID, map[string]any{"active": false}, nil)
	if status, c := w.signOn(w.browser()); status != 403 || c != nil {
		t.Errorf("a deactivated account: %d", status)
	}
	var log struct{ Items []auth.Event }
	w.operator().must("GET", "/audit?action=endSingleSignOn", nil, &log)
	if len(log.Items) != 3 || log.Items[0].Status != 403 || log.Items[2].Actor != "ana@example.com" {
		t.Errorf("audit %+v", log.Items)
	}
}

func TestAnAccountIsLinkedOnlyByAVerifiedAddressAndWhenAllowed(t *testing.T) {
	for name, tc := range map[string]struct {
		allowed, verified bool
		want              int
	}{
		"not allowed": {false, true, 409}, "not verified": {true, false, 409}, "both": {true, true, 200},
	} {
		w, p := ssoWorld(t, func(c *sso.Config) { c.LinkByEmail = tc.allowed })
		local := w.person("ben@example.com")
		p.claims = map[string]any{"email": "ben@example.com", "email_verified": tc.verified}
		status, c := w.signOn(w.browser())
		if status != tc.want || (c != nil) != (tc.want == 200) {
			t.Errorf("%s: %d", name, status)
		}
		if c != nil {
			var me meView
			c.must("GET", "/me", nil, &me)
			if me.ID != local.id {
				t.Errorf("%s: another account", name)
			}
		}
	}
}

func TestWhatTheProviderSaysIsChecked(t *testing.T) {
	w, p := ssoWorld(t, func(c *sso.Config) { c.Groups = []string{"staff"} })
	good := map[string]any{"email": "ana@example.com", "groups": []string{"staff"}}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change map[string]any
		key    *rsa.PrivateKey
		want   int
	}{
		"another audience": {map[string]any{"aud": "somebody else"}, p.key, 401},
		"another issuer":   {map[string]any{"iss": "https://evil.example.com"}, p.key, 401},
		"too old":          {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, p.key, 401},
		"another nonce":    {map[string]any{"nonce": "x"}, p.key, 401},
		"another key":      {nil, other, 401},
		"no address":       {map[string]any{"email": ""}, p.key, 403},
		"no group":         {map[string]any{"groups": "staff"}, p.key, 403},
		"other groups":     {map[string]any{"groups": []string{"guests"}}, p.key, 403},
		"good":             {nil, p.key, 200},
	} {
		p.claims, p.sign = map[string]any{"sub": name}, tc.key // who was here before needs no address
		for _, m := range []map[string]any{good, tc.change} {
			maps.Copy(p.claims, m)
		}
		if status, c := w.signOn(w.browser()); status != tc.want || (c != nil) != (tc.want == 200) {
			t.Errorf("%s: %d, want %d", name, status, tc.want)
		}
	}
}

func TestALoginEndsInTheBrowserItBeganIn(t *testing.T) {
	w, p := ssoWorld(t, nil)
	p.claims = map[string]any{"email": "eve@example.com"}
	// somebody lures a browser to the end of a login of their own
	eve := w.browser()
	var last string
	eve.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if last = r.URL.String(); strings.HasPrefix(last, w.srv.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	if status, _ := w.visit(eve, w.srv.URL+Path+"/login/sso"); status != http.StatusFound || !strings.Contains(last, "code=") {
		t.Fatalf("%d at %s", status, last)
	}
	victim := w.browser()
	if status, _ := w.visit(victim, last); status != 401 {
		t.Errorf("without a login: %d", status)
	}
	victim.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if _, to := w.visit(victim, w.srv.URL+Path+"/login/sso"); !strings.HasPrefix(to, p.srv.URL+"/authorize?") {
		t.Errorf("the provider is at %s", to)
	}
	if status, _ := w.visit(victim, last); status != 401 { // with one of its own
		t.Errorf("with another login: %d", status)
	}
	if status, _ := w.visit(eve, last); status != 200 {
		t.Errorf("in its own browser: %d", status)
	}
	if status, _ := w.visit(eve, last); status != 401 { // its cookie is gone, and the code with it
		t.Errorf("a second time: %d", status)
	}
}

func TestABrowserThatIsRefusedComesBackToTheLoginPage(t *testing.T) {
	w, p := ssoWorld(t, func(c *sso.Config) { c.Groups = []string{"staff"} })
	p.claims = map[string]any{"email": "ana@example.com", "groups": []string{"guests"}}
	b := w.browser()
	b.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Path == "/login" {
			return http.ErrUseLastResponse
		}
		r.Header.Set("Accept", "text/html,*/*")
		return nil
	}
	if status, to := w.visit(b, w.srv.URL+Path+"/login/sso"); status != http.StatusFound || to != "/login?refused=forbidden" {
		t.Errorf("%d, to %q", status, to)
	}
}

func TestWithoutAProvider(t *testing.T) {
	w := newWorld(t, shelf{})
	nobody := &client{w: w}
	var ways struct{ Password, SingleSignOn bool }
	nobody.must("GET", "/login", nil, &ways)
	if !ways.Password || ways.SingleSignOn {
		t.Errorf("ways %+v", ways)
	}
	nobody.refused(404, "sso.issuer", "GET", "/login/sso", nil)
	down := httptest.NewServer(http.NotFoundHandler())
	cfg := sso.DefaultConfig()
	cfg.Issuer, cfg.ClientID, cfg.URL = down.URL, "c", "https://stalker.example.com"
	down.Close()
	w = newWorldWith(t, shelf{}, func(d *Deps) { d.SSO = sso.New(cfg) })
	b := w.browser()
	b.Transport = openapitest.New(t)
	if status, _ := w.visit(b, w.srv.URL+Path+"/login/sso"); status != http.StatusServiceUnavailable {
		t.Errorf("a provider that is away: %d", status)
	}
}
