package launcher

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
)

// How the output of one execution is gathered.
const (
	flushEvery = 300 * time.Millisecond
	flushLines = 500
)

// output ships what one execution prints to the logs topic. A full buffer makes
// the printing process wait.
type output struct {
	l  *Launcher
	it item

	mu      sync.Mutex
	buf     []bus.Record
	seq     map[pipeline.Stream]uint64
	lines   int
	dropped int

	stop chan struct{}
	done sync.WaitGroup
}

func newOutput(l *Launcher, it item) *output {
	o := &output{l: l, it: it, seq: map[pipeline.Stream]uint64{}, stop: make(chan struct{})}
	o.done.Go(o.flushRegularly)
	return o
}

func (o *output) flushRegularly() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
			o.mu.Lock()
			o.flush()
			o.mu.Unlock()
		}
	}
}

// close ships the rest.
func (o *output) close() {
	close(o.stop)
	o.done.Wait()
	o.mu.Lock()
	dropped := o.dropped
	o.mu.Unlock()
	if dropped > 0 {
		o.engine(pipeline.LevelWarning, fmt.Sprintf("%d lines were dropped: more than %d were printed", dropped, o.l.cfg.MaxLogLines))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// line takes what the process printed.
func (o *output) line(s pipeline.Stream, text string) {
	level := pipeline.LevelInfo
	if s == pipeline.StreamStderr {
		level = pipeline.LevelWarning
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lines >= o.l.cfg.MaxLogLines {
		o.dropped++
		o.l.metrics.dropped.Inc()
		return
	}
	o.lines++
	o.add(s, level, text)
}

// engine adds a line of our own; it is never dropped.
func (o *output) engine(level pipeline.Level, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(pipeline.StreamEngine, level, text)
}

func (o *output) add(s pipeline.Stream, level pipeline.Level, text string) {
	o.seq[s]++
	v, err := record.Encode(pipeline.LogLine{
		ExecutionID: o.it.req.ID, ProjectID: o.it.req.ProjectID, Attempt: o.it.attempt, Stream: s, Seq: o.seq[s],
		Level: level, Text: text, At: o.l.now().UTC().Truncate(time.Millisecond),
	})
	if err != nil {
		return // a line of text is always expressible
	}
	o.buf = append(o.buf, bus.Record{Topic: bus.TopicLogs, Key: []byte(o.it.req.ID), Value: v})
	if len(o.buf) >= flushLines {
		o.flush()
	}
}

// flush writes the buffer; what the bus does not take within the bound is lost to
// the log, counted, and never holds up the execution's end.
func (o *output) flush() {
	if len(o.buf) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if !o.l.produce(ctx, o.buf) {
		o.l.metrics.dropped.Add(float64(len(o.buf)))
	}
	o.buf = nil
}
