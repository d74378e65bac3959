package pipeline

import (
	"encoding/json"
	"time"
)

// What becomes of a subscription for a finding, in an Explanation and in its steps.
const (
	OutcomeFired      = "fired"
	OutcomeStopped    = "stopped"
	OutcomePassed     = "passed"
	OutcomeUnknown    = "unknown"    // of a step that depends on what happened before, and was not recorded
	OutcomeUnrecorded = "unrecorded" // nothing stops it now, and nothing was recorded then
)

// Explanation says why a subscription started a job for a finding, or why not.
type Explanation struct {
	SubscriptionID string `json:"subscriptionId"`
	Name           string `json:"name"`
	Version        int64  `json:"version"` // of the subscription that was looked at
	Outcome        string `json:"outcome"`
	Stage          string `json:"stage,omitempty"` // the one that decided
	Reason         string `json:"reason,omitempty"`
	Detail         string `json:"detail,omitempty"` // for people
	// What was recorded when the finding came: when, about which version, what it started.
	RecordedAt      *time.Time                 `json:"recordedAt,omitempty"`
	RecordedVersion int64                      `json:"recordedVersion,omitempty"`
	ExecutionID     string                     `json:"executionId,omitempty"`
	Steps           []ExplainedStep            `json:"steps"`
	Conditions      any                        `json:"conditions,omitempty"` // each with the values of its operands, as rule eval shows them
	Parameters      map[string]json.RawMessage `json:"parameters,omitempty"`
	Discriminator   string                     `json:"discriminator,omitempty"`
}

// ExplainedStep is one stage's verdict.
type ExplainedStep struct {
	Stage    string `json:"stage"`
	Verdict  string `json:"verdict"`
	Reason   string `json:"reason,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Recorded bool   `json:"recorded"` // it was written down when the finding came, not worked out now
}

// Finding is the finding as it was when it came, without the data of images.
func (s *StoredFinding) Finding() Finding {
	return Finding{
		ID: s.ID, ProjectID: s.ProjectID, At: s.At, Source: s.Source, ExecutionID: s.ExecutionID, JobName: s.Job, UserID: s.UserID,
		RootID: s.RootID, Depth: s.Depth, Type: s.Type, Key: s.Key, Name: s.Name, Locators: s.Locators, SSL: s.SSL, Tag: s.Tag,
		Fields: s.Fields, CorrelationKey: s.CorrelationKey,
	}
}
