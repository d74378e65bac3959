package pipeline

import "time"

// Subscription is a stored automation rule. Document is its source text, YAML or
// JSON; what it says is matchers/rule's business.
type Subscription struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	ProjectID  string    `json:"projectId,omitempty"` // "" means every project
	Enabled    bool      `json:"enabled"`
	BuiltIn    bool      `json:"builtIn,omitempty"`
	SourceID   string    `json:"sourceId,omitempty"` // the git source it comes from, and its file there
	SourceFile string    `json:"sourceFile,omitempty"`
	OriginID   string    `json:"originId,omitempty"` // what it was copied from: built in, or of a git source
	Document   string    `json:"document"`
	Version    int64     `json:"version"` // grows with every change
	UpdatedAt  time.Time `json:"updatedAt"`
}
