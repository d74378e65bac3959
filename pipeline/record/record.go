// Package record is the wire form of everything that travels on a topic: JSON
// with a version. A reader accepts its own version and the one before, ignores
// fields it does not know, and reports anything else as CodeInvalid, which sends
// the record to the dead letters.
package record

import (
	"encoding/json"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
)

// Version is written into every value.
const Version = 1

type envelope[T any] struct {
	V    int `json:"v"`
	Body T   `json:"body"`
}

// Encode returns the wire form of a job request, an execution event, a log line
// or a control-plane change. It fails only for values that JSON cannot express.
func Encode[T any](body T) ([]byte, error) {
	b, err := json.Marshal(envelope[T]{V: Version, Body: body})
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "encoding record: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote.
func Decode[T any](data []byte) (T, error) {
	var e envelope[T]
	if err := json.Unmarshal(data, &e); err != nil {
		return e.Body, pipeline.Errorf(pipeline.CodeInvalid, "decoding record: %w", err)
	}
	if e.V != Version {
		return e.Body, pipeline.Errorf(pipeline.CodeInvalid, "record version %d is not readable here, only %d", e.V, Version)
	}
	return e.Body, nil
}

// finding is the wire form of pipeline.Finding; short names for what is in every
// record, the public names for what jobs wrote.
type finding struct {
	V       int                  `json:"v"`
	ID      string               `json:"id"`
	Project string               `json:"project"`
	At      int64                `json:"at"` // milliseconds since 1970
	Source  pipeline.Source      `json:"source"`
	Exec    string               `json:"exec,omitempty"`
	Job     string               `json:"job,omitempty"`
	User    string               `json:"user,omitempty"`
	Seq     uint64               `json:"seq,omitempty"`
	Root    string               `json:"root,omitempty"`
	Depth   int                  `json:"depth,omitempty"`
	Control int64                `json:"control,omitempty"`
	Type    pipeline.FindingType `json:"type"`
	Key     string               `json:"key"`
	Name    string               `json:"name,omitempty"`
	pipeline.Locators
	SSL    *bool            `json:"ssl,omitempty"`
	Tag    string           `json:"tag,omitempty"`
	Since  int64            `json:"since,omitempty"` // milliseconds since 1970
	Fields []pipeline.Field `json:"fields,omitempty"`
	CKey   string           `json:"ckey"`
}

// EncodeFinding returns the wire form of f.
func EncodeFinding(f *pipeline.Finding) ([]byte, error) {
	w := finding{
		V: Version, ID: f.ID, Project: f.ProjectID, At: f.At.UnixMilli(), Source: f.Source,
		Exec: f.ExecutionID, Job: f.JobName, User: f.UserID, Seq: f.Seq, Root: f.RootID,
		Depth: f.Depth, Control: f.Control, Type: f.Type, Key: f.Key, Name: f.Name,
		Locators: f.Locators, SSL: f.SSL, Tag: f.Tag, Fields: f.Fields, CKey: f.CorrelationKey,
	}
	if !f.Since.IsZero() {
		w.Since = f.Since.UnixMilli()
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, pipeline.Errorf(pipeline.CodeInvalid, "encoding finding: %w", err)
	}
	return b, nil
}

// DecodeFinding reads what EncodeFinding wrote.
func DecodeFinding(data []byte) (pipeline.Finding, error) {
	var w finding
	if err := json.Unmarshal(data, &w); err != nil {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeInvalid, "decoding finding: %w", err)
	}
	if w.V != Version {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeInvalid, "finding version %d is not readable here, only %d", w.V, Version)
	}
	if w.ID == "" || w.Project == "" || w.CKey == "" || w.Type == "" {
		return pipeline.Finding{}, pipeline.Errorf(pipeline.CodeInvalid, "finding lacks its id, project, type or correlation key")
	}
	var since time.Time
	if w.Since != 0 {
		since = time.UnixMilli(w.Since).UTC()
	}
	return pipeline.Finding{
		Since: since, ID: w.ID, ProjectID: w.Project, At: time.UnixMilli(w.At).UTC(), Source: w.Source,
		ExecutionID: w.Exec, JobName: w.Job, UserID: w.User, Seq: w.Seq, RootID: w.Root,
		Depth: w.Depth, Control: w.Control, Type: w.Type, Key: w.Key, Name: w.Name,
		Locators: w.Locators, SSL: w.SSL, Tag: w.Tag, Fields: w.Fields, CorrelationKey: w.CKey,
	}, nil
}
