// Package notify tells people and programs what became of resources and what was
// found. What there is to tell is read from the analytical store, in windows of time
// the projector has passed; how far a notification has come and the messages that
// tell it are kept in one transaction. So everything is told, a message is made
// once, by however many processes, and what a crash can repeat is the sending of one:
// receivers know it by its id.
//
// Any number of processes may run an Engine on one store.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/stalker-asm/stalker/pipeline"
)

// Store keeps how far notifications have come, and messages. Package sqlstore is one.
type Store interface {
	NotifyState(ctx context.Context, id string) (st State, known bool, err error)
	Advance(ctx context.Context, id string, st State, messages []pipeline.Delivery) error // CodeConflict when another process was first
	ForgetState(ctx context.Context, id string) error
	ForgetNotification(ctx context.Context, id string) error
	Take(ctx context.Context, now, until time.Time, most int) ([]pipeline.Delivery, error)
	Finish(ctx context.Context, d pipeline.Delivery) error
	Deliveries(ctx context.Context, notificationID string, state pipeline.DeliveryState, before string, limit int) ([]pipeline.Delivery, error)
	Delivery(ctx context.Context, id string) (pipeline.Delivery, error)
	Resend(ctx context.Context, id string, now time.Time) error
	DropDeliveries(ctx context.Context, before time.Time) error
}

// State is how far a notification has come: everything up to Since was told, and,
// while Until is set, of what came after it up to there what Cursors say.
type State struct {
	Version int64             `json:"-"`
	Since   time.Time         `json:"since"`
	Until   time.Time         `json:"until,omitzero"`
	Cursors map[string]string `json:"cursors,omitempty"` // by project; told is the end
}

const told = "."

type rules interface {
	Notifications(ctx context.Context) ([]pipeline.Notification, error)
	Notification(ctx context.Context, id string) (pipeline.Notification, error)
	ChannelSecret(ctx context.Context, id string) (pipeline.ChannelSecret, error)
	DeleteNotification(ctx context.Context, id string) error
	Projects(ctx context.Context) ([]pipeline.Project, error)
}

// history is what there is to tell.
type history interface {
	Changes(ctx context.Context, q pipeline.ChangeQuery) (pipeline.ChangePage, error)
	Findings(ctx context.Context, q pipeline.FindingQuery) (pipeline.Page[pipeline.StoredFinding], error)
	Domains(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Domain], error)
	Hosts(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Host], error)
	Ranges(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.IPRange], error)
	Ports(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Port], error)
	Websites(ctx context.Context, q pipeline.Query) (pipeline.Page[pipeline.Website], error)
}

// mailer sends letters; nil when the server has no way to.
type mailer interface {
	Send(ctx context.Context, to []string, subject, text string) error
}

// Deps is what an engine needs. Passed waits until everything that is on the bus by
// now shows in the history.
type Deps struct {
	Store   Store
	Rules   rules
	History history
	Passed  func(ctx context.Context) error
	Mail    mailer
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Engine finds out what there is to tell, and tells it.
type Engine struct {
	Deps
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	send    *sender
	now     func() time.Time
	dropped time.Time // when the log was cut last
}

// New returns an engine.
func New(cfg Config, d Deps) *Engine {
	e := &Engine{Deps: d, cfg: cfg, log: d.Log.With("component", "notify"), metrics: newMetrics(d.Metrics), now: time.Now}
	e.send = newSender(cfg, d.Mail)
	return e
}

// Run tells what happens until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return e.every(ctx, "look", e.look) })
	g.Go(func() error { return e.every(ctx, "send", e.deliver) })
	return g.Wait()
}

// every calls fn again and again. fn asks to be called again at once with true.
func (e *Engine) every(ctx context.Context, step string, fn func(context.Context) (more bool, err error)) error {
	for {
		more, err := fn(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end, whatever it interrupted
		}
		if err != nil {
			e.metrics.failures.Inc()
			e.log.Warn("notifying failed, will be tried again", "step", step, "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(e.cfg.Every):
		}
	}
}

// look makes messages of what has happened, for every notification.
func (e *Engine) look(ctx context.Context) (bool, error) {
	list, err := e.Rules.Notifications(ctx)
	if err != nil || len(list) == 0 {
		return false, err
	}
	projects, err := e.Rules.Projects(ctx)
	if err != nil {
		return false, err
	}
	now := e.now()
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := e.Passed(wait); err != nil {
		return false, err
	}
	names := map[string]string{}
	for i := range projects {
		names[projects[i].ID] = projects[i].Name
	}
	var errs []error // what is wrong with one holds up no other
	for i := range list {
		if err := e.follow(ctx, &list[i], names, now); err != nil && pipeline.CodeOf(err) != pipeline.CodeConflict {
			errs = append(errs, fmt.Errorf("notification %s: %w", list[i].ID, err))
		}
	}
	if now.Sub(e.dropped) > time.Hour {
		e.dropped = now
		errs = append(errs, e.Store.DropDeliveries(ctx, now.Add(-e.cfg.Keep)))
	}
	return false, errors.Join(errs...)
}

// follow makes the messages of one notification, up to now.
func (e *Engine) follow(ctx context.Context, n *pipeline.Notification, projects map[string]string, now time.Time) error {
	if _, there := projects[n.ProjectID]; n.ProjectID != "" && !there { // deleted, and what was said of it is to go too
		if err := e.Rules.DeleteNotification(ctx, n.ID); err != nil {
			return err
		}
		return e.Store.ForgetNotification(ctx, n.ID)
	}
	st, known, err := e.Store.NotifyState(ctx, n.ID)
	switch {
	case err != nil:
		return err
	case !n.Enabled && known:
		return e.Store.ForgetState(ctx, n.ID)
	case !n.Enabled:
		return nil
	}
	until := now.Add(-e.cfg.Settle).Truncate(time.Millisecond)
	if !known { // what was before is nothing new
		return e.Store.Advance(ctx, n.ID, State{Version: 1, Since: until}, nil)
	}
	if st.Until.IsZero() {
		if !due(n, st.Since, until, now) {
			return nil
		}
		st.Until, st.Cursors = until, map[string]string{}
	}
	ids := []string{n.ProjectID}
	if n.ProjectID == "" {
		ids = slices.Sorted(maps.Keys(projects))
	}
	for _, id := range ids {
		if st, err = e.tell(ctx, n, id, projects[id], st); err != nil {
			return err
		}
	}
	st.Version++
	st.Since, st.Until, st.Cursors = st.Until, time.Time{}, nil
	return e.Store.Advance(ctx, n.ID, st, nil)
}

// tell makes the messages about one project, a page at a time.
func (e *Engine) tell(ctx context.Context, n *pipeline.Notification, id, name string, st State) (State, error) {
	for st.Cursors[id] != told {
		events, next, err := e.page(ctx, n, id, name, st)
		if err != nil {
			return st, err
		}
		messages, err := e.messages(n, id, name, events)
		if err != nil {
			return st, err
		}
		cursors := map[string]string{id: next}
		for other, cursor := range st.Cursors {
			if other != id {
				cursors[other] = cursor
			}
		}
		st.Cursors = cursors
		if next == told && len(messages) == 0 {
			return st, nil // kept with whatever comes next
		}
		st.Version++
		if err := e.Store.Advance(ctx, n.ID, st, messages); err != nil {
			return st, err
		}
		e.metrics.events.Add(float64(len(events)))
	}
	return st, nil
}

// Log returns messages of a notification, the newest first.
func (e *Engine) Log(ctx context.Context, notificationID string, state pipeline.DeliveryState, before string, limit int) ([]pipeline.Delivery, error) {
	return e.Store.Deliveries(ctx, notificationID, state, before, limit)
}

// Forget drops what is kept of a notification that was deleted.
func (e *Engine) Forget(ctx context.Context, notificationID string) error {
	return e.Store.ForgetNotification(ctx, notificationID)
}

// Resend has a message of a notification sent again, with the id it had.
func (e *Engine) Resend(ctx context.Context, notificationID, id string) (pipeline.Delivery, error) {
	d, err := e.Store.Delivery(ctx, id)
	if err == nil && d.NotificationID != notificationID {
		err = pipeline.Errorf(pipeline.CodeNotFound, "no such message")
	}
	if err == nil {
		err = e.Store.Resend(ctx, id, e.now())
	}
	if err != nil {
		return d, err
	}
	return e.Store.Delivery(ctx, id)
}
