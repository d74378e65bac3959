package schedule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stalker-asm/stalker/matchers/cooldown"
	"github.com/stalker-asm/stalker/pipeline/bus"
)

// state is what the leader remembers, restored from the changelog: the last tick of
// each subscription, which of its projects are still being walked through, and
// cooldowns. Changes of the transaction in hand can be taken back.
type state struct {
	ticks     map[string]int64           // by subscription, milliseconds since 1970
	walks     map[string]map[string]bool // by subscription, then project
	cooldowns *cooldown.Store
	undo      []func()
}

func newState() *state {
	return &state{ticks: map[string]int64{}, walks: map[string]map[string]bool{}, cooldowns: cooldown.NewStore()}
}

// Prefixes of the keys of the changelog.
const (
	keyTick     = "tick/"     // <subscription> → the last tick handled
	keyWalk     = "walk/"     // <subscription>/<project> → a tick is walking through it
	keyCooldown = "cooldown/" // as the matcher's triggers
)

type span struct {
	At    int64 `json:"at"`
	Until int64 `json:"until"`
}

// last returns the last tick handled, zero when there was none.
func (s *state) last(subscription string) time.Time {
	if at, ok := s.ticks[subscription]; ok {
		return time.UnixMilli(at).UTC()
	}
	return time.Time{}
}

func (s *state) setTick(subscription string, at int64) {
	was, had := s.ticks[subscription]
	s.ticks[subscription] = at
	s.undo = append(s.undo, func() {
		if had {
			s.ticks[subscription] = was
		} else {
			delete(s.ticks, subscription)
		}
	})
}

func (s *state) setWalk(subscription, project string, on bool) {
	was := s.walks[subscription][project]
	s.putWalk(subscription, project, on)
	s.undo = append(s.undo, func() { s.putWalk(subscription, project, was) })
}

func (s *state) putWalk(subscription, project string, on bool) {
	m := s.walks[subscription]
	switch {
	case on && m == nil:
		s.walks[subscription] = map[string]bool{project: true}
	case on:
		m[project] = true
	default:
		delete(m, project)
		if len(m) == 0 {
			delete(s.walks, subscription)
		}
	}
}

func (s *state) commit() {
	s.cooldowns.Commit()
	s.undo = s.undo[:0]
}

func (s *state) rollback() {
	s.cooldowns.Rollback()
	for _, undo := range slices.Backward(s.undo) {
		undo()
	}
	s.undo = s.undo[:0]
}

func stateRecord(key string, value any) bus.Record {
	r := bus.Record{Topic: bus.TopicScheduleState, Key: []byte(key)}
	if value != nil {
		r.Value, _ = json.Marshal(value) // numbers and booleans: never fails
	}
	return r
}

func (s *state) restore(key string, value []byte) error {
	if id, ok := strings.CutPrefix(key, keyTick); ok {
		var at int64
		if value == nil {
			delete(s.ticks, id)
			return nil
		}
		if err := json.Unmarshal(value, &at); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.ticks[id] = at
		return nil
	}
	if rest, ok := strings.CutPrefix(key, keyWalk); ok {
		id, project, _ := strings.Cut(rest, "/")
		s.putWalk(id, project, value != nil)
		return nil
	}
	if trigger, ok := strings.CutPrefix(key, keyCooldown); ok {
		var x span
		if value != nil {
			if err := json.Unmarshal(value, &x); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			s.cooldowns.Restore(trigger, cooldown.Entry{At: time.UnixMilli(x.At).UTC(), Until: time.UnixMilli(x.Until).UTC()})
			return nil
		}
		s.cooldowns.Restore(trigger, cooldown.Entry{})
		return nil
	}
	return fmt.Errorf("unknown key %q", key)
}
