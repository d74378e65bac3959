package v1

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/stalker-asm/stalker/api/auth"
)

func TestInvitedUsersSetTheirPasswordOnceAndLogIn(t *testing.T) {
	w := newWorld(t, shelf{})
	var made struct {
		ID   string
		Link linkView
	}
	w.operator().must("POST", "/users", map[string]any{"email": "Ben@Example.com", "name": "Ben"}, &made)
	nobody := &client{w: w}
	nobody.refused(401, "is wrong", "POST", "/login", map[string]any{"email": "ben@example.com", "password": ""})
	use := func(p string) map[string]any { return map[string]any{"token": made.Link.Token, "password": p} }
	nobody.refused(400, "12", "POST", "/password-links/use", use("short"))
	nobody.refused(400, "tries", "POST", "/password-links/use", use("passwordpassword"))
	nobody.must("POST", "/password-links/use", use(password), nil)
	nobody.refused(403, "was used", "POST", "/password-links/use", use(password))
	ben := nobody.login("ben@example.com")
	var me meView
	ben.must("GET", "/me", nil, &me)
	if me.Email != "ben@example.com" || len(me.Scopes) != 0 || !me.Local {
		t.Errorf("me %+v", me)
	}
	ben.refused(403, "manage:users:read-all", "GET", "/users", nil)
	w.operator().refused(409, "exists already", "POST", "/users", map[string]any{"email": "ben@example.com"})
}

func TestSessionsCanBeSeenAndEnded(t *testing.T) {
	w := newWorld(t, shelf{})
	first := w.person("a@example.com")
	second := first.login("a@example.com")
	if first.cookie == second.cookie {
		t.Error("a login gave a session that was there before")
	}
	var page struct{ Items []auth.Session }
	first.must("GET", "/me/sessions", nil, &page)
	if len(page.Items) != 2 {
		t.Fatalf("sessions %+v", page.Items)
	}
	first.must("DELETE", "/me/sessions", nil, nil)
	second.refused(401, "ended", "GET", "/me", nil)
	first.must("PUT", "/me/password", map[string]any{"password": password, "newPassword": "seven quiet rivers at dawn"}, nil)
	first.refused(403, "present password", "PUT", "/me/password", map[string]any{"password": password, "newPassword": "seven quiet rivers at dawn"})
	first.must("GET", "/me", nil, nil) // its own session stays
	w.operator().must("PATCH", "/users/"+first.id, map[string]any{"active": false}, nil)
	first.refused(401, "ended", "GET", "/me", nil)
	(&client{w: w}).refused(401, "is wrong", "POST", "/login", map[string]any{"email": "a@example.com", "password": "seven quiet rivers at dawn"})
	out := w.person("b@example.com")
	out.must("POST", "/logout", nil, nil)
	out.refused(401, "ended", "GET", "/me", nil)
}

func TestASecondFactorIsAskedForAndEachCodeTakenOnce(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.person("a@example.com")
	var begun struct{ Secret, URL string }
	c.must("POST", "/me/second-factor", nil, &begun)
	code := func(at time.Time) string {
		s, err := totp.GenerateCode(begun.Secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	confirm := map[string]any{"password": password, "secret": begun.Secret, "code": "000000"}
	if code(time.Now()) != "000000" {
		c.refused(400, "does not fit", "PUT", "/me/second-factor", confirm)
	}
	used := code(time.Now())
	confirm["code"] = used
	c.must("PUT", "/me/second-factor", confirm, nil)
	nobody := &client{w: w}
	login := map[string]any{"email": "a@example.com", "password": password}
	if a := nobody.refused(401, "code", "POST", "/login", login); a.header.Get("Stalker-Second-Factor") != "totp" {
		t.Error("a client cannot tell that a code is wanted")
	}
	login["code"] = used
	nobody.refused(401, "is wrong", "POST", "/login", login)
	login["code"] = code(time.Now().Add(30 * time.Second))
	nobody.must("POST", "/login", login, nil)
	login["password"] = "not the password at all"
	if a := nobody.refused(401, "is wrong", "POST", "/login", login); a.header.Get("Stalker-Second-Factor") != "" {
		t.Error("who does not know the password learns that there is a second factor")
	}
	w.operator().must("DELETE", "/users/"+c.id+"/second-factor", nil, nil)
	nobody.login("a@example.com")
}

func TestWrongPasswordsLockTheAccount(t *testing.T) {
	w := newWorld(t, shelf{})
	w.person("a@example.com")
	nobody := &client{w: w}
	statuses := map[int]int{}
	for range 15 {
		statuses[nobody.call("POST", "/login", map[string]any{"email": "a@example.com", "password": "wrong wrong wrong"}).status]++
	}
	if statuses[401]+statuses[429] != 15 || statuses[429] < 4 {
		t.Errorf("answers %v", statuses)
	}
	nobody.refused(429, "wait", "POST", "/login", map[string]any{"email": "a@example.com", "password": password})
}

func TestAnAPIKeyMayDoWhatBothItAndItsOwnerMay(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.person("a@example.com", auth.ReadOnlyID)
	year := time.Now().Add(360 * 24 * time.Hour)
	ask := func(expires time.Time, scopes ...string) map[string]any {
		return map[string]any{"name": "k", "scopes": scopes, "expiresAt": expires}
	}
	c.refused(403, "do not have resources:*", "POST", "/api-keys", ask(year, "resources:*"))
	c.refused(400, "is none", "POST", "/api-keys", ask(year, "resources"+":Domains"))
	c.refused(400, "within", "POST", "/api-keys", ask(year.Add(8*24*time.Hour), "resources:*:read"))
	c.refused(400, "within", "POST", "/api-keys", ask(time.Now().Add(-time.Hour), "resources:*:read"))
	var k struct{ ID, Token string }
	c.must("POST", "/api-keys", ask(year, "manage:projects:read", "manage:api-key:create"), &k)
	key := &client{w: w, token: k.Token}
	key.must("GET", "/projects", nil, nil)
	key.refused(403, "automation:custom-jobs:read", "GET", "/jobs", nil)
	key.refused(403, "log in", "POST", "/api-keys", ask(year, "manage:projects:read"))
	key.refused(403, "logged in", "PUT", "/me/password", map[string]any{"password": password, "newPassword": "seven quiet rivers at dawn"})
	var page struct{ Items []auth.Key }
	a := c.must("GET", "/api-keys", nil, &page)
	if len(page.Items) != 1 || page.Items[0].LastUsed.IsZero() || strings.Contains(string(a.body), k.Token) {
		t.Errorf("keys %s", a.body)
	}
	w.operator().must("DELETE", "/groups/"+auth.ReadOnlyID+"/members/"+c.id, nil, nil)
	key.refused(403, "manage:projects:read", "GET", "/projects", nil) // what its owner lost, it lost
	other := w.person("b@example.com")
	other.refused(404, "no key", "DELETE", "/api-keys/"+k.ID, nil)
	other.refused(403, "read-all", "GET", "/api-keys?user="+c.id, nil)
	c.must("DELETE", "/api-keys/"+k.ID, nil, nil)
	key.refused(401, "not valid", "GET", "/projects", nil)
}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	w := newWorld(t, shelf{})
	admin := w.person("admin@example.com", auth.AdminsID)
	var g auth.Group
	w.operator().must("POST", "/groups", map[string]any{"name": "managers", "scopes": []string{"manage:users:*", "manage:groups:*"}}, &g)
	m := w.person("manager@example.com", g.ID)
	m.refused(403, "do not have", "PUT", "/groups/"+auth.AdminsID+"/members/"+m.id, nil)
	m.refused(403, "do not have", "POST", "/groups", map[string]any{"name": "x", "scopes": []string{"*"}})
	m.refused(403, "do not have", "PATCH", "/groups/"+g.ID, map[string]any{"scopes": []string{"*"}})
	m.refused(403, "more than yours", "POST", "/users/"+admin.id+"/password-link", nil)
	m.refused(403, "more than yours", "PATCH", "/users/"+admin.id, map[string]any{"email": "mine@example.com"})
	m.refused(403, "more than yours", "DELETE", "/users/"+admin.id, nil)
	m.refused(403, "more than yours", "DELETE", "/users/"+admin.id+"/second-factor", nil)
	plain := w.person("plain@example.com")
	m.must("POST", "/users/"+plain.id+"/password-link", nil, nil)
	m.must("PUT", "/groups/"+g.ID+"/members/"+plain.id, nil, nil)
}

func TestSomebodyIsAlwaysLeftWhoMayDoEverything(t *testing.T) {
	w := newWorld(t, shelf{})
	var page struct{ Items []auth.User }
	op := w.operator()
	op.must("GET", "/users", nil, &page)
	root := page.Items[0].ID
	op.refused(409, "nobody would be left", "DELETE", "/users/"+root, nil)
	op.refused(409, "nobody would be left", "PATCH", "/users/"+root, map[string]any{"active": false})
	op.refused(409, "nobody would be left", "DELETE", "/groups/"+auth.AdminsID+"/members/"+root, nil)
	op.refused(403, "built-in", "PATCH", "/groups/"+auth.AdminsID, map[string]any{"scopes": []string{}})
	op.refused(403, "built-in", "DELETE", "/groups/"+auth.AdminsID, nil)
	w.person("b@example.com", auth.AdminsID)
	op.must("DELETE", "/users/"+root, nil, nil)
}

func TestTheAuditLogHoldsEveryChangeAndNoSecret(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.person("a@example.com", auth.UsersID)
	c.must("POST", "/projects", map[string]any{"name": "Audited"}, nil)
	(&client{w: w}).call("POST", "/login", map[string]any{"email": "=cmd@example.com", "password": "wrong wrong wrong"})
	c.refused(403, "manage:audit:read", "GET", "/audit", nil)
	op := w.operator()
	var page eventPage
	op.must("GET", "/audit", nil, &page)
	var got []string
	for _, e := range page.Items {
		got = append(got, e.Action+" "+e.Actor+" "+http.StatusText(e.Status))
	}
	want := "login  Unauthorized; createProject a@example.com Created; login a@example.com OK; usePasswordLink a@example.com No Content; createUser operator Created"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("audit log\n got %s\nwant %s", s, want)
	}
	op.must("GET", "/audit?action=createProject&actor="+c.id, nil, &page)
	if len(page.Items) != 1 || page.Items[0].Via != "session" || page.Items[0].Address != "127.0.0.1" {
		t.Errorf("filtered %+v", page.Items)
	}
	op.must("GET", "/audit?limit=2", nil, &page)
	next := page.Next
	op.must("GET", "/audit?limit=2&cursor="+next, nil, &page)
	if len(page.Items) != 2 || page.Items[0].Action != "login" {
		t.Errorf("second page %+v", page.Items)
	}
	csv := string(op.must("GET", "/audit/export?format=csv", nil, nil).body)
	if strings.Count(csv, "\n") != 6 || !strings.Contains(csv, ",'=cmd@example.com") {
		t.Errorf("csv %s", csv)
	}
	jsonl := op.must("GET", "/audit/export", nil, nil).body
	if strings.Contains(string(jsonl), password) || strings.Contains(string(jsonl), c.cookie) {
		t.Error("a secret is in the audit log")
	}
	var e auth.Event
	if err := json.Unmarshal([]byte(strings.SplitN(string(jsonl), "\n", 2)[0]), &e); err != nil || e.Seq != 5 {
		t.Errorf("first line %+v, %v", e, err)
	}
}

func TestABrowserFromElsewhereChangesNothing(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.person("a@example.com", auth.UsersID)
	for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		a := c.call("POST", "/projects", map[string]any{"name": "x"}, h...)
		if a.status != 403 {
			t.Errorf("%v: %d", h, a.status)
		}
	}
}

func TestTheSessionsCookieStaysWithTheServer(t *testing.T) {
	w := newWorld(t, shelf{})
	c := w.person("a@example.com")
	login := map[string]any{"email": "a@example.com", "password": password}
	for proto, secure := range map[string]bool{"": false, "https": true} {
		a := (&client{w: w}).must("POST", "/login", login, nil, "X-Forwarded-Proto", proto)
		k := (&http.Response{Header: a.header}).Cookies()
		if len(k) != 1 || !k[0].HttpOnly || k[0].SameSite != http.SameSiteStrictMode || k[0].Path != "/" || k[0].Domain != "" || k[0].Secure != secure || k[0].MaxAge <= 0 || len(k[0].Value) < 32 {
			t.Errorf("behind %q: %+v", proto, k)
		}
		if strings.Contains(string(a.body), k[0].Value) {
			t.Error("the page's scripts see the session's token")
		}
	}
	a := c.must("POST", "/logout", nil, nil)
	if k := (&http.Response{Header: a.header}).Cookies(); len(k) != 1 || k[0].MaxAge >= 0 || k[0].Value != "" {
		t.Errorf("after logging out: %+v", k)
	}
}
