package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

func TestQuiet(t *testing.T) {
	for _, tc := range []struct {
		from, to, zone, at string
		want               bool
	}{
		{"22:00", "07:00", "", "2026-11-25T23:00:00Z", true},
		{"22:00", "07:00", "", "2026-11-25T06:59:59Z", true},
		{"22:00", "07:00", "", "2026-11-25T07:00:00Z", false},
		{"22:00", "07:00", "", "2026-11-25T21:59:00Z", false},
		{"12:00", "13:00", "", "2026-11-25T12:30:00Z", true},
		{"12:00", "13:00", "", "2026-11-25T13:00:00Z", false},
		{"22:00", "07:00", "Asia/Tokyo", "2026-11-25T13:30:00Z", true}, // 22:30 there
		{"22:00", "07:00", "Asia/Tokyo", "2026-11-25T23:00:00Z", false},
	} {
		now, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := quiet(&pipeline.Quiet{From: tc.from, To: tc.to, Zone: tc.zone}, now); got != tc.want {
			t.Errorf("quiet(%+v) = %v", tc, got)
		}
	}
}

func TestDueAndPause(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	n := &pipeline.Notification{Digest: time.Hour}
	for since, want := range map[time.Duration]bool{0: false, 59 * time.Minute: false, time.Hour: true, 3 * time.Hour: true} {
		if got := due(n, now.Add(-since), now, now); got != want {
			t.Errorf("due(%s ago) = %v", since, got)
		}
	}
	n.Quiet = &pipeline.Quiet{From: "11:00", To: "13:00"}
	if due(n, now.Add(-3*time.Hour), now, now) {
		t.Error("due in quiet hours")
	}
	for attempt, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 5: 160 * time.Second, 10: time.Hour, 90: time.Hour} {
		if got := pause(attempt); got != want {
			t.Errorf("pause(%d) = %s, want %s", attempt, got, want)
		}
	}
}

// hostile is a message about a target that wants to be more than text.
func hostile() *Message {
	return &Message{ID: "1", Notification: ref{Name: "N"}, Project: ref{Name: "P"}, Events: []Event{
		{Change: &pipeline.Change{
			Kind: pipeline.KindWebsite, What: pipeline.Changed, Attribute: "title", Before: "a", After: "<!channel> @everyone [x](http://evil.example) *b*\n\u202edone\x00",
			CorrelationKey: "project:p;host:2001:db8::1;port:443;protocol:tcp;domain:a.example;path:/",
		}},
		{Finding: &pipeline.StoredFinding{Key: "K", CorrelationKey: "project:p;host:192.0.2.0;mask:24", Fields: []pipeline.Field{{Key: "v", Data: strings.Repeat("x", 1000)}}}},
	}}
}

func TestTexts(t *testing.T) {
	m := hostile()
	lines := m.lines()
	if want := "website a.example:443/ at 2001:db8::1: title is <!channel> @everyone [x](http://evil.example) *b*··done·, was a"; lines[0] != want {
		t.Errorf("line %q\nwant %q", lines[0], want)
	}
	if !strings.HasPrefix(lines[1], "K of 192.0.2.0/24, v: xxx") || len(lines[1]) > 200 {
		t.Errorf("line %q", lines[1])
	}
	for len(m.Events) < 50 {
		m.Events = append(m.Events, m.Events[0])
	}
	if lines = m.lines(); len(lines) != maxLines+1 || lines[maxLines] != "… and 30 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestChatsTakeTextOfTargetsAsText(t *testing.T) {
	for typ, want := range map[pipeline.ChannelType][]string{
		pipeline.ChannelSlack:    {`"text":"N: 2 changes in P\n`, `&lt;!channel&gt;`, `"mrkdwn":false`},
		pipeline.ChannelDiscord:  {`\\\u003c!channel>`, `\\[x](http`, `"parse":[]`},
		pipeline.ChannelTeams:    {`"RichTextBlock"`, `"TextRun"`},
		pipeline.ChannelTelegram: {`"chat_id":"-100"`, `"is_disabled":true`},
	} {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(typ == pipeline.ChannelDiscord)
		if err := enc.Encode(chat(pipeline.Channel{Type: typ, Chat: "-100"}, hostile())); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(strings.ReplaceAll(b.String(), `\u003e`, ">"), w) {
				t.Errorf("%s lacks %s in %s", typ, w, b.String())
			}
		}
		if strings.Contains(b.String(), "TextBlock\",\"text") || strings.Contains(b.String(), "parse_mode") {
			t.Errorf("%s is markup: %s", typ, b.String())
		}
	}
}
