package v1

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/api/notify"
	"github.com/stalker-asm/stalker/pipeline"
)

func TestNotificationsAreMadeTriedChangedAndKeepTheirSecret(t *testing.T) {
	w := newWorld(t, shelf{})
	op := w.operator()
	var p pipeline.Project
	op.must("POST", "/projects", map[string]any{"name": "Acme"}, &p)
	var signature, stamp string
	var body []byte
	to := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		signature, stamp = r.Header.Get("Stalker-Signature"), r.Header.Get("Stalker-Timestamp")
		body, _ = io.ReadAll(r.Body)
		rw.WriteHeader(http.StatusAccepted)
	}))
	defer to.Close()
	in := map[string]any{
		"name": "SSH", "projectId": p.ID, "source": "changes", "kind": "port", "what": []string{"opened"}, "q": "port:22", "digest": 60,
		"quiet": map[string]any{"from": "22:00", "to": "07:00", "zone": "Europe/Paris"}, "channel": map[string]any{"type": "webhook", "url": to.URL + "/hidden", "secret": "shared"},
	}
	var n notificationView
	a := op.must("POST", "/notifications", in, &n, "Idempotency-Key", "k")
	if strings.Contains(string(a.body), "hidden") || strings.Contains(string(a.body), "shared") || strings.Contains(string(a.body), "sealed") || n.Digest != 60 || n.Channel.Host != strings.TrimPrefix(to.URL, "http://") {
		t.Errorf("made %s", a.body)
	}
	var again notificationView
	op.must("POST", "/notifications", in, &again, "Idempotency-Key", "k")
	if again.ID != n.ID {
		t.Error("the same request made another")
	}
	op.refused(409, "exists already", "POST", "/notifications", in)
	at := "/notifications/" + n.ID
	try := func(want string) {
		t.Helper()
		signature = ""
		var tried struct{ Status int }
		op.must("POST", at+"/test", nil, &tried)
		if tried.Status != 202 || !strings.Contains(string(body), `"test":true`) {
			t.Errorf("test: %d %s", tried.Status, body)
		}
		if want != "" {
			want = "v1=" + notify.Sign(want, stamp, body)
		}
		if signature != want {
			t.Errorf("signature %q, want %q", signature, want)
		}
	}
	try("shared")
	op.must("PATCH", at, map[string]any{"channel": map[string]any{"type": "webhook", "secret": "another"}}, &n)
	try("another")
	// who changes where it goes does not get the secret sent there
	op.must("PATCH", at, map[string]any{"channel": map[string]any{"type": "webhook", "url": to.URL + "/other"}}, &n)
	try("")
	op.must("PATCH", at, map[string]any{"quiet": map[string]any{"from": "", "to": ""}, "enabled": false}, &n, "If-Match", tag(n.Version))
	if n.Quiet != nil || n.Enabled || n.Query != "port:22" {
		t.Errorf("changed %+v", n)
	}
	op.refused(412, "changed meanwhile", "PATCH", at, map[string]any{"digest": 0}, "If-Match", `"1"`)
	w.operator().must("POST", "/secrets/rotate", nil, nil)
	try("")
	op.must("DELETE", at, nil, nil)
	op.refused(404, "", "GET", at, nil)
}

func TestWhatIsWrongWithANotificationIsSaid(t *testing.T) {
	w := newWorld(t, shelf{})
	op := w.operator()
	hook := map[string]any{"type": "webhook", "url": "https://hooks.example.com/1"}
	for words, in := range map[string]map[string]any{
		"channel.url":     {"source": "changes", "channel": map[string]any{"type": "slack", "url": "ftp://x"}},
		"channel.to[0]":   {"source": "changes", "channel": map[string]any{"type": "email", "to": []string{"Ana <a@example.com>"}}},
		"channel.chat":    {"source": "changes", "channel": map[string]any{"type": "telegram", "url": "https://bot.example.com/x"}},
		"channel.secret":  {"source": "changes", "channel": map[string]any{"type": "teams", "url": "https://x.example.com", "secret": "s"}},
		"kind and what":   {"source": "findings", "kind": "port", "channel": hook},
		"must be set":     {"source": "changes", "q": "port:22", "channel": hook},
		"did you mean":    {"source": "changes", "kind": "port", "q": "prot:22", "channel": hook},
		"must not name":   {"source": "changes", "kind": "port", "q": "project:Acme port:22", "channel": hook},
		"quiet.from":      {"source": "changes", "quiet": map[string]any{"from": "25:00", "to": "07:00"}, "channel": hook},
		"quiet.zone":      {"source": "changes", "quiet": map[string]any{"from": "22:00", "to": "07:00", "zone": "Nowhere/At all"}, "channel": hook},
		"nobody would":    {"source": "changes", "quiet": map[string]any{"from": "07:00", "to": "07:00"}, "channel": hook},
		"channel.url an ": {"source": "changes", "channel": map[string]any{"type": "webhook"}},
	} {
		in["name"] = "N"
		op.refused(400, words, "POST", "/notifications", in)
	}
}

func TestMessagesArePagedAndSentAgain(t *testing.T) {
	w := newWorld(t, shelf{})
	op := w.operator()
	var n notificationView
	op.must("POST", "/notifications", map[string]any{"name": "All", "source": "findings", "channel": map[string]any{"type": "email", "to": []string{"a@example.com"}}}, &n)
	var made []pipeline.Delivery
	for i := range 5 {
		at := time.Now().Add(time.Duration(i/2) * time.Second) // some at the same moment
		made = append(made, pipeline.Delivery{ID: pipeline.NewID(), NotificationID: n.ID, ProjectID: pipeline.NewID(), CreatedAt: at, DueAt: at, Events: 1, Body: []byte("{}")})
	}
	if err := w.sql.Advance(t.Context(), n.ID, notify.State{Version: 1}, made); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	path := "/notifications/" + n.ID + "/messages?limit=2"
	for cursor := ""; ; {
		var page struct {
			Items []pipeline.Delivery
			Next  string
		}
		op.must("GET", path+cursor, nil, &page)
		for _, d := range page.Items {
			seen[d.ID] = true
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if len(seen) != len(made) {
		t.Errorf("%d of %d messages were listed", len(seen), len(made))
	}
	again := "/notifications/" + n.ID + "/messages/" + made[0].ID + "/resend"
	op.refused(409, "on its way", "POST", again, nil)
	made[0].State, made[0].DoneAt = pipeline.DeliveryFailed, time.Now()
	if err := w.sql.Finish(t.Context(), made[0]); err != nil {
		t.Fatal(err)
	}
	var failed struct{ Items []pipeline.Delivery }
	op.must("GET", path+"&state=failed", nil, &failed)
	if len(failed.Items) != 1 {
		t.Errorf("failed %+v", failed.Items)
	}
	op.must("POST", again, nil, nil)
	op.refused(404, "", "POST", "/notifications/"+n.ID+"/messages/"+pipeline.NewID()+"/resend", nil)
}
