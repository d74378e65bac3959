package v1

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/gitsource"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/api/openapi/openapitest"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/seal"
)

// topicLog is a bus that takes everything and is always caught up.
type topicLog struct {
	mu   sync.Mutex
	recs []bus.Record
}

func (l *topicLog) Produce(_ context.Context, recs []bus.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range recs {
		recs[i].Offset = int64(len(l.recs))
		l.recs = append(l.recs, recs[i])
	}
	return nil
}

// about returns what was published of a kind.
func (l *topicLog) about(t *testing.T, kind record.ChangeKind) (list []record.Change) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.recs {
		c, err := record.Decode[record.Change](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind == kind {
			list = append(list, c)
		}
	}
	return list
}

func (l *topicLog) Ends(context.Context, ...string) (bus.Offsets, error)     { return nil, nil }
func (l *topicLog) WaitCommitted(context.Context, string, bus.Offsets) error { return nil }

// shelf is an analytical store with nothing in it; tests put functions in.
type shelf struct{ store }

func (shelf) DeleteProject(context.Context, string) error { return nil }
func (shelf) Counts(context.Context, string) (pipeline.Counts, error) {
	c := pipeline.Counts{Executions: map[pipeline.State]uint64{}}
	for _, s := range pipeline.States() {
		c.Executions[s] = 0
	}
	return c, nil
}

// noRules is a matcher that knows no subscription.
type noRules struct{}

func (noRules) Examine(*pipeline.Finding, []string, []pipeline.StoredVerdict) []pipeline.Explanation {
	return []pipeline.Explanation{}
}

func (noRules) Backtest(pipeline.Subscription, time.Duration, func(projectID, ip string) []string, func(func(*pipeline.Finding) error) error) (pipeline.Backtest, error) {
	return pipeline.Backtest{Keys: []string{}, Stopped: map[string]int{}, Histogram: []pipeline.BacktestBar{}, Samples: []pipeline.BacktestSample{}}, nil
}

// world is the API on a real control plane, without a pipeline behind it.
type world struct {
	t    *testing.T
	srv  *httptest.Server
	http *http.Client
	ctl  *control.Control
	sql  *sqlstore.Store
	auth *auth.Auth
	bus  *topicLog
	keys *seal.Keys
	tell *notify.Engine
}

func newWorld(t *testing.T, shelves store) *world {
	t.Helper()
	return newWorldWith(t, shelves, nil)
}

func newWorldWith(t *testing.T, shelves store, change func(*Deps)) *world {
	t.Helper()
	return newWorldOn(t, shelves, nil, change)
}

// newWorldOn is that on a control plane of which something is other.
func newWorldOn(t *testing.T, shelves store, plane func(*control.Deps), change func(*Deps)) *world {
	t.Helper()
	sql := sqlstoretest.Fresh(t)
	w := &world{t: t, sql: sql, bus: &topicLog{}, auth: auth.New(sql)}
	if err := sql.CreateFirstUser(t.Context(), auth.User{ID: pipeline.NewID(), Email: "root@example.com", Active: true, Version: 1}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	var err error
	if w.keys, err = seal.LoadOrCreate(filepath.Join(t.TempDir(), "secrets")); err != nil {
		t.Fatal(err)
	}
	of := control.Deps{Store: sql, Producer: w.bus, Sealer: w.keys, Log: log}
	if plane != nil {
		plane(&of)
	}
	w.ctl = control.New(of)
	bustest.Run(t, "control", w.ctl.Run)
	cfg := gitsource.DefaultConfig()
	cfg.AllowPrivate = true
	fetch, err := gitsource.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tell := notify.DefaultConfig()
	tell.AllowPrivate = true
	w.tell = notify.New(tell, notify.Deps{Store: sql, Rules: w.ctl, Log: log, Metrics: prometheus.NewRegistry()}) // does not run
	deps := Deps{
		Control: w.ctl, Store: shelves, Automation: noRules{}, Sources: control.NewSources(w.ctl, fetch), Notify: w.tell, Auth: w.auth, Producer: w.bus, Progress: w.bus, Position: w.ctl.Position, Version: "test", Log: log,
	}
	if change != nil {
		change(&deps)
	}
	api, err := New(deps)
	if err != nil {
		t.Fatal(err)
	}
	w.srv = httptest.NewServer(api.Handler())
	t.Cleanup(w.srv.Close)
	w.http = &http.Client{Transport: openapitest.New(t)}
	return w
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// client calls the API as somebody.
type client struct {
	w             *world
	token, cookie string
	id            string
}

func (w *world) operator() *client { return &client{w: w, token: w.auth.LocalToken()} }

// person makes a user with a password and logs them in: what comes back calls as
// they, with a session.
func (w *world) person(email string, groups ...string) *client {
	w.t.Helper()
	var made struct {
		ID   string
		Link linkView
	}
	if groups == nil {
		groups = []string{}
	}
	w.operator().must("POST", "/users", map[string]any{"email": email, "groups": groups}, &made)
	nobody := &client{w: w}
	nobody.must("POST", "/password-links/use", map[string]any{"token": made.Link.Token, "password": password}, nil)
	c := nobody.login(email)
	c.id = made.ID
	return c
}

const password = "correct horse battery staple"

func (c *client) login(email string) *client {
	c.w.t.Helper()
	a := c.must("POST", "/login", map[string]any{"email": email, "password": password}, nil)
	for _, k := range (&http.Response{Header: a.header}).Cookies() {
		if k.Name == cookie {
			return &client{w: c.w, cookie: k.Value}
		}
	}
	c.w.t.Fatalf("no cookie for %s", email)
	return nil
}

// call sends a body, text as it is and anything else as JSON, with headers given in
// pairs.
func (c *client) call(method, path string, body any, headers ...string) answer {
	c.w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			c.w.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.srv.URL+Path+path, r)
	if err != nil {
		c.w.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.cookie != "" {
		req.AddCookie(&http.Cookie{Name: cookie, Value: c.cookie})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.w.http.Do(req)
	if err != nil {
		c.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.w.t.Fatal(err)
	}
	if resp.StatusCode >= 500 {
		c.w.t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// must calls and expects success; the answer is decoded into out.
func (c *client) must(method, path string, body, out any, headers ...string) answer {
	c.w.t.Helper()
	a := c.call(method, path, body, headers...)
	if a.status >= 300 {
		c.w.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if out != nil {
		reflect.ValueOf(out).Elem().SetZero()
		if err := json.Unmarshal(a.body, out); err != nil {
			c.w.t.Fatalf("%s %s: %v: %s", method, path, err, a.body)
		}
	}
	return a
}

// refused calls and expects a problem with the status and the words.
func (c *client) refused(status int, words, method, path string, body any, headers ...string) answer {
	c.w.t.Helper()
	a := c.call(method, path, body, headers...)
	var p problem
	_ = json.Unmarshal(a.body, &p)
	if a.status != status || !strings.Contains(p.Detail, words) {
		c.w.t.Errorf("%s %s: %d %s, want %d with %q", method, path, a.status, a.body, status, words)
	}
	return a
}
