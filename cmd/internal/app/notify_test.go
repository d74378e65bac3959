package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/cmd/internal/app"
	"github.com/stalker-asm/stalker/pipeline"
)

// TestAWebhookIsToldOfNewPortsAndFindings goes the whole way: files are imported,
// projected, and told by filters that the store itself answers.
func TestAWebhookIsToldOfNewPortsAndFindings(t *testing.T) {
	messages := make(chan notify.Message, 1000)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m notify.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		messages <- m
	}))
	t.Cleanup(to.Close)
	c := bare(t, func(cfg *app.Config) {
		cfg.Notifications.AllowPrivate, cfg.Notifications.Every, cfg.Notifications.Settle = true, 200*time.Millisecond, 3*time.Second
	})
	var p struct{ ID string }
	c.must(t, "POST", "/api/v1/projects", map[string]any{"name": "Acme"}, &p)
	for _, in := range []map[string]any{
		{"name": "ports", "source": "changes", "kind": "port", "what": []string{"opened"}, "q": "port:22 OR tag:None"},
		{"name": "findings", "source": "findings", "q": "key:PortFinding"},
	} {
		in["projectId"], in["channel"] = p.ID, map[string]any{"type": "webhook", "url": to.URL}
		c.must(t, "POST", "/api/v1/notifications", in, nil)
	}
	// a notification begins with its first look, so there is news until both have told some
	told := map[string]int{}
	for i := 1; i < 250 && (told["ports"] == 0 || told["findings"] == 0); i++ {
		file := fmt.Sprintf("192.0.2.%d:22\n192.0.2.%d:23\n", i, i)
		if _, status := c.file(t, "/projects/"+p.ID+"/imports?format=list", file); status >= 300 {
			t.Fatalf("import: %d", status)
		}
		select {
		case m := <-messages:
			told[m.Notification.Name] += len(m.Events)
			check(t, &m)
		case <-time.After(500 * time.Millisecond):
		}
	}
	if told["ports"] == 0 || told["findings"] == 0 {
		t.Errorf("told %v", told)
	}
}

func check(t *testing.T, m *notify.Message) {
	t.Helper()
	for _, e := range m.Events {
		switch {
		case m.Notification.Name == "findings" && (e.Finding == nil || e.Finding.Type != pipeline.PortFinding):
			t.Errorf("%s told %+v", m.Notification.Name, e)
		case m.Notification.Name == "ports" && (e.Change == nil || e.Change.What != pipeline.Opened || !strings.Contains(e.Change.CorrelationKey, ";port:22;")):
			t.Errorf("%s told %+v", m.Notification.Name, e)
		}
	}
}
