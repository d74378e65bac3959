package control

import (
	"bytes"
	"encoding/json"
	"fmt"
)

func encode(body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return b, nil
}

// same compares what two values are when stored, so that a default that was an
// int in a file and a float in the store is no change.
func same(a, b any) bool {
	x, errA := encode(a)
	y, errB := encode(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
