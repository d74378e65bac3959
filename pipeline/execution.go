package pipeline

import "time"

// State is where an execution stands.
type State string

// The states. An execution goes from queued over starting and running to one of
// the ends; a restarted launcher may put one back to queued with the next attempt.
const (
	StateQueued    State = "queued"
	StateStarting  State = "starting"
	StateRunning   State = "running"
	StateSucceeded State = "succeeded"
	StateFailed    State = "failed"
	StateStopped   State = "stopped"
	StateTimedOut  State = "timed_out"
	StateLost      State = "lost"
)

// States lists every state, in the order an execution goes through them.
func States() []State {
	return []State{
		StateQueued, StateStarting, StateRunning,
		StateSucceeded, StateFailed, StateStopped, StateTimedOut, StateLost,
	}
}

// Ended reports whether s is an end: nothing follows it within the same attempt.
func (s State) Ended() bool {
	switch s {
	case StateSucceeded, StateFailed, StateStopped, StateTimedOut, StateLost:
		return true
	default:
		return false
	}
}

// Rank orders states within an attempt; a later one wins over an earlier one, and
// every end has the same rank.
func (s State) Rank() int {
	switch s {
	case StateQueued:
		return 0
	case StateStarting:
		return 1
	case StateRunning:
		return 2
	default:
		return 3
	}
}

// Reason says why an execution is in its state; "" needs no explanation.
type Reason string

// The reasons.
const (
	ReasonExitCode      Reason = "exit_code"       // the process ended with a code other than 0
	ReasonSignal        Reason = "signal"          // the process was killed by a signal
	ReasonReported      Reason = "reported"        // the job said itself that it failed
	ReasonDeadline      Reason = "deadline"        // it ran past its deadline
	ReasonOutOfMemory   Reason = "out_of_memory"   // it passed its memory limit
	ReasonUnknownJob    Reason = "unknown_job"     // no job has this name
	ReasonUnknownOwner  Reason = "unknown_project" // the project does not exist any more
	ReasonBadArguments  Reason = "bad_arguments"   // a parameter is missing or has the wrong type
	ReasonNoInterpreter Reason = "no_interpreter"  // the program that runs it is not installed
	ReasonUnsupported   Reason = "unsupported"     // this launcher cannot run the job's type
	ReasonStart         Reason = "start_failed"    // it could not be started
	ReasonInterrupted   Reason = "interrupted"     // the launcher died; it will be run again
	ReasonShutdown      Reason = "shutdown"        // the launcher was stopped in order; it will be run again
	ReasonAttempts      Reason = "attempts"        // interrupted too often
	ReasonPerson        Reason = "person"          // a person stopped it
	ReasonSecret        Reason = "secret"          // a secret it names is missing or cannot be opened
	ReasonForbidden     Reason = "forbidden"       // the operator does not allow its image or what it asks for
	ReasonImage         Reason = "image_pull"      // its image cannot be fetched
	ReasonUnschedulable Reason = "unschedulable"   // no node had room for it in time
	ReasonQuota         Reason = "quota"           // the namespace's quota had no room for it in time
	ReasonEvicted       Reason = "evicted"         // the cluster took its pod away
	ReasonNodeLost      Reason = "node_lost"       // its node stopped answering
	ReasonDeleted       Reason = "deleted"         // somebody deleted its Kubernetes Job or pod
	ReasonUnsaid        Reason = "unsaid"          // it succeeded, but its findings could not be stored
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{
		ReasonExitCode, ReasonSignal, ReasonReported, ReasonDeadline, ReasonOutOfMemory,
		ReasonUnknownJob, ReasonUnknownOwner, ReasonBadArguments, ReasonNoInterpreter,
		ReasonUnsupported, ReasonStart, ReasonInterrupted, ReasonShutdown, ReasonAttempts, ReasonPerson,
		ReasonSecret, ReasonForbidden, ReasonImage, ReasonUnschedulable, ReasonQuota, ReasonEvicted, ReasonNodeLost, ReasonDeleted, ReasonUnsaid,
	}
}

// ExecutionEvent is a step in an execution's life, on the executions topic, keyed
// by the execution's id.
type ExecutionEvent struct {
	ExecutionID string    `json:"executionId"`
	ProjectID   string    `json:"projectId"`
	Attempt     int       `json:"attempt"` // from 1
	State       State     `json:"state"`
	Reason      Reason    `json:"reason,omitempty"`
	Detail      string    `json:"detail,omitempty"` // for people: the exit code, the missing program, …
	ExitCode    *int      `json:"exitCode,omitempty"`
	Runner      string    `json:"runner,omitempty"` // local, kubernetes
	At          time.Time `json:"at"`
}

// Level is the severity of a log line.
type Level string

// The levels.
const (
	LevelDebug   Level = "debug"
	LevelInfo    Level = "info"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Levels lists the levels from least to most severe.
func Levels() []Level { return []Level{LevelDebug, LevelInfo, LevelWarning, LevelError} }

// Stream says where a log line came from.
type Stream string

// The streams.
const (
	StreamSDK    Stream = "sdk"    // a log call of the job
	StreamStdout Stream = "stdout" // what the process printed
	StreamStderr Stream = "stderr"
	StreamEngine Stream = "engine" // the launcher itself
)

// LogLine is one line of an execution's log, on the logs topic, keyed by the
// execution's id. (ExecutionID, Attempt, Stream, Seq) names it.
type LogLine struct {
	ExecutionID string    `json:"executionId"`
	ProjectID   string    `json:"projectId"`
	Attempt     int       `json:"attempt"`
	Stream      Stream    `json:"stream"`
	Seq         uint64    `json:"seq"`
	Level       Level     `json:"level"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
}
