package pipeline

import (
	"encoding/json"
	"time"
)

// JobType says how a job's code is run.
type JobType string

// The job types.
const (
	JobCode      JobType = "code"      // a script in Language
	JobNuclei    JobType = "nuclei"    // a nuclei template, with an optional handler
	JobContainer JobType = "container" // any image that prints findings as JSON lines
)

// Job is a definition: code and how to run it. An execution is one run of it.
type Job struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"` // unique; subscriptions refer to it
	Summary    string        `json:"summary,omitempty"`
	Type       JobType       `json:"type"`
	Language   string        `json:"language,omitempty"` // python, yaml
	Code       string        `json:"code"`
	Handler    string        `json:"handler,omitempty"` // nuclei: Python that turns results into findings
	Image      string        `json:"image,omitempty"`
	Command    []string      `json:"command,omitempty"`    // container: what to run instead of the image's own
	RawSockets bool          `json:"rawSockets,omitempty"` // asks for NET_RAW; the operator has to allow it
	PodSize    string        `json:"podSize,omitempty"`    // XS … XXL
	Category   string        `json:"category,omitempty"`
	Parameters []Parameter   `json:"parameters,omitempty"`
	Deadline   time.Duration `json:"deadline,omitempty"` // 0 means the launcher's default
	BuiltIn    bool          `json:"builtIn,omitempty"`
	SourceID   string        `json:"sourceId,omitempty"` // the git source it comes from, and its file there
	SourceFile string        `json:"sourceFile,omitempty"`
	OriginID   string        `json:"originId,omitempty"` // what it was copied from: built in, or of a git source
	Version    int64         `json:"version"`            // grows with every change
	UpdatedAt  time.Time     `json:"updatedAt"`
}

// Parameter declares an input of a job.
type Parameter struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // string, number, boolean, string[], number[]
	Default  any    `json:"default,omitempty"`
	Required bool   `json:"required,omitempty"` // an execution without a value is refused
	Secret   bool   `json:"secret,omitempty"`   // its value is shown nowhere
	Summary  string `json:"summary,omitempty"`
}

// Argument is a parameter's value for one execution. Value is JSON, its type kept.
type Argument struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// JobRequest asks the launcher for one execution. It travels on the jobs topic.
type JobRequest struct {
	ID        string     `json:"id"` // the execution's id, derived from the cause: asking twice gives one execution
	ProjectID string     `json:"projectId"`
	Job       string     `json:"job"` // the job's name
	Arguments []Argument `json:"arguments,omitempty"`
	Priority  int        `json:"priority"` // lower runs first; 1 a person, 3 automation
	At        time.Time  `json:"at"`
	Cause     Cause      `json:"cause"`
	Target    string     `json:"target,omitempty"` // correlation key of the resource this is about
	Control   int64      `json:"control,omitempty"`
}

// Cause says why an execution was requested.
type Cause struct {
	SubscriptionID   string `json:"subscriptionId,omitempty"`
	SubscriptionName string `json:"subscriptionName,omitempty"`
	FindingID        string `json:"findingId,omitempty"`
	ParentID         string `json:"parentId,omitempty"` // the execution whose finding it was
	UserID           string `json:"userId,omitempty"`   // set when a person asked
	RetryOf          string `json:"retryOf,omitempty"`  // the execution a person asked to run again
	RootID           string `json:"rootId"`             // first link of the chain; the request's own id when it is the first
	Depth            int    `json:"depth"`              // 0 for what a person or a schedule asked for
}

// Priorities of job requests.
const (
	PriorityPerson     = 1
	PriorityAutomation = 3
)
