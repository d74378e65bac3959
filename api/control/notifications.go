package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/filter"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// kindNotification is the kind of notifications among the entities. Only the control
// plane knows them.
const kindNotification record.ChangeKind = "notification"

// Bounds of notifications.
const (
	maxNotifications = 500
	maxDigest        = 7 * 24 * time.Hour
	maxRecipients    = 50
)

// Notifications returns every notification, by name, without their secrets.
func (c *Control) Notifications(ctx context.Context) ([]pipeline.Notification, error) {
	all, err := list[pipeline.Notification](ctx, c.store, kindNotification)
	for i := range all {
		all[i].Sealed = nil
	}
	return all, err
}

// Notification returns one notification without its secret, or CodeNotFound.
func (c *Control) Notification(ctx context.Context, id string) (pipeline.Notification, error) {
	n, err := get[pipeline.Notification](ctx, c.store, kindNotification, id)
	n.Sealed = nil
	return n, err
}

// ChannelSecret opens where a notification goes.
func (c *Control) ChannelSecret(ctx context.Context, id string) (s pipeline.ChannelSecret, err error) {
	n, err := get[pipeline.Notification](ctx, c.store, kindNotification, id)
	if err != nil || n.Channel.Type == pipeline.ChannelEmail {
		return s, err
	}
	return c.openChannel(&n)
}

func (c *Control) openChannel(n *pipeline.Notification) (s pipeline.ChannelSecret, err error) {
	if c.sealer == nil || !c.sealer.Opens() {
		return s, pipeline.Errorf(pipeline.CodeUnavailable, "this server cannot open where notifications go: give it the keys, by secrets.key or secrets.keyFile")
	}
	text, err := c.sealer.Open(channelSecret(n))
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		return s, pipeline.Errorf(pipeline.CodeConflict, "where the notification %q goes does not open: %w: set its address again", n.Name, err)
	}
	return s, nil
}

// channelSecret is what the secret of a notification is bound to when it is closed.
func channelSecret(n *pipeline.Notification) pipeline.Secret {
	return pipeline.Secret{Name: "notification:" + n.ID, ProjectID: n.ProjectID, Sealed: n.Sealed}
}

// CreateNotification adds a notification. The same request again finds the first.
func (c *Control) CreateNotification(ctx context.Context, n pipeline.Notification, s *pipeline.ChannelSecret) (pipeline.Notification, error) {
	have, err := c.Notifications(ctx)
	if err != nil {
		return n, err
	}
	if i := slices.IndexFunc(have, func(x pipeline.Notification) bool { return x.ID == n.ID }); i >= 0 {
		return have[i], nil
	}
	if len(have) >= maxNotifications {
		return n, pipeline.Errorf(pipeline.CodeTooLarge, "there are %d notifications, which is the most there may be", maxNotifications)
	}
	if n.ProjectID != "" {
		if _, err := c.Project(ctx, n.ProjectID); err != nil {
			return n, err
		}
	}
	if s == nil {
		s = &pipeline.ChannelSecret{}
	}
	n.ID, n.Version = newID(n.ID), 1
	return c.saveNotification(ctx, n, s)
}

// UpdateNotification changes a notification; a nil secret stays as it is. n.Version is
// the version the change is based on.
func (c *Control) UpdateNotification(ctx context.Context, n pipeline.Notification, s *pipeline.ChannelSecret) (pipeline.Notification, error) {
	was, err := get[pipeline.Notification](ctx, c.store, kindNotification, n.ID)
	if err != nil {
		return n, err
	}
	n.Sealed = was.Sealed
	n.Version++
	return c.saveNotification(ctx, n, s)
}

func (c *Control) saveNotification(ctx context.Context, n pipeline.Notification, s *pipeline.ChannelSecret) (pipeline.Notification, error) {
	if p := checkNotification(&n, s); len(p) > 0 {
		return n, p
	}
	if s != nil && n.Channel.Type != pipeline.ChannelEmail {
		if c.sealer == nil || !c.sealer.Opens() {
			return n, pipeline.Errorf(pipeline.CodeUnavailable, "this server has no key to keep the address with: configure secrets.key or secrets.keyFile")
		}
		text, err := json.Marshal(s) //nolint:gosec // it is closed before it is kept
		if err == nil {
			n.Sealed, err = c.sealer.Seal(channelSecret(&n), string(text))
		}
		if err != nil {
			return n, fmt.Errorf("closing the address: %w", err)
		}
	}
	body, err := json.Marshal(n)
	if err != nil {
		return n, fmt.Errorf("encoding notification: %w", err)
	}
	e := Entity{Kind: kindNotification, ID: n.ID, Name: n.ProjectID + "/" + n.Name, Version: n.Version, Body: body}
	err = c.store.Keep(ctx, e)
	if pipeline.CodeOf(err) == pipeline.CodeConflict && strings.Contains(err.Error(), "exists already") {
		err = pipeline.Errorf(pipeline.CodeConflict, "a notification named %q exists already", n.Name)
	}
	n.Sealed = nil
	return n, err
}

// DeleteNotification removes a notification.
func (c *Control) DeleteNotification(ctx context.Context, id string) error {
	return c.store.Forget(ctx, kindNotification, id)
}

func checkNotification(n *pipeline.Notification, s *pipeline.ChannelSecret) (out Problems) {
	say := func(path, format string, a ...any) {
		out = append(out, Problem{Path: path, Message: fmt.Sprintf(format, a...)})
	}
	n.Name = strings.TrimSpace(n.Name)
	if n.Name == "" || len(n.Name) > maxName {
		say("name", "must have 1 to %d bytes", maxName)
	}
	kind := n.Kind
	switch {
	case n.Source == pipeline.NotifyFindings && (n.Kind != "" || len(n.What) > 0):
		say("source", "kind and what are for changes; findings are chosen with q")
	case n.Source == pipeline.NotifyFindings:
		kind = filter.Finding
	case n.Kind == "" && n.Query != "":
		say("kind", "must be set, so that it is known of what q is a filter")
	}
	if kind != "" && n.Query != "" {
		f, err := filter.Parse(kind, n.Query, time.Now())
		if err != nil {
			say("q", "%s", err.Error())
		} else if namesProject(f) {
			say("q", "must not name a project: that is what projectId is for")
		}
	}
	if n.Digest < 0 || n.Digest > maxDigest {
		say("digest", "must be between 0 and %s", maxDigest)
	}
	if n.Quiet != nil {
		checkQuiet(n.Quiet, say)
	}
	checkChannel(&n.Channel, s, say)
	return out
}

func namesProject(f *filter.Filter) (names bool) {
	filter.Terms(f.Root, func(t *filter.Term) { names = names || t.Field.Name == "project" })
	return names
}

func checkQuiet(q *pipeline.Quiet, say func(path, format string, a ...any)) {
	from, err := time.Parse("15:04", q.From)
	if err != nil {
		say("quiet.from", "%q is no time of day, such as 22:00", q.From)
	}
	to, err2 := time.Parse("15:04", q.To)
	if err2 != nil {
		say("quiet.to", "%q is no time of day, such as 07:30", q.To)
	}
	if err == nil && err2 == nil && from.Equal(to) {
		say("quiet.to", "must not be the time it begins at: nobody would ever be told anything")
	}
	if _, err := time.LoadLocation(q.Zone); err != nil {
		say("quiet.zone", "%q is no time zone, such as Europe/Paris", q.Zone)
	}
}

func checkChannel(ch *pipeline.Channel, s *pipeline.ChannelSecret, say func(path, format string, a ...any)) {
	if ch.Type == pipeline.ChannelEmail {
		ch.Host, ch.Chat = "", ""
		if len(ch.To) == 0 || len(ch.To) > maxRecipients {
			say("channel.to", "1 to %d e-mail addresses are expected", maxRecipients)
		}
		for i, to := range ch.To {
			if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
				say(fmt.Sprintf("channel.to[%d]", i), "%q is no e-mail address", to)
			}
		}
		return
	}
	ch.To = nil
	if ch.Type != pipeline.ChannelTelegram {
		ch.Chat = ""
	} else if ch.Chat == "" {
		say("channel.chat", "must name the chat")
	}
	if s == nil {
		return
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || len(s.URL) > 2000 {
		say("channel.url", "an address such as https://hooks.example.com/services/1 is expected, without credentials")
		return
	}
	ch.Host = u.Host
	if ch.Type != pipeline.ChannelWebhook && s.Secret != "" {
		say("channel.secret", "is for webhooks, which are signed with it")
	}
}

// openChannels opens where notifications go, for closing it again.
func (c *Control) openChannels(ctx context.Context) (closed []pipeline.Notification, secrets []pipeline.ChannelSecret, err error) {
	all, err := list[pipeline.Notification](ctx, c.store, kindNotification)
	for i := range all {
		if all[i].Channel.Type == pipeline.ChannelEmail {
			continue
		}
		s, err := c.openChannel(&all[i])
		if err != nil {
			return nil, nil, err
		}
		closed, secrets = append(closed, all[i]), append(secrets, s)
	}
	return closed, secrets, err
}
