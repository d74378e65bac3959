package v1

import (
	"net/http"
	"slices"
	"time"

	"github.com/stalker-asm/stalker/api/control"
	"github.com/stalker-asm/stalker/pipeline"
)

// Bounds of a schedule.
const (
	maxScheduled = 2100 // every five minutes for a week; times of one subscription
	maxAhead     = 31 * 24 * time.Hour
	usualAhead   = 7 * 24 * time.Hour
)

// scheduled is when a subscription that goes by the clock looks. It has no times while
// it is off or broken.
type scheduled struct {
	SubscriptionID string      `json:"subscriptionId"`
	TimeZone       string      `json:"timeZone"`
	Next           time.Time   `json:"next,omitzero"`
	At             []time.Time `json:"at"`
	More           bool        `json:"more"`
}

func (a *API) listSchedule(w http.ResponseWriter, r *http.Request) {
	from, to, err := a.ahead(r)
	var subs []pipeline.Subscription
	if err == nil {
		subs, err = a.visibleSubscriptions(r)
	}
	var states map[string]control.SubscriptionState
	if err == nil {
		states, err = a.Control.States(r.Context(), subs)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	items := []scheduled{}
	for _, s := range subs {
		if states[s.ID].Schedule == "" {
			continue
		}
		t := control.ScheduledTimes(s.Document, from, to, maxScheduled)
		if !s.Enabled || len(states[s.ID].Problems) > 0 {
			t = control.Times{Zone: t.Zone}
		}
		if t.At == nil {
			t.At = []time.Time{}
		}
		items = append(items, scheduled{s.ID, t.Zone, t.Next, t.At, t.More})
	}
	list(w, items)
}

// ahead reads which while is asked about.
func (a *API) ahead(r *http.Request) (from, to time.Time, err error) {
	from = a.now()
	for name, at := range map[string]*time.Time{"from": &from, "to": &to} {
		if text := r.URL.Query().Get(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return from, to, pipeline.Errorf(pipeline.CodeInvalid, "%s: %q is no time such as 2026-11-25T10:00:00Z", name, text)
			}
		}
	}
	if to.IsZero() {
		to = from.Add(usualAhead)
	}
	if to.Before(from) || to.Sub(from) > maxAhead {
		return from, to, pipeline.Errorf(pipeline.CodeInvalid, "to must be after from, by at most 31 days")
	}
	return from, to, nil
}

// visibleSubscriptions are those that act on the project asked for, as far as somebody
// may see them.
func (a *API) visibleSubscriptions(r *http.Request) ([]pipeline.Subscription, error) {
	project, may := r.URL.Query().Get("project"), visible(r)
	subs, err := a.Control.Subscriptions(r.Context())
	return slices.DeleteFunc(subs, func(s pipeline.Subscription) bool {
		if s.ProjectID == "" {
			return false
		}
		return project != "" && s.ProjectID != project || may != nil && !slices.Contains(may, s.ProjectID)
	}), err
}
