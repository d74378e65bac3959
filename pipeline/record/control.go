package record

import "github.com/stalker-asm/stalker/pipeline"

// Change is one control-plane change, on the compacted control topic, keyed by
// Key. Exactly one of the pointers is set, or none when the thing was deleted.
type Change struct {
	Kind         ChangeKind             `json:"kind"`
	ID           string                 `json:"id"`
	Project      *pipeline.Project      `json:"project,omitempty"`
	Job          *pipeline.Job          `json:"job,omitempty"`
	Subscription *pipeline.Subscription `json:"subscription,omitempty"`
	Secret       *pipeline.Secret       `json:"secret,omitempty"`
	PodSize      *pipeline.PodSize      `json:"podSize,omitempty"`
}

// ChangeKind is what a control-plane change is about.
type ChangeKind string

// The kinds of control-plane changes.
const (
	ChangeProject      ChangeKind = "project"
	ChangeJob          ChangeKind = "job"
	ChangeSubscription ChangeKind = "subscription"
	ChangeSecret       ChangeKind = "secret"
	ChangePodSize      ChangeKind = "pod size"
)

// Key returns the record key under which the newest change is kept.
func (c *Change) Key() string { return string(c.Kind) + "/" + c.ID }

// Deleted reports whether the change says that the thing is gone.
func (c *Change) Deleted() bool {
	return c.Project == nil && c.Job == nil && c.Subscription == nil && c.Secret == nil && c.PodSize == nil
}
