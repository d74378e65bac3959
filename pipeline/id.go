package pipeline

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// IDLen is the length in characters of every id but a finding's: 24 lower-case
// hexadecimal digits (96 bits), the form the reference product uses.
const IDLen = 24

// FindingIDLen is the length in characters of a finding's id (128 bits).
const FindingIDLen = 32

// NewID returns a random id for something a person created.
func NewID() string {
	var b [IDLen / 2]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return hex.EncodeToString(b[:])
}

// DeriveID returns the id that always names the same parts: the same parts give
// the same id in every process and every replay. Parts are length-prefixed, so
// ("ab","c") and ("a","bc") differ.
func DeriveID(parts ...string) string { return derive(parts)[:IDLen] }

// ResourceID returns the stable id of the resource a correlation key names. It
// survives deletion and rediscovery.
func ResourceID(correlationKey string) string { return DeriveID("resource", correlationKey) }

// IsID reports whether s has the form of an id made by NewID or DeriveID.
func IsID(s string) bool {
	if len(s) != IDLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func derive(parts []string) string {
	var room [512]byte // what is usual fits
	text := room[:0]
	for _, p := range parts {
		text = binary.BigEndian.AppendUint64(text, uint64(len(p)))
		text = append(text, p...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
