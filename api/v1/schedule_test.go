package v1

import (
	"net/url"
	"testing"
	"time"
)

func TestTheScheduleIsOfWhatIsOnAndMayBeSeen(t *testing.T) {
	w := newWorld(t, shelf{})
	op := w.operator()
	var p, other struct{ ID string }
	op.must("POST", "/projects", map[string]any{"name": "A"}, &p)
	op.must("POST", "/projects", map[string]any{"name": "B"}, &other)
	op.must("POST", "/jobs", map[string]any{"name": "Look", "type": "code", "language": "python", "code": "pass"}, nil)
	add := func(project, name, more string, enabled bool) string {
		var s struct{ ID string }
		op.must("POST", "/subscriptions", map[string]any{"projectId": project, "enabled": enabled, "document": "name: " + name + "\n" + more + "\njob: {name: Look}\n"}, &s)
		return s.ID
	}
	const daily = "triggerType: cron\ncronExpression: 0 6 * * *\ntimeZone: Asia/Tokyo"
	on := add(p.ID, "on", daily, true)
	off := add(p.ID, "off", daily, false)
	add(p.ID, "event", "findings: [IpFinding]\ncooldown: 60", true)
	elsewhere := add(other.ID, "other", daily, true)
	ask := url.Values{"project": {p.ID}, "from": {"2026-11-25T00:00:00Z"}, "to": {"2026-11-26T22:00:00Z"}}
	var got struct{ Items []scheduled }
	op.must("GET", "/schedule?"+ask.Encode(), nil, &got)
	mine := map[string]scheduled{}
	for _, s := range got.Items {
		mine[s.SubscriptionID] = s
	}
	at := mine[on].At
	if len(at) != 2 || !at[0].Equal(time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC)) || !mine[on].Next.Equal(at[0]) || mine[on].TimeZone != "Asia/Tokyo" {
		t.Errorf("on: %+v", mine[on])
	}
	if s, there := mine[off]; !there || len(s.At) != 0 || !s.Next.IsZero() {
		t.Errorf("off: %+v", s)
	}
	if _, there := mine[elsewhere]; there {
		t.Error("one of another project")
	}
	op.refused(400, "31 days", "GET", "/schedule?from=2026-11-25T00:00:00Z&to=2027-11-25T00:00:00Z", nil)
	op.refused(400, "", "GET", "/schedule?from=tomorrow", nil)
	ben := w.person("ben@example.com")
	op.must("PUT", "/projects/"+other.ID+"/members/user/"+ben.id, map[string]any{"role": "viewer"}, nil)
	var theirs struct{ Items []scheduled }
	ben.must("GET", "/schedule", nil, &theirs)
	seen := map[string]bool{}
	for _, s := range theirs.Items {
		seen[s.SubscriptionID] = true
	}
	if !seen[elsewhere] || seen[on] || seen[off] {
		t.Errorf("a viewer of another project sees %v", seen)
	}
}
