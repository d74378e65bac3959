package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

func fresh(t *testing.T) *sqlstore.Store {
	t.Helper()
	return sqlstoretest.Fresh(t)
}

// topic is a producer that can fail, and keeps what it was given.
type topic struct {
	mu   sync.Mutex
	recs []bus.Record
	fail error
}

func (p *topic) Produce(_ context.Context, recs []bus.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	for i := range recs {
		recs[i].Offset = int64(len(p.recs))
		p.recs = append(p.recs, recs[i])
	}
	return nil
}

func (p *topic) setFailure(err error) { p.mu.Lock(); defer p.mu.Unlock(); p.fail = err }

func (p *topic) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []string
	for _, r := range p.recs {
		keys = append(keys, string(r.Key))
	}
	return keys
}

func plane(t *testing.T, s *sqlstore.Store, p *topic) *control.Control {
	t.Helper()
	c := control.New(control.Deps{Store: s, Producer: p, Log: slog.New(slog.DiscardHandler)})
	bustest.Run(t, "control", c.Run)
	return c
}

func TestAProjectIsSavedPublishedAndGuardedByItsVersion(t *testing.T) {
	var p topic
	c := plane(t, fresh(t), &p)
	made, position, err := c.CreateProject(t.Context(), pipeline.Project{Name: " Acme ", Resolvers: []string{"192.0.2.53"}})
	if err != nil || made.Name != "Acme" || made.Resolvers[0] != "192.0.2.53:53" || position != 1 || !pipeline.IsID(made.ID) {
		t.Fatalf("CreateProject() = %+v, %d, %v", made, position, err)
	}
	change, err := record.Decode[record.Change](p.recs[0].Value)
	if err != nil || change.Project == nil || change.Project.Name != "Acme" {
		t.Errorf("published %+v, %v", change, err)
	}
	if _, _, err := c.CreateProject(t.Context(), pipeline.Project{Name: "Acme"}); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("same name again: %v", err)
	}
	first, second := made, made
	first.Notes, second.Notes = "one", "two"
	if _, _, err := c.UpdateProject(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.UpdateProject(t.Context(), second); pipeline.CodeOf(err) != pipeline.CodeConflict {
		t.Errorf("a change based on an old version: %v", err)
	}
	if got, err := c.Project(t.Context(), made.ID); err != nil || got.Notes != "one" || got.Version != 2 {
		t.Errorf("Project() = %+v, %v", got, err)
	}
	if err := c.DeleteProject(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteProject(t.Context(), made.ID); pipeline.CodeOf(err) != pipeline.CodeNotFound {
		t.Errorf("deleting twice: %v", err)
	}
	last, _ := record.Decode[record.Change](p.recs[len(p.recs)-1].Value)
	if !last.Deleted() {
		t.Errorf("the last change is %+v, want a deletion", last)
	}
}

func TestChangesSurviveACrashBetweenCommitAndPublish(t *testing.T) {
	at := sqlstoretest.New(t)
	away := &topic{fail: errors.New("bus is away")}
	s := at.Open(t)
	first := control.New(control.Deps{Store: s, Producer: away, Log: slog.New(slog.DiscardHandler)})
	for _, name := range []string{"a", "b"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, _, err := first.CreateProject(ctx, pipeline.Project{Name: name}); err == nil {
			t.Error("a change that was not published was called done")
		}
		cancel()
	}
	_ = s.Close() // the process dies here
	var p topic
	c := plane(t, at.Open(t), &p)
	if _, _, err := c.CreateProject(t.Context(), pipeline.Project{Name: "c"}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range p.recs {
		ch, _ := record.Decode[record.Change](r.Value)
		names = append(names, ch.Project.Name)
	}
	if d := cmp.Diff(names, []string{"a", "b", "c"}); d != "" {
		t.Errorf("published (-got +want):\n%s", d)
	}
}

func TestPublishingGoesOnWhenTheBusComesBack(t *testing.T) {
	p := &topic{fail: errors.New("bus is away")}
	c := plane(t, fresh(t), p)
	time.AfterFunc(300*time.Millisecond, func() { p.setFailure(nil) })
	if _, position, err := c.CreateProject(t.Context(), pipeline.Project{Name: "a"}); err != nil || position != 1 {
		t.Errorf("CreateProject() = %d, %v", position, err)
	}
}

func TestBadProjectsAreRefused(t *testing.T) {
	c := plane(t, fresh(t), &topic{})
	for _, p := range []pipeline.Project{{}, {Name: "x", Resolvers: []string{"dns.example:53"}}, {Name: "x", Resolvers: []string{"192.0.2.1:0"}}} {
		if _, _, err := c.CreateProject(t.Context(), p); pipeline.CodeOf(err) != pipeline.CodeInvalid {
			t.Errorf("CreateProject(%+v) = %v", p, err)
		}
	}
}

func catalogue(t *testing.T, files map[string]string) ([]pipeline.Job, []pipeline.Subscription) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	jobs, subs, err := control.LoadCatalogue(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return jobs, subs
}

const (
	job = "version: 2\nname: J\ntype: code\nlanguage: python\nparameters: [{name: port, type: number, default: 80}]\n"
	sub = "name: S\nfindings: [PortFinding]\ncooldown: 1\njob: {name: J}\n"
)

func TestSeedingBuiltInsChangesOnlyWhatChanged(t *testing.T) {
	s, p := fresh(t), &topic{}
	c := plane(t, s, p)
	files := map[string]string{"jobs/J/template.yaml": job, "jobs/J/main.py": "pass", "subscriptions/s.yaml": sub, "subscriptions/t.yaml": sub}
	jobs, subs := catalogue(t, files)
	seed := func(jobs []pipeline.Job, subs []pipeline.Subscription) {
		t.Helper()
		if err := c.SeedBuiltIns(t.Context(), jobs, subs); err != nil {
			t.Fatal(err)
		}
	}
	seed(jobs, subs)
	seed(jobs, subs)
	bustest.Eventually(t, "three changes published", func() bool { return len(p.keys()) == 3 })
	// a person disables one; the next release changes it and drops the other
	entity, err := s.Get(t.Context(), record.ChangeSubscription, subs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	off := subs[0]
	off.Enabled, off.Version = false, entity.Version+1
	entity.Version, entity.Body = off.Version, []byte(`{"id":"`+off.ID+`","name":"S","enabled":false,"builtIn":true,"document":"old","version":2}`)
	if _, err := s.Save(t.Context(), entity, record.Change{Kind: record.ChangeSubscription, ID: off.ID, Subscription: &off}); err != nil {
		t.Fatal(err)
	}
	delete(files, "subscriptions/t.yaml")
	seed(catalogue(t, files))
	got, err := c.Subscriptions(t.Context())
	if err != nil || len(got) != 1 || got[0].Enabled || got[0].Document != sub || got[0].Version != 3 {
		t.Errorf("Subscriptions() = %+v, %v; want one, still disabled, with the new text", got, err)
	}
}

func TestABuiltInJobLeavesAPersonsNameToThem(t *testing.T) {
	p := &topic{}
	c := plane(t, fresh(t), p)
	own, err := c.CreateJob(t.Context(), pipeline.Job{Name: "J", Type: pipeline.JobCode, Language: "python", Code: "print('mine')"})
	if err != nil {
		t.Fatal(err)
	}
	jobs, subs := catalogue(t, map[string]string{"jobs/J/template.yaml": job, "jobs/J/main.py": "pass", "subscriptions/s.yaml": sub})
	for range 2 {
		if err := c.SeedBuiltIns(t.Context(), jobs, subs); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.Jobs(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != own.ID || list[0].Code != own.Code || list[0].BuiltIn {
		t.Errorf("Jobs() = %+v, %v; want the person's alone", list, err)
	}
	if all, err := c.Subscriptions(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Subscriptions() = %+v, %v; the rest is there", all, err)
	}
}

func TestLoadCatalogueNamesTheFileOfEveryProblem(t *testing.T) {
	_, _, err := control.LoadCatalogue(fstest.MapFS{
		"jobs/A/template.yaml":   {Data: []byte("version: 2\nname: A\ncolour: red\n")},
		"jobs/B/template.yaml":   {Data: []byte(job)},
		"subscriptions/bad.yaml": {Data: []byte("name: S\n")},
	})
	for _, want := range []string{"jobs/A/template.yaml", "jobs/B/template.yaml", "subscriptions/bad.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("LoadCatalogue() = %v, lacks %s", err, want)
		}
	}
}

func setupCode(t *testing.T, a *auth.Auth) string {
	t.Helper()
	code, err := a.SetupCode(t.Context())
	if err != nil || len(code) != 12 {
		t.Fatalf("SetupCode() = %q, %v", code, err)
	}
	return code
}

func TestEveryServerTakesTheSetupCodesOfAllUntilOneWasUsed(t *testing.T) {
	place := sqlstoretest.New(t)
	ctx, store := t.Context(), place.Open(t)
	first, second := auth.New(store), auth.New(place.Open(t))
	codes := []string{setupCode(t, first), setupCode(t, second)}
	if again := setupCode(t, first); again != codes[0] || codes[0] == codes[1] {
		t.Fatalf("codes %v, then %s", codes, again)
	}
	now := time.Now()
	if err := store.AddSetupCode(ctx, "old", now.Add(-8*24*time.Hour), now.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := store.CheckSetupCode(ctx, "old", now); pipeline.CodeOf(err) != pipeline.CodeForbidden || !strings.Contains(err.Error(), "older than a week") {
		t.Errorf("a code that is too old: %v", err)
	}
	if _, _, err := first.Setup(ctx, "here", strings.ToLower(codes[1])+" ", "a@b.example", "A", "a long password"); err != nil {
		t.Fatalf("the second server's code at the first: %v", err)
	}
	for i, a := range []*auth.Auth{first, second} {
		if _, _, err := a.Setup(ctx, "there", codes[i], "c@b.example", "C", "a long password"); pipeline.CodeOf(err) != pipeline.CodeForbidden || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("after a code was used: %v", err)
		}
		if code, err := a.SetupCode(ctx); code != "" || err != nil {
			t.Errorf("SetupCode() of a server with a user = %q, %v", code, err)
		}
	}
}

func TestServersThatNobodySetsUpKeepFewCodes(t *testing.T) {
	store, now := fresh(t), time.Now()
	for i := range 60 {
		at := now.Add(time.Duration(i) * time.Second)
		if err := store.AddSetupCode(t.Context(), fmt.Sprint("code ", i), at, at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range map[int]pipeline.Code{9: pipeline.CodeForbidden, 10: "", 59: ""} {
		if err := store.CheckSetupCode(t.Context(), fmt.Sprint("code ", i), now.Add(61*time.Second)); err == nil != (want == "") || err != nil && pipeline.CodeOf(err) != want {
			t.Errorf("code %d: %v", i, err)
		}
	}
}

func TestFirstUserSessionsAndLimits(t *testing.T) {
	s := fresh(t)
	a := auth.New(s)
	ctx := t.Context()
	if needed, err := a.NeedsSetup(ctx); err != nil || !needed {
		t.Fatalf("NeedsSetup() = %v, %v", needed, err)
	}
	code := setupCode(t, a)
	for _, tc := range []struct {
		code, email, password string
		want                  pipeline.Code
	}{
		{"WRONG", "a@b.example", "a long password", pipeline.CodeForbidden},
		{code, "nonsense", "a long password", pipeline.CodeInvalid},
		{code, "a@b.example", "short", pipeline.CodeInvalid},
	} {
		if _, _, err := a.Setup(ctx, "here", tc.code, tc.email, "A", tc.password); pipeline.CodeOf(err) != tc.want {
			t.Errorf("Setup(%+v) = %v", tc, err)
		}
	}
	u, token, err := a.Setup(ctx, "here", code, "A@b.example", "A", "a long password")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.BySession(ctx, token); err != nil || got.ID != u.ID {
		t.Errorf("BySession() = %+v, %v", got, err)
	}
	if _, _, err := a.Setup(ctx, "there", code, "c@b.example", "C", "a long password"); pipeline.CodeOf(err) != pipeline.CodeForbidden {
		t.Errorf("a second first user: %v", err)
	}
	if _, _, err := a.Login(ctx, auth.Credentials{From: "x", Email: "a@B.example", Password: "a long password"}); err != nil {
		t.Errorf("Login() = %v", err)
	}
	_, _, wrong := a.Login(ctx, auth.Credentials{From: "x", Email: "a@b.example", Password: "not the password"})
	_, _, unknown := a.Login(ctx, auth.Credentials{From: "x", Email: "nobody@b.example", Password: "not the password"})
	if pipeline.CodeOf(wrong) != pipeline.CodeUnauthorized || wrong.Error() != unknown.Error() {
		t.Errorf("wrong password: %v; unknown account: %v", wrong, unknown)
	}
	caller, err := a.BySession(ctx, token)
	if err != nil || !caller.May("anything:at:all", "") {
		t.Errorf("the first user: %+v, %v", caller, err)
	}
	if err := a.EndSession(ctx, u.ID, caller.Session.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := a.BySession(ctx, token); pipeline.CodeOf(err) != pipeline.CodeUnauthorized {
		t.Errorf("after logging out: %v", err)
	}
	limited := false
	for range 20 {
		_, _, err := a.Login(ctx, auth.Credentials{From: "brute", Email: "a@b.example", Password: "guess"})
		limited = limited || pipeline.CodeOf(err) == pipeline.CodeBusy
	}
	if !limited {
		t.Error("guessing was never slowed down")
	}
	if _, err := a.ByToken(ctx, a.LocalToken()); err != nil {
		t.Errorf("ByToken() = %v", err)
	}
	if _, err := a.ByToken(ctx, a.LocalToken()+"x"); pipeline.CodeOf(err) != pipeline.CodeUnauthorized {
		t.Errorf("a wrong token: %v", err)
	}
}
