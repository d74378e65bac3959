package bus

import (
	"encoding/binary"
	"testing"
)

// batch is the header of a record batch, and as many bytes after it.
func batch(base int64, lastDelta, records uint32, body int) []byte {
	b := make([]byte, batchHeader+body)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[batchLength:], uint32(len(b)-12))
	binary.BigEndian.PutUint32(b[batchLastDelta:], lastDelta)
	binary.BigEndian.PutUint32(b[batchRecords:], records)
	return b
}

func TestEmptyBatches(t *testing.T) {
	for name, tc := range map[string]struct {
		in   [][]byte
		next int64
		ok   bool
	}{
		"nothing":              {nil, -1, false},
		"one that is empty":    {[][]byte{batch(7, 2, 0, 0)}, 10, true},
		"two that are empty":   {[][]byte{batch(7, 2, 0, 0), batch(20, 0, 0, 5)}, 21, true},
		"records at the end":   {[][]byte{batch(7, 2, 0, 0), batch(10, 0, 1, 9)}, 0, false},
		"the last is cut":      {[][]byte{batch(7, 2, 0, 0), batch(10, 0, 0, 9)[:30]}, 10, true},
		"the body is cut":      {[][]byte{batch(7, 2, 0, 50)[:batchHeader+3]}, 10, true},
		"less than any header": {[][]byte{{1, 2, 3}}, -1, false},
	} {
		var all []byte
		for _, b := range tc.in {
			all = append(all, b...)
		}
		if next, ok := emptyUntil(all); next != tc.next || ok != tc.ok {
			t.Errorf("%s: %d, %v; want %d, %v", name, next, ok, tc.next, tc.ok)
		}
	}
}

func FuzzEmptyBatches(f *testing.F) {
	f.Add(batch(7, 2, 0, 4))
	f.Add(batch(7, 2, 1, 4))
	f.Fuzz(func(_ *testing.T, b []byte) { emptyUntil(b) })
}
