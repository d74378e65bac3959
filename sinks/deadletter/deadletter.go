// Package deadletter lets people look at records nobody could handle, and give them
// to their topic again once the cause is mended.
//
// A letter is named by its offset on the topic of dead letters. Replaying one writes
// the original record to its topic, saying how often it was given up, and then a note
// that it was replayed. A crash in between replays it again at worst; effects are
// idempotent by their ids. A record that cannot be handled again comes back as a new
// letter.
package deadletter

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// Letter is a record that could not be handled.
type Letter struct {
	Offset    int64             `json:"offset"` // names it
	At        time.Time         `json:"at"`     // when it was given up
	Group     string            `json:"group"`  // by whom
	Topic     string            `json:"topic"`  // where it comes from
	Partition int               `json:"partition"`
	From      int64             `json:"sourceOffset"`
	Code      string            `json:"code"`
	Reason    string            `json:"reason"`
	Attempt   int               `json:"attempt"`
	Replayed  *time.Time        `json:"replayed,omitempty"` // when it was given to its topic again
	Key       string            `json:"key"`
	Size      int               `json:"size"`              // of the value, in bytes
	Value     string            `json:"value,omitempty"`   // in a list, its beginning
	Headers   map[string]string `json:"headers,omitempty"` // of the original record
}

// preview is how much of a value a list shows: values may be large, and a list is
// kept in memory.
const preview = 500

type source interface {
	Starts(ctx context.Context, topics ...string) (bus.Offsets, error)
	Ends(ctx context.Context, topics ...string) (bus.Offsets, error)
	Scan(ctx context.Context, from, to bus.Offsets, n int, fn func([]bus.Record) error) error
}

type producer interface {
	Produce(ctx context.Context, recs []bus.Record) error
}

// Letters reads and replays.
type Letters struct {
	bus      source
	producer producer
}

// New returns the letters of a bus.
func New(b source, p producer) *Letters { return &Letters{bus: b, producer: p} }

// Filter selects letters; the zero value selects those that were not replayed.
type Filter struct {
	Group    string `json:"group,omitempty"`
	Topic    string `json:"topic,omitempty"`
	Code     string `json:"code,omitempty"`
	Reason   string `json:"reason,omitempty"`   // a part of the reason, in either case
	Replayed bool   `json:"replayed,omitempty"` // also those that were replayed
}

func (f *Filter) matches(l *Letter) bool {
	return (f.Group == "" || f.Group == l.Group) && (f.Topic == "" || f.Topic == l.Topic) &&
		(f.Code == "" || f.Code == l.Code) && (f.Replayed || l.Replayed == nil) &&
		(f.Reason == "" || strings.Contains(strings.ToLower(l.Reason), strings.ToLower(f.Reason)))
}

// List returns the newest letters, newest first, at most n, and how many there are.
// A letter that was written twice, as may happen in a crash, shows once.
func (l *Letters) List(ctx context.Context, f Filter, n int) (newest []Letter, total int, err error) {
	all, err := l.all(ctx)
	if err != nil {
		return nil, 0, err
	}
	all = slices.DeleteFunc(all, func(x Letter) bool { return !f.matches(&x) })
	total = len(all)
	slices.Reverse(all)
	return all[:min(n, total)], total, nil
}

// Show returns one letter, whole.
func (l *Letters) Show(ctx context.Context, offset int64) (Letter, error) {
	all, err := l.all(ctx)
	if err != nil {
		return Letter{}, err
	}
	i := slices.IndexFunc(all, func(x Letter) bool { return x.Offset == offset })
	if i < 0 {
		return Letter{}, pipeline.Errorf(pipeline.CodeNotFound, "no dead letter has the number %d: stalker dlq list shows them", offset)
	}
	x := all[i]
	r, err := l.record(ctx, offset)
	x.Value = string(r.Value)
	return x, err
}

// record reads one record of the topic.
func (l *Letters) record(ctx context.Context, offset int64) (found bus.Record, err error) {
	one := func(at int64) bus.Offsets { return bus.Offsets{bus.TopicDead: {0: at}} }
	there := false
	err = l.bus.Scan(ctx, one(offset), one(offset+1), 1, func(recs []bus.Record) error {
		for _, r := range recs {
			if r.Offset == offset {
				found, there = r, true
			}
		}
		return nil
	})
	if err == nil && !there {
		err = pipeline.Errorf(pipeline.CodeNotFound, "the dead letter %d has expired", offset)
	}
	return found, err
}

// Replay gives letters to their topics again, in their order, and returns how many it
// has: all of them without an error.
func (l *Letters) Replay(ctx context.Context, chosen []Letter) (n int, err error) {
	chosen = slices.SortedFunc(slices.Values(chosen), func(a, b Letter) int { return cmp.Compare(a.Offset, b.Offset) })
	for i, x := range chosen {
		if err := l.replay(ctx, &x); err != nil {
			return i, fmt.Errorf("replaying the dead letter %d: %w", x.Offset, err)
		}
	}
	return len(chosen), nil
}

func (l *Letters) replay(ctx context.Context, x *Letter) error {
	r, err := l.record(ctx, x.Offset)
	if err != nil {
		return err
	}
	again := bus.Record{Topic: x.Topic, Key: r.Key, Value: r.Value, Headers: map[string]string{bus.HeaderAttempt: strconv.Itoa(x.Attempt)}}
	maps.Copy(again.Headers, x.Headers)
	if err := l.producer.Produce(ctx, []bus.Record{again}); err != nil {
		return err
	}
	note := bus.Record{Topic: bus.TopicDead, Key: r.Key, Headers: map[string]string{bus.HeaderReplayed: strconv.FormatInt(x.Offset, 10)}}
	if err := l.producer.Produce(ctx, []bus.Record{note}); err != nil {
		return fmt.Errorf("it was replayed, but that could not be noted: %w", err)
	}
	return nil
}

// Source is where a record was that became a letter.
type Source struct {
	Topic     string
	Partition int
	Offset    int64
}

// Sources are the records that a group has given up, replayed or not.
func (l *Letters) Sources(ctx context.Context, group string) (map[Source]bool, error) {
	all, err := l.all(ctx)
	if err != nil {
		return nil, err
	}
	out := map[Source]bool{}
	for i := range all {
		if x := &all[i]; x.Group == group {
			out[Source{x.Topic, x.Partition, x.From}] = true
		}
	}
	return out, nil
}

// all reads the topic, which has one partition, without the values.
func (l *Letters) all(ctx context.Context) ([]Letter, error) {
	from, err := l.bus.Starts(ctx, bus.TopicDead)
	if err != nil {
		return nil, err
	}
	to, err := l.bus.Ends(ctx, bus.TopicDead)
	if err != nil {
		return nil, err
	}
	var all []Letter
	at := map[int64]int{}    // offset → index
	same := map[string]int{} // what is the same letter → index
	err = l.bus.Scan(ctx, from, to, 1000, func(recs []bus.Record) error {
		for _, r := range recs {
			if text, ok := r.Headers[bus.HeaderReplayed]; ok {
				offset, _ := strconv.ParseInt(text, 10, 64)
				if i, known := at[offset]; known {
					when := r.Time.UTC()
					all[i].Replayed = &when
				}
				continue
			}
			x := letter(r)
			name := fmt.Sprint(x.Group, x.Topic, x.Partition, x.From, x.Attempt)
			if i, known := same[name]; known {
				at[x.Offset] = i
				continue
			}
			at[x.Offset], same[name] = len(all), len(all)
			all = append(all, x)
		}
		return nil
	})
	return all, err
}

func letter(r bus.Record) Letter {
	h := r.Headers
	x := Letter{
		Offset: r.Offset, At: r.Time.UTC(), Group: h[bus.HeaderGroup], Topic: h[bus.HeaderTopic], Code: h[bus.HeaderCode],
		Reason: h[bus.HeaderReason], Key: string(r.Key), Size: len(r.Value), Value: string(r.Value[:min(preview, len(r.Value))]), Headers: map[string]string{},
	}
	x.Partition, _ = strconv.Atoi(h[bus.HeaderPartition])
	x.From, _ = strconv.ParseInt(h[bus.HeaderOffset], 10, 64)
	x.Attempt, _ = strconv.Atoi(h[bus.HeaderAttempt])
	for k, v := range h {
		if !strings.HasPrefix(k, "stalker-") {
			x.Headers[k] = v
		}
	}
	return x
}
