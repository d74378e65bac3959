// Package control is the control plane: projects, jobs and subscriptions, and how
// their changes reach the other roles. A change is saved together with an outbox
// row, published to the control topic in order, and answered with its position
// there, which findings made afterwards carry.
package control

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// Entity is a stored project, job or subscription.
type Entity struct {
	Kind    record.ChangeKind
	ID      string
	Name    string
	BuiltIn bool
	Version int64
	Body    []byte // JSON
}

// Unsent is a change that the control topic does not have yet.
type Unsent struct {
	Seq    int64
	Key    string
	Change []byte
}

// Store keeps entities and the outbox. Package sqlstore is one.
type Store interface {
	Save(ctx context.Context, e Entity, change record.Change) (seq int64, err error)
	Remove(ctx context.Context, kind record.ChangeKind, id string) (seq int64, err error)
	Get(ctx context.Context, kind record.ChangeKind, id string) (Entity, error)
	List(ctx context.Context, kind record.ChangeKind) ([]Entity, error)
	// Keep and Forget are Save and Remove of what nobody but the control plane knows.
	Keep(ctx context.Context, e Entity) error
	Forget(ctx context.Context, kind record.ChangeKind, id string) error
	// Publish hands changes to fn that were not published, in order, and forgets
	// them once fn returned the position after the last; of all processes one at a
	// time does so. It returns how many there were.
	Publish(ctx context.Context, limit int, fn func([]Unsent) (position int64, err error)) (n int, err error)
	// Published is how far any process has published.
	Published(ctx context.Context) (seq, position int64, err error)
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

// sealer closes secrets, and opens them when it has more than the public half of
// the key.
type sealer interface {
	Opens() bool
	Seal(s pipeline.Secret, value string) ([]byte, error)
	Open(s pipeline.Secret) (string, error)
	Renew() error
	Retire() error
}

// Deps is what the control plane needs.
type Deps struct {
	Store    Store
	Producer producer
	Sealer   sealer // nil when this process has no key: secrets cannot be stored
	Log      *slog.Logger

	Templates []pipeline.Job     // job templates that ship with the program
	Sizes     []pipeline.PodSize // those of the configuration; nil means the default ones
	Largest   pipeline.PodSize   // the most people may give a pod size; zero means the default
}

// Control changes and reads the control plane. Run must be running for changes to
// be published.
type Control struct {
	store    Store
	producer producer
	sealer   sealer
	log      *slog.Logger
	now      func() time.Time
	kick     chan struct{}

	templates []pipeline.Job
	sizes     []pipeline.PodSize
	largest   pipeline.PodSize

	mu       sync.Mutex
	sent     int64 // newest published outbox row
	position int64 // its offset on the control topic plus one
	moved    chan struct{}
}

// New returns a control plane.
func New(d Deps) *Control {
	c := &Control{
		store: d.Store, producer: d.Producer, sealer: d.Sealer, log: d.Log.With("component", "control"), now: time.Now,
		kick: make(chan struct{}, 1), moved: make(chan struct{}), templates: d.Templates, sizes: d.Sizes, largest: d.Largest,
	}
	if c.sizes == nil {
		c.sizes = pipeline.DefaultPodSizes()
	}
	if c.largest == (pipeline.PodSize{}) {
		c.largest = pipeline.LargestPodSize()
	}
	return c
}

// publishWait bounds how long a change waits for the bus. Beyond it the change is
// saved and will be published; its caller is told so.
const publishWait = 10 * time.Second

// Run publishes what is in the outbox, in order, until ctx ends.
func (c *Control) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.kick:
		case <-time.After(max(pause, 5*time.Second)):
		}
		if err := c.publish(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("changes could not be published, will be tried again", "err", err)
			pause = min(max(2*pause, 100*time.Millisecond), 10*time.Second)
			time.AfterFunc(pause, c.wake)
			continue
		}
		pause = 0
	}
}

// Position is the control-plane position of the newest published change, by whichever
// process it was. It asks the store; when that does not answer soon, it is what this
// process knows.
func (c *Control) Position() int64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := c.refresh(ctx); err != nil {
		c.log.Warn("the position may be an old one", "err", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position
}

func (c *Control) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// publish empties the outbox. Another process may have done it: what counts is
// what the store says was published.
func (c *Control) publish(ctx context.Context) error {
	for {
		n, err := c.store.Publish(ctx, 500, func(list []Unsent) (int64, error) { return c.produce(ctx, list) })
		if err == nil {
			err = c.refresh(ctx)
		}
		if err != nil || n == 0 {
			return err
		}
	}
}

func (c *Control) produce(ctx context.Context, list []Unsent) (position int64, err error) {
	recs := make([]bus.Record, len(list))
	for i, u := range list {
		recs[i] = bus.Record{Topic: bus.TopicControl, Key: []byte(u.Key), Value: u.Change}
	}
	if err := c.producer.Produce(ctx, recs); err != nil {
		return 0, err
	}
	return recs[len(recs)-1].Offset + 1, nil
}

// refresh learns how far the outbox was published, and tells who waits.
func (c *Control) refresh(ctx context.Context) error {
	seq, position, err := c.store.Published(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if seq <= c.sent && position <= c.position {
		return nil
	}
	c.sent, c.position = max(c.sent, seq), max(c.position, position)
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// published waits until an outbox row is on the control topic, and returns the
// position from which a reader knows it.
func (c *Control) published(ctx context.Context, seq int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	c.wake()
	for {
		c.mu.Lock()
		sent, position, moved := c.sent, c.position, c.moved
		c.mu.Unlock()
		if sent >= seq {
			return position, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, pipeline.Errorf(pipeline.CodeUnavailable, "the change is saved and will take effect once the bus answers")
		}
	}
}

// save stores an entity's next version and waits until it is published.
func save[T any](ctx context.Context, c *Control, e Entity, body *T, change record.Change) (int64, error) {
	var err error
	if e.Body, err = json.Marshal(body); err != nil {
		return 0, fmt.Errorf("encoding %s: %w", e.Kind, err)
	}
	seq, err := c.store.Save(ctx, e, change)
	if err != nil {
		return 0, err
	}
	return c.published(ctx, seq)
}

func list[T any](ctx context.Context, s Store, kind record.ChangeKind) ([]T, error) {
	entities, err := s.List(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(entities))
	for i, e := range entities {
		if err := json.Unmarshal(e.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("decoding %s %s: %w", kind, e.ID, err)
		}
	}
	return out, nil
}

func get[T any](ctx context.Context, s Store, kind record.ChangeKind, id string) (out T, err error) {
	e, err := s.Get(ctx, kind, id)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(e.Body, &out); err != nil {
		return out, fmt.Errorf("decoding %s %s: %w", kind, id, err)
	}
	return out, nil
}
