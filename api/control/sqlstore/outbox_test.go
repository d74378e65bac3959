package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stalker-asm/stalker/api/auth"
	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/api/control/sqlstore"
	"github.com/stalker-asm/stalker/api/control/sqlstore/sqlstoretest"
	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Several processes that serve the API are several stores and several publishers
// on one database. On SQLite they are the goroutines of one.
func processes(t *testing.T, n int) []*sqlstore.Store {
	t.Helper()
	at := sqlstoretest.New(t)
	stores := []*sqlstore.Store{at.Open(t)}
	for len(stores) < n {
		if at.Config.DSN == "" {
			stores = append(stores, stores[0]) // the data directory is locked: there is one process
		} else {
			stores = append(stores, at.Open(t))
		}
	}
	return stores
}

func TestSeveralPublishersPublishOnceAndInOrder(t *testing.T) {
	p := &topic{}
	var planes []*control.Control
	for _, s := range processes(t, 3) {
		planes = append(planes, plane(t, s, p))
	}
	first := projects(t, planes[0], 1)[0]
	var wg sync.WaitGroup
	for i, c := range planes {
		wg.Go(func() {
			for k := range 20 {
				_, position, err := c.CreateProject(t.Context(), pipeline.Project{Name: fmt.Sprintf("%d of %d", k, i)})
				if err != nil || position < 1 || position > c.Position() {
					t.Errorf("position %d of %d, %v", position, c.Position(), err)
				}
			}
		})
	}
	for k := range 10 {
		first.Notes = strconv.Itoa(k)
		var err error
		if first, _, err = planes[k%len(planes)].UpdateProject(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	seen, last := map[string]int{}, int64(0)
	for _, r := range p.recs {
		change, err := record.Decode[record.Change](r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if seen[change.ID]++; change.ID == first.ID {
			if change.Project.Version != last+1 {
				t.Errorf("version %d came after %d", change.Project.Version, last)
			}
			last = change.Project.Version
		} else if seen[change.ID] > 1 {
			t.Errorf("%s was published twice", change.Project.Name)
		}
	}
	if len(seen) != 61 || last != 11 {
		t.Errorf("%d projects and version %d were published", len(seen), last)
	}
	for _, c := range planes {
		if got := c.Position(); got != int64(len(p.recs)) {
			t.Errorf("a process knows the position %d, there are %d records", got, len(p.recs))
		}
	}
}

func projects(t *testing.T, c *control.Control, n int) (list []pipeline.Project) {
	t.Helper()
	for i := range n {
		p, _, err := c.CreateProject(t.Context(), pipeline.Project{Name: fmt.Sprintf("project %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestAChangeIsPublishedByWhoeverCan(t *testing.T) {
	stores, p := processes(t, 2), &topic{}
	away := control.New(control.Deps{Store: stores[0], Producer: &topic{fail: errors.New("bus is away")}, Log: slog.New(slog.DiscardHandler)})
	bustest.Run(t, "control", away.Run)
	other := plane(t, stores[1], p)
	done := make(chan error, 1)
	go func() {
		_, _, err := away.CreateProject(context.Background(), pipeline.Project{Name: "stuck"})
		done <- err
	}()
	n := 0
	bustest.Eventually(t, "the other process to publish it", func() bool {
		n++
		if _, _, err := other.CreateProject(t.Context(), pipeline.Project{Name: strconv.Itoa(n)}); err != nil {
			t.Error(err)
		}
		return len(p.keys()) > n
	})
	if err := <-done; err != nil {
		t.Errorf("who could not publish was not told that another had: %v", err)
	}
}

func TestThePositionOutlivesTheProcess(t *testing.T) {
	at, p := sqlstoretest.New(t), &topic{}
	projects(t, plane(t, at.Open(t), p), 3)
	next := control.New(control.Deps{Store: at.Open(t), Producer: p, Log: slog.New(slog.DiscardHandler)})
	if got := next.Position(); got != 3 {
		t.Errorf("Position() = %d", got)
	}
}

func TestBuiltInsAreSeededByProcessesThatStartTogether(t *testing.T) {
	p := &topic{}
	jobs, subs := catalogue(t, map[string]string{"jobs/J/template.yaml": job, "jobs/J/main.py": "pass", "subscriptions/s.yaml": sub, "subscriptions/t.yaml": sub})
	var wg sync.WaitGroup
	for _, s := range processes(t, 4) {
		c := plane(t, s, p)
		wg.Go(func() {
			if err := c.SeedBuiltIns(t.Context(), jobs, subs); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	bustest.Eventually(t, "what was saved to be published", func() bool { return len(p.keys()) >= 3 })
	keys := map[string]bool{}
	for _, k := range p.keys() {
		keys[k] = true
	}
	want := map[string]bool{"job/" + jobs[0].ID: true, "subscription/" + subs[0].ID: true, "subscription/" + subs[1].ID: true}
	if d := cmp.Diff(keys, want); d != "" || len(p.keys()) != 3 {
		t.Errorf("published %v (-got +want):\n%s", p.keys(), d)
	}
}

// Callers write what they like, into paths too.
func TestTextsOfAnyBytesAreStored(t *testing.T) {
	s, ctx := fresh(t), t.Context()
	c := plane(t, s, &topic{})
	if _, _, err := c.CreateProject(ctx, pipeline.Project{Name: "nul \x00 and \xff", Notes: "\x00"}); err != nil && pipeline.CodeOf(err) != pipeline.CodeInvalid {
		t.Error(err)
	}
	if _, err := s.UserByEmail(ctx, "a\x00\xff'; --@example.com"); pipeline.CodeOf(err) != pipeline.CodeNotFound {
		t.Error(err)
	}
	if err := s.Append(ctx, auth.Event{Action: "a", Target: "\x00\xff", Detail: "d\x00"}); err != nil {
		t.Error(err)
	}
	if list, err := s.Events(ctx, auth.EventQuery{Text: "d\x00", Limit: 10}); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}
