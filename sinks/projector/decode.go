package projector

import (
	"runtime"
	"sync"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// entry is a record's content and where in the batch it was.
type entry[T any] struct {
	body   T
	index  int
	offset int64
}

// input is a decoded batch.
type input struct {
	findings []entry[pipeline.Finding]
	requests []entry[pipeline.JobRequest]
	events   []entry[pipeline.ExecutionEvent]
	lines    []entry[pipeline.LogLine]
	marks    []entry[pipeline.Mark]
	verdicts []entry[pipeline.Verdicts]
}

// decodeAlone is how many records one goroutine decodes before a second is worth
// starting.
const decodeAlone = 256

// decode reads the records of a batch, in parallel when there are many: it is the
// larger part of a projector's own work.
func decode(batch []bus.Record) (input, []rejected) {
	workers := min(runtime.GOMAXPROCS(0), 1+len(batch)/decodeAlone)
	ins, deads := make([]input, workers), make([][]rejected, workers)
	var wg sync.WaitGroup
	for w := range workers {
		from, to := len(batch)*w/workers, len(batch)*(w+1)/workers
		wg.Go(func() {
			for i := from; i < to; i++ {
				if err := ins[w].add(&batch[i], i); err != nil {
					deads[w] = append(deads[w], rejected{i, err})
				}
			}
		})
	}
	wg.Wait()
	in, dead := ins[0], deads[0]
	for w := 1; w < workers; w++ {
		in.findings, in.requests = append(in.findings, ins[w].findings...), append(in.requests, ins[w].requests...)
		in.events, in.lines = append(in.events, ins[w].events...), append(in.lines, ins[w].lines...)
		in.marks, in.verdicts = append(in.marks, ins[w].marks...), append(in.verdicts, ins[w].verdicts...)
		dead = append(dead, deads[w]...)
	}
	return in, dead
}

func (in *input) add(r *bus.Record, i int) error {
	switch r.Topic {
	case bus.TopicFindings:
		f, err := record.DecodeFinding(r.Value)
		return keep(&in.findings, f, err, i, r.Offset)
	case bus.TopicJobs:
		q, err := record.Decode[pipeline.JobRequest](r.Value)
		return keep(&in.requests, q, err, i, r.Offset)
	case bus.TopicExecutions:
		e, err := record.Decode[pipeline.ExecutionEvent](r.Value)
		return keep(&in.events, e, err, i, r.Offset)
	case bus.TopicLogs:
		l, err := record.Decode[pipeline.LogLine](r.Value)
		return keep(&in.lines, l, err, i, r.Offset)
	case bus.TopicMarks:
		m, err := record.Decode[pipeline.Mark](r.Value)
		return keep(&in.marks, m, err, i, r.Offset)
	case bus.TopicVerdicts:
		v, err := record.Decode[pipeline.Verdicts](r.Value)
		return keep(&in.verdicts, v, err, i, r.Offset)
	default:
		return pipeline.Errorf(pipeline.CodeInvalid, "the topic %s is not projected", r.Topic)
	}
}

func keep[T any](to *[]entry[T], body T, err error, i int, offset int64) error {
	if err == nil {
		*to = append(*to, entry[T]{body, i, offset})
	}
	return err
}
