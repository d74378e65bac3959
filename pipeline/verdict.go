package pipeline

import "time"

// Verdict is what became of one subscription for a finding: it fired, or a guard
// stopped it. Conditions that do not hold are not recorded: they can be looked at
// again at any time, while what the guards knew cannot.
type Verdict struct {
	SubscriptionID string `json:"subscriptionId"`
	Name           string `json:"name"`
	Version        int64  `json:"version"` // of the subscription
	Stage          string `json:"stage"`
	Reason         string `json:"reason"`
	Detail         string `json:"detail,omitempty"`      // for people
	ExecutionID    string `json:"executionId,omitempty"` // what was asked for, when it fired
}

// Verdicts are those about one finding, on the verdicts topic, keyed by the finding's
// id.
type Verdicts struct {
	FindingID string    `json:"findingId"`
	ProjectID string    `json:"projectId"`
	At        time.Time `json:"at"`
	List      []Verdict `json:"list"`
}

// StoredVerdict is a verdict as the store keeps it.
type StoredVerdict struct {
	Verdict
	FindingID string    `json:"findingId"`
	ProjectID string    `json:"projectId"`
	At        time.Time `json:"at"`
}
