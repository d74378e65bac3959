// Package recordtest gives benchmarks the records that package sample makes, and a
// meter.
package recordtest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/normal"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/sample"
)

// Project is what everything is about.
const Project = "5f1e0a9b3c7d2e4f6a8b9c0d"

// Records are at least n records of the findings topic: one scan each of as many
// hosts as it takes for the half of n, and then a second one.
func Records(tb testing.TB, seed uint64, n int) []bus.Record {
	tb.Helper()
	s, scans := sample.New(seed), 0
	at := time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)
	var out []bus.Record
	say := func(host int) {
		at = at.Add(25 * time.Millisecond)
		scans++
		o := normal.Origin{
			ProjectID: Project, Source: pipeline.SourceJob, ExecutionID: fmt.Sprintf("%024x", scans), JobName: sample.Job,
			RootID: fmt.Sprintf("%024x", scans/50), Depth: 2, At: at, Since: at.Add(-time.Minute),
		}
		for _, raw := range s.Host(host) {
			out = append(out, Record(tb, raw, o))
		}
	}
	hosts := 0
	for len(out) < n/2 {
		say(hosts)
		hosts++
	}
	at = at.Add(time.Hour)
	for i := 0; len(out) < n; i++ {
		say(i % hosts)
	}
	for i := range out {
		out[i].Offset = int64(i)
	}
	return out
}

// Record is a finding as it is on the topic.
func Record(tb testing.TB, raw json.RawMessage, o normal.Origin) bus.Record {
	tb.Helper()
	f, err := normal.Finding(raw, o)
	if err != nil {
		tb.Fatalf("%s: %v", raw, err)
	}
	v, err := record.EncodeFinding(&f)
	if err != nil {
		tb.Fatal(err)
	}
	return bus.Record{Topic: bus.TopicFindings, Key: []byte(f.PartitionKey()), Value: v}
}
