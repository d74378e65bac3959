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

	// Report, when set, makes this no request to stop: it is a job's word of itself,
	// which travels the same way to whoever runs it. Nothing else is set then, so
	// that a launcher that knows no reports stops nothing.
	Report *Report `json:"report,omitempty"`
}

// Report is a job's word that its execution failed. Its end is failed then, with the
// reason reported, even if its process exits with 0.
type Report struct {
	ExecutionID string    `json:"executionId"`
	Attempt     int       `json:"attempt"` // of which this was said; of another it says nothing
	Detail      string    `json:"detail,omitempty"`
	At          time.Time `json:"at"`
}

// Covers reports whether the request is about an execution.
func (s *StopRequest) Covers(r *JobRequest) bool {
	if s.Report != nil {
		return false
	}
	if s.ExecutionID != "" {
		return s.ExecutionID == r.ID
	}
	return (s.ProjectID == "" || s.ProjectID == r.ProjectID) && !r.At.After(s.At)
}
