package pipeline

import (
	"encoding/json"
	"time"
)

// Backtest is what a draft of a subscription would have done with the findings of
// the past.
type Backtest struct {
	Name      string           `json:"name"`
	Job       string           `json:"job"`
	Keys      []string         `json:"keys"`     // of the findings it reacts to
	Findings  int              `json:"findings"` // that have such a key
	From      time.Time        `json:"from"`     // of the first of them
	To        time.Time        `json:"to"`
	Jobs      int              `json:"jobs"`    // it would have started
	Targets   int              `json:"targets"` // resources they would have been aimed at
	Stopped   map[string]int   `json:"stopped"` // findings by the reason why nothing was started
	Step      string           `json:"step"`    // width of a bar
	Histogram []BacktestBar    `json:"histogram"`
	Samples   []BacktestSample `json:"samples"`  // the first jobs
	Complete  bool             `json:"complete"` // all findings of the time were looked at
}

// BacktestBar is how many jobs would have been started in the time from At on.
type BacktestBar struct {
	At   time.Time `json:"at"`
	Jobs int       `json:"jobs"`
}

// BacktestSample is one of the jobs.
type BacktestSample struct {
	At            time.Time                  `json:"at"`
	FindingID     string                     `json:"findingId"`
	ProjectID     string                     `json:"projectId"`
	Target        string                     `json:"target"`
	Parameters    map[string]json.RawMessage `json:"parameters"`
	Discriminator string                     `json:"discriminator,omitempty"`
}
