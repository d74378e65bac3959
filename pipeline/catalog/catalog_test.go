package catalog_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/bus/bustest"
	"github.com/stalker-asm/stalker/pipeline/catalog"
	"github.com/stalker-asm/stalker/pipeline/record"
)

func put(t *testing.T, b *bus.Bus, c record.Change) int64 {
	t.Helper()
	v, err := record.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte(c.Key()), Value: v})[0].Offset + 1
}

func start(t *testing.T, b *bus.Bus) *catalog.Catalog {
	t.Helper()
	c := catalog.New(catalog.Deps{Bus: b, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	bustest.Run(t, "catalog", c.Run)
	select {
	case <-c.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("catalog never got ready")
	}
	return c
}

func TestCatalogFollowsTheControlTopic(t *testing.T) {
	b := bustest.New(t)
	put(t, b, record.Change{Kind: record.ChangeProject, ID: "p1", Project: &pipeline.Project{ID: "p1", Name: "one"}})
	put(t, b, record.Change{Kind: record.ChangeJob, ID: "j1", Job: &pipeline.Job{ID: "j1", Name: "Old"}})
	bustest.Produce(t, b, bus.Record{Topic: bus.TopicControl, Key: []byte("project/x"), Value: []byte("garbage")})
	c := start(t, b)
	if p, ok := c.Project("p1"); !ok || p.Name != "one" {
		t.Errorf("Project() = %v, %v", p, ok)
	}
	changes := make(chan int64, 10)
	c.OnChange(func() { changes <- c.Position() })

	put(t, b, record.Change{Kind: record.ChangeJob, ID: "j1", Job: &pipeline.Job{ID: "j1", Name: "New"}})
	put(t, b, record.Change{Kind: record.ChangeSubscription, ID: "s1", Subscription: &pipeline.Subscription{ID: "s1"}})
	at := put(t, b, record.Change{Kind: record.ChangeProject, ID: "p1"})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.WaitFor(ctx, at); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Project("p1"); ok {
		t.Error("a deleted project is still there")
	}
	if _, ok := c.Job("Old"); ok {
		t.Error("a renamed job is found under its old name")
	}
	if _, ok := c.Job("New"); !ok {
		t.Error("a renamed job is not found")
	}
	if d := cmp.Diff(c.Subscriptions(), []pipeline.Subscription{{ID: "s1"}}); d != "" {
		t.Errorf("Subscriptions() (-got +want):\n%s", d)
	}
	if first := <-changes; first != at-2 {
		t.Errorf("first change seen at %d, want %d", first, at-2)
	}
}

func TestWaitForGivesUpWithItsContext(t *testing.T) {
	c := start(t, bustest.New(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.WaitFor(ctx, 5); pipeline.CodeOf(err) != pipeline.CodeUnavailable {
		t.Errorf("WaitFor() = %v, want unavailable", err)
	}
}

func TestSecretIsTheProjectsOwnBeforeTheOneForAll(t *testing.T) {
	b := bustest.New(t)
	for _, s := range []pipeline.Secret{{ID: "s1", Name: "key"}, {ID: "s2", Name: "key", ProjectID: "p1"}, {ID: "s3", Name: "other", ProjectID: "p1"}} {
		put(t, b, record.Change{Kind: record.ChangeSecret, ID: s.ID, Secret: &s})
	}
	c := start(t, b)
	for _, tc := range []struct{ project, name, want string }{
		{"p1", "key", "s2"}, {"p2", "key", "s1"}, {"p1", "other", "s3"}, {"p2", "other", ""}, {"p1", "KEY", ""},
	} {
		got, ok := c.Secret(tc.project, tc.name)
		if got.ID != tc.want || ok != (tc.want != "") {
			t.Errorf("Secret(%s, %s) = %q, %v, want %q", tc.project, tc.name, got.ID, ok, tc.want)
		}
	}
}

func TestAPodSizeIsWhatPeopleMadeOfItLast(t *testing.T) {
	b := bustest.New(t)
	size := func(cpu int) *pipeline.PodSize { return &pipeline.PodSize{Name: "M", MilliCPU: cpu, MemoryMiB: 100} }
	put(t, b, record.Change{Kind: record.ChangePodSize, ID: "M", PodSize: size(100)})
	at := put(t, b, record.Change{Kind: record.ChangePodSize, ID: "M", PodSize: size(200)})
	c := start(t, b)
	if err := c.WaitFor(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if s, ok := c.PodSize("M"); !ok || s.MilliCPU != 200 {
		t.Errorf("PodSize() = %+v, %v", s, ok)
	}
	if err := c.WaitFor(t.Context(), put(t, b, record.Change{Kind: record.ChangePodSize, ID: "M"})); err != nil {
		t.Fatal(err)
	}
	if s, ok := c.PodSize("M"); ok {
		t.Errorf("a deleted one is %+v", s)
	}
}
