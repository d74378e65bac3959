package v1

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/stalker-asm/stalker/pipeline"
)

type notifications interface {
	Notifications(ctx context.Context) ([]pipeline.Notification, error)
	Notification(ctx context.Context, id string) (pipeline.Notification, error)
	CreateNotification(ctx context.Context, n pipeline.Notification, s *pipeline.ChannelSecret) (pipeline.Notification, error)
	UpdateNotification(ctx context.Context, n pipeline.Notification, s *pipeline.ChannelSecret) (pipeline.Notification, error)
	ChannelSecret(ctx context.Context, id string) (pipeline.ChannelSecret, error)
	DeleteNotification(ctx context.Context, id string) error
}

// messages are those that notifications sent.
type messages interface {
	Log(ctx context.Context, notificationID string, state pipeline.DeliveryState, before string, limit int) ([]pipeline.Delivery, error)
	Resend(ctx context.Context, notificationID, id string) (pipeline.Delivery, error)
	Test(ctx context.Context, n pipeline.Notification) (status int, err error)
	Forget(ctx context.Context, notificationID string) error
}

func (a *API) notificationRoutes(r chi.Router) {
	r.Get("/notifications", a.listNotifications)
	r.Post("/notifications", a.createNotification)
	r.Get("/notifications/{id}", a.getNotification)
	r.Patch("/notifications/{id}", a.updateNotification)
	r.Delete("/notifications/{id}", a.deleteNotification)
	r.Post("/notifications/{id}/test", a.testNotification)
	r.Get("/notifications/{id}/messages", a.listMessages)
	r.Post("/notifications/{id}/messages/{messageId}/resend", a.resendMessage)
}

// notificationView is a notification with its digest in seconds.
type notificationView struct {
	pipeline.Notification
	Digest int64 `json:"digest"`
}

func viewNotification(n pipeline.Notification) notificationView {
	return notificationView{n, int64(n.Digest.Seconds())}
}

// notification returns the one a route is about. One of every project is for those
// who may everywhere.
func (a *API) notification(r *http.Request) (pipeline.Notification, error) {
	n, err := a.Control.Notification(r.Context(), chi.URLParam(r, "id"))
	if err == nil {
		err = allow(r, n.ProjectID)
	}
	if err == nil {
		about(r, n.ProjectID)
		note(r, n.Name)
	}
	return n, hide(err)
}

func (a *API) listNotifications(w http.ResponseWriter, r *http.Request) {
	project, may := r.URL.Query().Get("project"), visible(r)
	all, err := a.Control.Notifications(r.Context())
	if err != nil {
		a.fail(w, err)
		return
	}
	views := []notificationView{}
	for _, n := range all {
		if (project == "" || n.ProjectID == project) && (may == nil || slices.Contains(may, n.ProjectID)) {
			views = append(views, viewNotification(n))
		}
	}
	list(w, views)
}

func (a *API) getNotification(w http.ResponseWriter, r *http.Request) {
	n, err := a.notification(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, n.Version, viewNotification(n))
}

// notificationInput is what a person may set; nil leaves it as it is.
type notificationInput struct {
	Name    *string                      `json:"name"`
	Enabled *bool                        `json:"enabled"`
	Source  *pipeline.NotificationSource `json:"source"`
	Kind    *pipeline.Kind               `json:"kind"`
	What    *[]pipeline.What             `json:"what"`
	Query   *string                      `json:"q"`
	Channel *struct {
		Type   pipeline.ChannelType `json:"type"`
		URL    *string              `json:"url"`
		Secret *string              `json:"secret"`
		To     []string             `json:"to"`
		Chat   string               `json:"chat"`
	} `json:"channel"`
	Digest *int64 `json:"digest"`
	Quiet  *struct {
		From string `json:"from"`
		To   string `json:"to"`
		Zone string `json:"zone"`
	} `json:"quiet"`
}

// apply changes a notification, and returns the secret of its channel when that
// changes; was returns the one it has.
func (in *notificationInput) apply(n *pipeline.Notification, was func() (pipeline.ChannelSecret, error)) (s *pipeline.ChannelSecret, err error) {
	set(&n.Name, in.Name)
	set(&n.Enabled, in.Enabled)
	set(&n.Source, in.Source)
	set(&n.Kind, in.Kind)
	set(&n.What, in.What)
	set(&n.Query, in.Query)
	if in.Digest != nil {
		n.Digest = time.Duration(*in.Digest) * time.Second
	}
	if q := in.Quiet; q != nil {
		n.Quiet = &pipeline.Quiet{From: q.From, To: q.To, Zone: q.Zone}
		if q.From == "" && q.To == "" {
			n.Quiet = nil
		}
	}
	c := in.Channel
	if c == nil {
		return nil, nil //nolint:nilnil // nothing of the secret changes
	}
	another := n.Channel.Type != c.Type
	n.Channel = pipeline.Channel{Type: c.Type, Host: n.Channel.Host, To: c.To, Chat: c.Chat}
	if !another && c.URL == nil && c.Secret == nil {
		return nil, nil //nolint:nilnil // the same
	}
	s = &pipeline.ChannelSecret{}
	if !another {
		if *s, err = was(); err != nil {
			return nil, err
		}
	}
	if c.URL != nil && *c.URL != s.URL { // a secret is not sent to somewhere else
		*s = pipeline.ChannelSecret{URL: *c.URL}
	}
	set(&s.Secret, c.Secret)
	return s, nil
}

func (a *API) createNotification(w http.ResponseWriter, r *http.Request) {
	var in struct {
		notificationInput
		ProjectID string `json:"projectId"`
	}
	n := pipeline.Notification{ID: newID(r), Enabled: true}
	err := decode(w, r, &in)
	if err == nil {
		err = allow(r, in.ProjectID)
	}
	if err == nil {
		n.ProjectID = in.ProjectID
		var s *pipeline.ChannelSecret
		if s, err = in.apply(&n, nil); err == nil {
			about(r, n.ProjectID)
			note(r, n.Name)
			n, err = a.Control.CreateNotification(r.Context(), n, s)
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyCreated(w, "/notifications/"+n.ID, n.Version, viewNotification(n))
}

func (a *API) updateNotification(w http.ResponseWriter, r *http.Request) {
	var in notificationInput
	n, err := a.notification(r)
	if err == nil {
		err = match(r, n.Version)
	}
	if err == nil {
		err = decode(w, r, &in)
	}
	if err == nil {
		var s *pipeline.ChannelSecret
		s, err = in.apply(&n, func() (pipeline.ChannelSecret, error) { return a.Control.ChannelSecret(r.Context(), n.ID) })
		if err == nil {
			n, err = a.Control.UpdateNotification(r.Context(), n, s)
		}
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	replyTagged(w, http.StatusOK, n.Version, viewNotification(n))
}

func (a *API) deleteNotification(w http.ResponseWriter, r *http.Request) {
	n, err := a.notification(r)
	if err == nil {
		err = match(r, n.Version)
	}
	if err == nil {
		err = a.Control.DeleteNotification(r.Context(), n.ID)
	}
	if err == nil {
		err = a.Notify.Forget(r.Context(), n.ID)
	}
	a.done(w, err)
}

func (a *API) testNotification(w http.ResponseWriter, r *http.Request) {
	n, err := a.notification(r)
	status := 0
	if err == nil {
		status, err = a.Notify.Test(r.Context(), n)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusOK, map[string]int{"status": status})
}

func (a *API) listMessages(w http.ResponseWriter, r *http.Request) {
	n, err := a.notification(r)
	v := r.URL.Query()
	most := 50
	if err == nil {
		var given int
		if given, err = limit(v); given > 0 {
			most = given
		}
	}
	if c := v.Get("cursor"); err == nil && c != "" {
		err = id("cursor", c)
	}
	var page struct {
		Items []pipeline.Delivery `json:"items"`
		Next  string              `json:"next,omitempty"`
	}
	if err == nil {
		page.Items, err = a.Notify.Log(r.Context(), n.ID, pipeline.DeliveryState(v.Get("state")), v.Get("cursor"), most+1)
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	if len(page.Items) > most {
		page.Items = page.Items[:most]
		page.Next = page.Items[most-1].ID
	}
	if page.Items == nil {
		page.Items = []pipeline.Delivery{}
	}
	reply(w, http.StatusOK, page)
}

func (a *API) resendMessage(w http.ResponseWriter, r *http.Request) {
	n, err := a.notification(r)
	var d pipeline.Delivery
	if err == nil {
		d, err = a.Notify.Resend(r.Context(), n.ID, chi.URLParam(r, "messageId"))
	}
	if err != nil {
		a.fail(w, err)
		return
	}
	reply(w, http.StatusAccepted, d)
}
