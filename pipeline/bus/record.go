package bus

import "time"

// Record is one message on a topic.
type Record struct {
	Topic     string
	Partition int32     // chosen by the key's hash when producing, unless Pinned
	Pinned    bool      // produce to exactly Partition
	Offset    int64     // set when read
	Time      time.Time // when it was produced; set when read
	Key       []byte
	Value     []byte // nil is a tombstone on a compacted topic
	Headers   map[string]string
}
