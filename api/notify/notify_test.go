package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/api/mail"
	"github.com/stalker-asm/stalker/api/mail/mailtest"
	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/seal"
)

// past is a history that tests write.
type past struct {
	mu      sync.Mutex
	changes []pipeline.Change
	said    []pipeline.StoredFinding
	filters []string
	fit     map[string]bool
}

func (p *past) happen(cs ...pipeline.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range cs { // later than any window that was read
		c.At = time.Now().UTC().Truncate(time.Millisecond).Add(time.Millisecond)
		p.changes = append(p.changes, c)
	}
	slices.SortFunc(p.changes, func(a, b pipeline.Change) int { return strings.Compare(a.ResourceID, b.ResourceID) })
}

// Changes pages two at a time, so that more than one page is needed.
func (p *past) Changes(_ context.Context, q pipeline.ChangeQuery) (pipeline.ChangePage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	page := pipeline.ChangePage{Items: []pipeline.Change{}, Next: q.Cursor}
	for i := range p.changes {
		c := p.changes[i]
		if c.ProjectID != q.ProjectID || !c.At.After(q.Since) || c.At.After(q.Until) || c.ResourceID <= q.Cursor {
			continue
		}
		if page.Items = append(page.Items, c); len(page.Items) == 2 {
			page.Next = c.ResourceID
			break
		}
		page.Next = c.ResourceID
	}
	return page, nil
}

func (p *past) Findings(_ context.Context, q pipeline.FindingQuery) (pipeline.Page[pipeline.StoredFinding], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filters = append(p.filters, q.Text)
	said := p.said
	p.said = nil
	return pipeline.Page[pipeline.StoredFinding]{Items: said}, nil
}

func (p *past) Ports(_ context.Context, q pipeline.Query) (page pipeline.Page[pipeline.Port], err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.filters = append(p.filters, q.Text)
	for id := range p.fit {
		if strings.Contains(q.Text, id) {
			var x pipeline.Port
			x.ID = id
			page.Items = append(page.Items, x)
		}
	}
	return page, nil
}

func (p *past) Domains(context.Context, pipeline.Query) (page pipeline.Page[pipeline.Domain], err error) {
	return page, nil
}

func (p *past) Hosts(context.Context, pipeline.Query) (page pipeline.Page[pipeline.Host], err error) {
	return page, nil
}

func (p *past) Ranges(context.Context, pipeline.Query) (page pipeline.Page[pipeline.IPRange], err error) {
	return page, nil
}

func (p *past) Websites(context.Context, pipeline.Query) (page pipeline.Page[pipeline.Website], err error) {
	return page, nil
}

// receiver is somebody who is told, and answers as asked to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int) int // status for the nth request
}

type received struct {
	header http.Header
	body   []byte
	notify.Message
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: func(int) int { return http.StatusOK }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		got := received{header: req.Header.Clone()}
		got.body, _ = io.ReadAll(req.Body)
		_ = json.Unmarshal(got.body, &got.Message)
		r.got = append(r.got, got)
		w.WriteHeader(r.answer(len(r.got)))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

type silent struct{}

func (silent) Produce(context.Context, []bus.Record) error { return nil }

// stage is a control plane with a project, and a history.
type stage struct {
	t       *testing.T
	place   sqlstoretest.Place
	store   *sqlstore.Store
	ctl     *control.Control
	past    *past
	project pipeline.Project
	mail    *mailtest.Server
}

func newStage(t *testing.T) *stage {
	t.Helper()
	st := &stage{t: t, place: sqlstoretest.New(t), past: &past{fit: map[string]bool{}}, mail: mailtest.New(t)}
	st.store = st.place.Open(t)
	keys, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	st.ctl = control.New(control.Deps{Store: st.store, Producer: silent{}, Sealer: keys, Log: slog.New(slog.DiscardHandler)})
	bustest.Run(t, "control", st.ctl.Run)
	if st.project, _, err = st.ctl.CreateProject(t.Context(), pipeline.Project{Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	return st
}

func (st *stage) add(n pipeline.Notification, s pipeline.ChannelSecret) pipeline.Notification {
	st.t.Helper()
	if n.Name == "" {
		n.Name = "News"
	}
	n.ProjectID, n.Enabled = st.project.ID, true
	if n.Source == "" {
		n.Source = pipeline.NotifyChanges
	}
	if n.Channel.Type == "" {
		n.Channel.Type = pipeline.ChannelWebhook
	}
	n, err := st.ctl.CreateNotification(st.t.Context(), n, &s)
	if err != nil {
		st.t.Fatal(err)
	}
	return n
}

// engine runs one for as long as the test, or until it is stopped.
func (st *stage) engine(store notify.Store, change func(*notify.Config)) (e *notify.Engine, stop func()) {
	st.t.Helper()
	cfg := notify.DefaultConfig()
	cfg.AllowPrivate, cfg.Every, cfg.Settle = true, 100*time.Millisecond, 0
	if change != nil {
		change(&cfg)
	}
	e = notify.New(cfg, notify.Deps{
		Store: store, Rules: st.ctl, History: st.past, Passed: func(context.Context) error { return nil }, Mail: mail.New(st.mail.Config),
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(ctx) }()
	stop = func() { cancel(); <-done }
	st.t.Cleanup(stop)
	return e, stop
}

// begun waits until a notification has begun: what happens from then on is told.
func (st *stage) begun(n pipeline.Notification) {
	st.t.Helper()
	st.until("the notification has begun", func() bool {
		_, known, err := st.store.NotifyState(st.t.Context(), n.ID)
		return err == nil && known
	})
}

func (st *stage) until(what string, fn func() bool) {
	st.t.Helper()
	for end := time.Now().Add(60 * time.Second); !fn(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			st.t.Fatalf("never: %s", what)
		}
	}
}

// port is a port that was opened.
func (st *stage) port(n string) pipeline.Change {
	return pipeline.Change{
		ProjectID: st.project.ID, What: pipeline.Opened, Kind: pipeline.KindPort, ResourceID: pipeline.DeriveID("port", n),
		CorrelationKey: "project:" + st.project.ID + ";host:192.0.2.1;port:" + n + ";protocol:tcp",
	}
}

func TestEveryChangeIsToldOnceBySeveralProcesses(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	n := st.add(pipeline.Notification{}, pipeline.ChannelSecret{URL: to.URL + "/hook", Secret: "shared"})
	for range 2 {
		st.engine(st.place.Open(t), nil)
	}
	st.begun(n)
	want := map[string]bool{}
	for _, p := range []string{"1", "2", "3", "4", "5"} {
		c := st.port(p)
		want[c.ResourceID] = true
		st.past.happen(c)
	}
	told := map[string]int{}
	st.until("all five are told", func() bool {
		clear(told)
		for _, m := range to.all() {
			for _, e := range m.Events {
				told[e.Change.ResourceID]++
			}
		}
		return len(told) == len(want)
	})
	st.until("the log has them", func() bool {
		log, err := st.store.Deliveries(t.Context(), n.ID, pipeline.DeliveryDelivered, "", 100)
		return err == nil && len(log) == len(to.all())
	})
	for id, times := range told {
		if times != 1 || !want[id] {
			t.Errorf("%s was told %d times", id, times)
		}
	}
	for _, m := range to.all() {
		h := m.header
		if h.Get("Idempotency-Key") != m.ID || h.Get("Stalker-Signature") != "v1="+notify.Sign("shared", h.Get("Stalker-Timestamp"), m.body) {
			t.Errorf("headers %v of message %s", h, m.ID)
		}
		if m.Notification.Name != "News" || m.Project.Name != "Acme" {
			t.Errorf("message %+v", m.Message)
		}
	}
}

// dying loses the process between sending and keeping that it was sent.
type dying struct {
	notify.Store
	die  func()
	once sync.Once
}

func (d *dying) Finish(ctx context.Context, m pipeline.Delivery) error {
	died := false
	d.once.Do(func() { died = true; go d.die() })
	if died {
		return errors.New("killed")
	}
	return d.Store.Finish(ctx, m)
}

func TestWhatACrashRepeatsHasTheSameId(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	n := st.add(pipeline.Notification{}, pipeline.ChannelSecret{URL: to.URL})
	var stop func()
	gone := make(chan struct{})
	_, stop = st.engine(&dying{Store: st.place.Open(t), die: func() { stop(); close(gone) }}, func(c *notify.Config) { c.Timeout = time.Second })
	st.begun(n)
	st.past.happen(st.port("22"))
	<-gone
	if len(to.all()) != 1 {
		t.Fatalf("%d messages before the crash", len(to.all()))
	}
	next := st.place.Open(t)
	log, err := next.Deliveries(t.Context(), n.ID, "", "", 10)
	if err != nil || len(log) != 1 || log[0].State != pipeline.DeliveryWaiting {
		t.Fatalf("the log %+v, %v", log, err)
	}
	// its turn comes again when the time for the attempt is over; here, at once
	log[0].DueAt = time.Now()
	if err := next.Finish(t.Context(), log[0]); err != nil {
		t.Fatal(err)
	}
	st.engine(next, nil)
	st.until("it is delivered", func() bool {
		log, err = next.Deliveries(t.Context(), n.ID, pipeline.DeliveryDelivered, "", 10)
		return err == nil && len(log) == 1
	})
	got := to.all()
	if len(got) != 2 || got[0].ID != got[1].ID || string(got[0].body) != string(got[1].body) {
		t.Errorf("%d messages, %+v", len(got), got)
	}
}

func TestAFailureIsTriedAgainGivenUpAndSentAgainOnRequest(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	to.answer = func(n int) int { return http.StatusInternalServerError }
	n := st.add(pipeline.Notification{}, pipeline.ChannelSecret{URL: to.URL + "/top-secret"})
	e, _ := st.engine(st.store, func(c *notify.Config) { c.Attempts = 2 })
	st.begun(n)
	st.past.happen(st.port("22"))
	message := func(s pipeline.DeliveryState, attempts int) (d pipeline.Delivery) {
		st.until(string(s), func() bool {
			log, err := e.Log(t.Context(), n.ID, s, "", 10)
			if err == nil && len(log) == 1 && log[0].Status != 0 && log[0].Attempts == attempts {
				d = log[0]
				return true
			}
			return false
		})
		return d
	}
	d := message(pipeline.DeliveryWaiting, 1)
	if wait := time.Until(d.DueAt); d.Status != 500 || wait <= 0 || wait > 11*time.Second || strings.Contains(d.Error, "top-secret") {
		t.Errorf("after the first attempt %+v", d)
	}
	d.DueAt = time.Now()
	if err := st.store.Finish(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	message(pipeline.DeliveryFailed, 2)
	to.mu.Lock()
	to.answer = func(int) int { return http.StatusNoContent }
	to.mu.Unlock()
	if _, err := e.Resend(t.Context(), pipeline.NewID(), d.ID); pipeline.CodeOf(err) != pipeline.CodeNotFound {
		t.Errorf("Resend() of another notification = %v", err)
	}
	if _, err := e.Resend(t.Context(), n.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	message(pipeline.DeliveryDelivered, 1)
	if got := to.all(); len(got) != 3 || got[2].ID != d.ID {
		t.Errorf("%d requests", len(got))
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	n := st.add(pipeline.Notification{}, pipeline.ChannelSecret{URL: to.URL})
	e, _ := st.engine(st.store, func(c *notify.Config) { c.AllowPrivate = false })
	if _, err := e.Test(t.Context(), n); err == nil || !strings.Contains(err.Error(), "no public address: notifications.allowPrivate") {
		t.Errorf("Test() = %v", err)
	}
	if len(to.all()) > 0 {
		t.Error("a private address was reached")
	}
}

func TestAFilterChoosesResourcesAndFindings(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	n := st.add(pipeline.Notification{Kind: pipeline.KindPort, What: []pipeline.What{pipeline.Opened}, Query: "service:ssh OR port:22"}, pipeline.ChannelSecret{URL: to.URL})
	f := st.add(pipeline.Notification{Name: "Findings", Source: pipeline.NotifyFindings, Query: "key:NucleiFinding"}, pipeline.ChannelSecret{URL: to.URL})
	st.engine(st.store, nil)
	st.begun(n)
	st.begun(f)
	yes, no, gone := st.port("22"), st.port("80"), st.port("443")
	gone.What = pipeline.Gone
	st.past.mu.Lock()
	st.past.fit[yes.ResourceID], st.past.fit[gone.ResourceID] = true, true
	st.past.said = []pipeline.StoredFinding{{ID: "f1", ProjectID: st.project.ID, Key: "NucleiFinding", Fields: []pipeline.Field{{Key: "shot", Type: pipeline.ImageField, Data: "data:image/png;base64,AAAA"}}}}
	st.past.mu.Unlock()
	st.past.happen(yes, no, gone)
	var changes []string
	st.until("both are told", func() bool {
		changes = nil
		found := 0
		for _, m := range to.all() {
			for _, e := range m.Events {
				if e.Change != nil {
					changes = append(changes, e.Change.ResourceID)
				} else if found++; len(e.Finding.Fields) > 0 {
					t.Error("an image is told")
				}
			}
		}
		return len(changes) > 0 && found > 0
	})
	if len(changes) != 1 || changes[0] != yes.ResourceID {
		t.Errorf("told %v, want %s", changes, yes.ResourceID)
	}
	st.past.mu.Lock()
	defer st.past.mu.Unlock()
	for _, text := range st.past.filters {
		if !strings.HasPrefix(text, "(service:ssh OR port:22) id:any(") && !strings.HasPrefix(text, "(key:NucleiFinding) at:20") {
			t.Errorf("a list was asked for %q", text)
		}
	}
}

func TestDigestsGoByMailAndEnableBeginsAnew(t *testing.T) {
	st := newStage(t)
	n := st.add(pipeline.Notification{Digest: time.Second, Channel: pipeline.Channel{Type: pipeline.ChannelEmail, To: []string{"ana@example.com"}}}, pipeline.ChannelSecret{})
	st.engine(st.store, nil)
	st.begun(n)
	st.past.happen(st.port("22"))
	st.until("a letter", func() bool { return len(st.mail.Letters()) == 1 })
	l := st.mail.Letters()[0]
	if l.Subject != "News: 1 change in Acme" || !strings.Contains(l.Text, "port 192.0.2.1:22/tcp opened") {
		t.Errorf("letter %+v", l)
	}
	n.Enabled = false
	n, err := st.ctl.UpdateNotification(t.Context(), n, nil)
	if err != nil {
		t.Fatal(err)
	}
	st.until("it is off", func() bool { _, known, err := st.store.NotifyState(t.Context(), n.ID); return err == nil && !known })
	st.past.happen(st.port("23"))
	n.Enabled = true
	if n, err = st.ctl.UpdateNotification(t.Context(), n, nil); err != nil {
		t.Fatal(err)
	}
	st.begun(n)
	st.past.happen(st.port("24"))
	st.until("a second letter", func() bool { return len(st.mail.Letters()) == 2 })
	if l := st.mail.Letters()[1]; strings.Contains(l.Text, ":23/") || !strings.Contains(l.Text, ":24/") {
		t.Errorf("letter %+v", l)
	}
}

func TestADeletedProjectTakesItsNotificationsAlong(t *testing.T) {
	st, to := newStage(t), newReceiver(t)
	n := st.add(pipeline.Notification{}, pipeline.ChannelSecret{URL: to.URL})
	st.engine(st.store, nil)
	st.begun(n)
	st.past.happen(st.port("22"))
	st.until("told", func() bool { return len(to.all()) == 1 })
	if err := st.ctl.DeleteProject(t.Context(), st.project.ID); err != nil {
		t.Fatal(err)
	}
	st.until("gone", func() bool {
		_, err := st.ctl.Notification(t.Context(), n.ID)
		log, logErr := st.store.Deliveries(t.Context(), n.ID, "", "", 10)
		return pipeline.CodeOf(err) == pipeline.CodeNotFound && logErr == nil && len(log) == 0
	})
}
