package launcher

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/bus"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/pipeline/veil"
)

// How the output of one execution is gathered.
const (
	flushEvery = 300 * time.Millisecond
	flushLines = 500
)

// output ships what one execution prints to the logs topic. A full buffer makes
// the printing process wait.
type output struct {
	l     *Launcher
	it    item
	veil  func(string) string
	hides *veil.Veil
	reads bool // what is printed may be findings

	mu      sync.Mutex
	buf     []bus.Record
	found   []bus.Record
	unsaid  int // findings that the bus did not take
	seq     map[pipeline.Stream]uint64
	lines   int
	dropped int

	stop chan struct{}
	done sync.WaitGroup
}

func newOutput(l *Launcher, it item, s Spec) *output {
	o := &output{
		l: l, it: it, veil: veiled(&s), hides: veil.New(s.values()), reads: s.Job.Type == pipeline.JobContainer,
		seq: map[pipeline.Stream]uint64{}, stop: make(chan struct{}),
	}
	if it.adopted { // the job's lines come again with their numbers; ours are others
		o.seq[pipeline.StreamEngine] = uint64(l.now().UnixMilli())
	}
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

// sync ships what there is.
func (o *output) sync() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
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
	if o.reads && s == pipeline.StreamStdout && o.finding(text) {
		return
	}
	if o.lines >= o.l.cfg.MaxLogLines {
		o.dropped++
		o.l.metrics.dropped.Inc()
		return
	}
	o.lines++
	o.add(s, level, text)
}

// finding takes a line that is a finding. Findings are no log lines: they count
// against no limit, and the log says only which were refused.
func (o *output) finding(text string) bool {
	r, is, err := said(o.unsecret(text), o.seq[pipeline.StreamStdout]+1, o.l.origin(o.it))
	if !is {
		return false
	}
	o.seq[pipeline.StreamStdout]++
	if err != nil {
		o.add(pipeline.StreamEngine, pipeline.LevelError, "the finding on line "+strconv.FormatUint(o.seq[pipeline.StreamStdout], 10)+" was refused: "+err.Error())
		return true
	}
	o.found = append(o.found, r)
	if len(o.found) >= flushLines {
		o.flush()
	}
	return true
}

// unsecret hides secrets in what may be a finding.
func (o *output) unsecret(text string) string {
	if !o.hides.Hides() {
		return text
	}
	return string(o.hides.JSON(json.RawMessage(text)))
}

// lost is how many findings the bus did not take.
func (o *output) lost() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unsaid
}

// engine adds a line of our own; it is never dropped.
func (o *output) engine(level pipeline.Level, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(pipeline.StreamEngine, level, text)
}

// maxText is the longest line that is kept, in bytes.
const maxText = 16 << 10

func (o *output) add(s pipeline.Stream, level pipeline.Level, text string) {
	o.seq[s]++
	v, err := record.Encode(pipeline.LogLine{
		ExecutionID: o.it.req.ID, ProjectID: o.it.req.ProjectID, Attempt: o.it.attempt, Stream: s, Seq: o.seq[s],
		Level: level, Text: pipeline.Clip(o.veil(text), maxText), At: o.l.now().UTC().Truncate(time.Millisecond),
	})
	if err != nil {
		return // a line of text is always expressible
	}
	o.buf = append(o.buf, bus.Record{Topic: bus.TopicLogs, Key: []byte(o.it.req.ID), Value: v})
	if len(o.buf) >= flushLines {
		o.flush()
	}
}

// How long the bus may take. Lines are not worth holding up the end of an
// execution; findings are, and without them it has not succeeded.
const (
	linesWait    = 10 * time.Second
	findingsWait = 5 * time.Minute
)

// flush writes the buffers; what the bus does not take in time is counted.
func (o *output) flush() {
	if !o.ship(o.found, findingsWait) {
		o.unsaid += len(o.found)
	}
	if !o.ship(o.buf, linesWait) {
		o.l.metrics.dropped.Add(float64(len(o.buf)))
	}
	o.found, o.buf = nil, nil
}

func (o *output) ship(recs []bus.Record, wait time.Duration) bool {
	if len(recs) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return o.l.produce(ctx, recs)
}
