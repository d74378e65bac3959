package schedule

import (
	"time"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// message travels on the schedule topic: a tick that is due, or a page of resources
// to look at for one. Each is followed by at most one more of its kind.
type message struct {
	Kind         string `json:"kind"`
	Subscription string `json:"subscription"`
	At           int64  `json:"at"`                // the tick, milliseconds since 1970
	Skip         bool   `json:"skip,omitempty"`    // it was missed
	After        string `json:"after,omitempty"`   // of a tick: the last project that was looked at
	Project      string `json:"project,omitempty"` // of a page
	Cursor       string `json:"cursor,omitempty"`
	Part         int    `json:"part,omitempty"`    // of a page: how many came before
	Attempt      int    `json:"attempt,omitempty"` // how often it failed
}

const (
	kindTick = "tick"
	kindPage = "page"
)

func (m *message) time() time.Time { return time.UnixMilli(m.At).UTC() }

func (m *message) record() bus.Record {
	v, _ := record.Encode(*m) // texts and numbers: never fails
	return bus.Record{Topic: bus.TopicSchedule, Key: []byte(m.Subscription), Value: v}
}

func decode(value []byte) (message, error) { return record.Decode[message](value) }
