package projector

import (
	"encoding/json"
	"testing"

	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record/recordtest"
)

func batches(b *testing.B) [][]bus.Record {
	b.Helper()
	recs := recordtest.Records(b, 1, 60_000)
	var out [][]bus.Record
	for len(recs) > 0 {
		n := min(len(recs), 10_000)
		out, recs = append(out, recs[:n]), recs[n:]
	}
	return out
}

// BenchmarkFold is what decoded findings cost until they are rows, with the memory
// of the history, on one core.
func BenchmarkFold(b *testing.B) {
	n := 0
	var ins []input
	for _, recs := range batches(b) {
		in, dead := decode(recs)
		if len(dead) > 0 {
			b.Fatal(dead)
		}
		ins = append(ins, in)
		n += len(recs)
	}
	b.ReportAllocs()
	m, done := recordtest.Start(b), 0
	for b.Loop() {
		memory := newMemory()
		for _, in := range ins {
			for _, part := range in.parts() {
				h := newHistory(memory, len(part.findings))
				if _, dead := fold(part, h); len(dead) > 0 {
					b.Fatal(dead)
				}
				memory.written(&h, nil)
			}
		}
		done += n
	}
	m.Stop(done)
}

// BenchmarkDecode compares with what the standard library alone would do.
func BenchmarkDecode(b *testing.B) {
	all := batches(b)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		m, done := recordtest.Start(b), 0
		for b.Loop() {
			for _, recs := range all {
				decode(recs)
				done += len(recs)
			}
		}
		m.Stop(done)
	})
	b.Run("naive", func(b *testing.B) {
		m, done := recordtest.Start(b), 0
		for b.Loop() {
			for _, recs := range all {
				for i := range recs {
					var v map[string]any
					if err := json.Unmarshal(recs[i].Value, &v); err != nil {
						b.Fatal(err)
					}
				}
				done += len(recs)
			}
		}
		m.Stop(done)
	})
}
