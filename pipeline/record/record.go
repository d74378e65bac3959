// Package record is the wire form of everything that travels on a topic: JSON
// with a version. A reader accepts its own version and the one before, ignores
// fields it does not know, and reports anything else as CodeInvalid, which sends
// the record to the dead letters.
package record

import (
	"encoding/json"

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
