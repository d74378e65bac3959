package pipeline

import (
	"errors"
	"fmt"
)

// Code classifies an error for whoever sees it from outside: an API client, a
// dead-letter record, a metric label. The set is closed.
type Code string

// The codes. An error that carries none is CodeInternal.
const (
	CodeInvalid      Code = "invalid"      // the input is wrong; the same call will fail again
	CodeNotFound     Code = "not_found"    // the named thing does not exist
	CodeConflict     Code = "conflict"     // it exists already, or changed meanwhile
	CodeUnauthorized Code = "unauthorized" // who are you
	CodeForbidden    Code = "forbidden"    // you may not
	CodeTooLarge     Code = "too_large"    // a size or count limit was passed
	CodeBusy         Code = "busy"         // back-pressure: try again later
	CodeUnavailable  Code = "unavailable"  // a part we need does not answer
	CodeInternal     Code = "internal"     // our own fault; details stay inside
)

// Codes lists every code, in the order of their declaration.
func Codes() []Code {
	return []Code{
		CodeInvalid, CodeNotFound, CodeConflict, CodeUnauthorized, CodeForbidden,
		CodeTooLarge, CodeBusy, CodeUnavailable, CodeInternal,
	}
}

// Error is an error with a code and a message that may be shown to a user.
type Error struct {
	Code    Code
	Message string
	Err     error // the cause, never shown outside when Code is CodeInternal
}

// Errorf returns an *Error with the given code. A %w verb keeps the cause.
func Errorf(code Code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first *Error in err's chain, CodeInternal when
// there is none, and the empty code for a nil error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
