package pipeline

import "time"

// StopRequest asks for the end of executions, on the stops topic. It is about one
// execution, or about everything of a project, or about everything, that was
// requested before At.
type StopRequest struct {
	ExecutionID string    `json:"executionId,omitempty"`
	ProjectID   string    `json:"projectId,omitempty"`
	UserID      string    `json:"userId,omitempty"` // who asked
	By          string    `json:"by,omitempty"`     // the same for people: shown as the detail of the end
	At          time.Time `json:"at"`
}

// Covers reports whether the request is about an execution.
func (s *StopRequest) Covers(r *JobRequest) bool {
	if s.ExecutionID != "" {
		return s.ExecutionID == r.ID
	}
	return (s.ProjectID == "" || s.ProjectID == r.ProjectID) && !r.At.After(s.At)
}
